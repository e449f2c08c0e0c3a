// althing-load against a real althing: what it says it sent and received is what the server counts.
import assert from 'node:assert/strict';
import { execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { after, before, test } from 'node:test';

const folder = mkdtempSync(join(tmpdir(), 'althing-load-'));
const [althing, load] = [resolve(process.argv[2]), resolve(process.argv[3])];
const servers = [];
const sleep = (ms) => new Promise((done) => setTimeout(done, ms));

/** Not among those that the kernel gives to whoever connects meanwhile. */
async function freePort() {
  for (;;) {
    const port = 10000 + Math.floor(Math.random() * 22000);
    const s = createServer().listen(port, '127.0.0.1');
    const free = await Promise.race([once(s, 'listening').then(() => true), once(s, 'error').then(() => false)]).catch(() => false);
    s.close();
    if (free) return port;
  }
}

async function start(name, more) {
  const server = { port: await freePort(), metrics: await freePort() };
  const file = join(folder, `${name}.json`);
  writeFileSync(file, JSON.stringify({
    listeningHost: '127.0.0.1', listeningPort: server.port, listeningRedirectPort: 0, clientPath: null, store: null,
    prometheus: { listen: '127.0.0.1', port: server.metrics }, observer: { path: null },
    mediasoup: { numWorkers: 1, worker: { rtcMinPort: 20000 + Math.floor(Math.random() * 10000) }, webRtcTransport: { listenIps: [{ ip: '127.0.0.1' }] } },
    ...more,
  }));
  server.process = spawn(althing, ['--config', file], { stdio: ['ignore', 'inherit', process.env.VERBOSE ? 'inherit' : 'ignore'] });
  servers.push(server);
  for (let i = 0; i < 200; i++, await sleep(50)) {
    if (await scrape(server).catch(() => '')) return server;
  }
  throw new Error('althing does not answer');
}

async function scrape(server) {
  return (await fetch(`http://127.0.0.1:${server.metrics}/metrics`)).text();
}

/** The sum of a family's series that have all of these labels. */
function total(text, family, ...labels) {
  return text.split('\n').filter((line) => line.startsWith(`${family}{`) && labels.every((l) => line.includes(l)))
    .reduce((sum, line) => sum + Number(line.split(' ').at(-1)), 0);
}

async function run(...args) {
  const child = spawn(load, args, { stdio: ['ignore', 'pipe', 'pipe'] });
  let out = '', said = '';
  child.stdout.on('data', (data) => { out += data; });
  child.stderr.on('data', (data) => { said += data; });
  const [code] = await once(child, 'close');
  return { code, out, said };
}

async function measure(server, ...args) {
  const json = join(folder, 'out.json');
  const { code, out, said } = await run(`--json=${json}`, ...args);
  assert.equal(code, 0, said + out);
  return { ...JSON.parse(readFileSync(json, 'utf8')), out };
}

function near(a, b, what) {
  assert.ok(Math.abs(a - b) <= Math.max(a, b) * 0.001, `${what}: ${a} and ${b}`);
}

let plain;

before(async () => {
  plain = await start('plain', { httpOnly: true });
});

after(async () => {
  for (const { process: p } of servers) {
    p.kill('SIGTERM');
    const [code] = await once(p, 'exit');
    assert.equal(code, 0);
  }
  rmSync(folder, { recursive: true });
});

test('all that is sent comes to all others, and the server counts the same', async () => {
  const r = await measure(plain, '--peers=3', '--duration=5', '--congestion=off', `--server-pid=${plain.process.pid}`, `ws://127.0.0.1:${plain.port}/three`);
  assert.equal(r.joined, 3);
  assert.equal(r.unreadable, 0);
  for (const kind of ['audio', 'video']) {
    assert.equal(r[kind].streams, 6);
    assert.ok(r[kind].sent > 300, `${kind}: ${r[kind].sent}`);
    assert.equal(r[kind].received, 2 * r[kind].sent);
    assert.equal(r[kind].lost, 0);
    assert.equal(r[kind].latencyMs.count, r[kind].received);
    assert.ok(r[kind].latencyMs.p50 > 0 && r[kind].latencyMs.p50 <= r[kind].latencyMs.p95);
  }
  assert.equal(r.lossPercent, 0);
  assert.ok(r.server.residentBytes > 1e6 && r.server.cpuPercent > 0);
  assert.match(r.out, /^audio +6 /m);
  const text = await scrape(plain);
  near(total(text, 'althing_bytes_total', 'direction="in"'), r.datagramsSinceStart.sentBytes, 'bytes to the server');
  near(total(text, 'althing_bytes_total', 'direction="out"'), r.datagramsSinceStart.receivedBytes, 'bytes from the server');
});

test('viewers, simulcast, several rooms, without GRO', async () => {
  const r = await measure(plain, '--rooms=2', '--peers=4', '--senders=1', '--simulcast=3', '--gro=off', '--congestion=off', '--duration=3', '--audio=off',
    `ws://127.0.0.1:${plain.port}/many`);
  assert.equal(r.joined, 8);
  assert.equal(r.video.streams, 6);
  assert.equal(r.audio.sent, 0);
  assert.ok(r.video.received > 300);
  assert.equal(r.video.lost, 0);
});

test('over TLS, whose certificate matters', async () => {
  const [cert, key] = ['cert.pem', 'key.pem'].map((name) => join(folder, name));
  execFileSync('openssl', ['req', '-x509', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-nodes', '-days', '2', '-subj', '/CN=localhost',
    '-addext', 'subjectAltName=DNS:localhost,IP:127.0.0.1', '-keyout', key, '-out', cert], { stdio: 'ignore' });
  const server = await start('tls', { tls: { cert, key } });
  const url = `wss://127.0.0.1:${server.port}/secret`;
  const r = await measure(server, '--insecure', '--peers=2', '--duration=1', url);
  assert.equal(r.joined, 2);
  const refused = await run('--peers=2', '--duration=1', url);
  assert.equal(refused.code, 69);
  assert.match(refused.said, /^althing-load: nobody came in: TLS: self.signed certificate/m);
});

test('the load is raised until a bound, or all rooms are there', async () => {
  const r = await measure(plain, '--rooms=3', '--peers=2', '--duration=1', '--until-loss=50', '--until-latency=5000', `ws://127.0.0.1:${plain.port}/up`);
  assert.equal(r.roomsWithinBounds, 3);
  assert.deepEqual(r.steps.map((s) => s.rooms), [1, 2, 3]);
});

test('nobody is there', async () => {
  const { code, said } = await run('--peers=1', `ws://127.0.0.1:${await freePort()}/x`);
  assert.equal(code, 69);
  assert.match(said, /^althing-load: nobody came in: connection refused$/m);
});

test('what is asked wrongly', async () => {
  const { code, said } = await run('--rooms=none', 'wss://example.org/x');
  assert.equal(code, 64);
  assert.match(said, /^althing-load: not a value for --rooms$/m);
});
