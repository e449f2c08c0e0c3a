// The whole of althing: supervisor, server and real workers. What dies comes back, and the browsers with it.
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync, mkdtempSync, readFileSync, readdirSync, rmSync, truncateSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { after, before, test } from 'node:test';
import { Peer, until } from './peer.mjs';

const folder = mkdtempSync(join(tmpdir(), 'althing-'));
const server = { peers: [], ports: [] };
let althing, metrics;

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

function children(name) {
  return readdirSync('/proc').filter((pid) => {
    try {
      const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
      return stat.includes(`(${name})`) && Number(stat.split(') ')[1].split(' ')[1]) === althing.pid;
    } catch {
      return false;
    }
  }).map(Number);
}

async function scrape() {
  const answer = await fetch(`http://127.0.0.1:${metrics}/metrics`).catch(() => null);
  return answer?.ok ? answer.text() : '';
}

before(async () => {
  server.ports = [await freePort()];
  metrics = await freePort();
  writeFileSync(join(folder, 'conf.json'), JSON.stringify({
    listeningHost: '127.0.0.1', listeningPort: server.ports[0], listeningRedirectPort: 0, httpOnly: true, clientPath: null,
    allowedOrigins: ['*'], prometheus: { listen: '127.0.0.1', port: metrics, numeric: true },
    observer: { path: join(folder, 'observer.sock') },
    mediasoup: { numWorkers: 2, worker: { rtcMinPort: 20000 + Math.floor(Math.random() * 10000) }, webRtcTransport: { listenIps: [{ ip: '127.0.0.1' }] } },
  }));
  althing = spawn(resolve(process.argv[2]), ['--config', join(folder, 'conf.json')], { stdio: ['ignore', 'inherit', process.env.VERBOSE ? 'inherit' : 'ignore'] });
  await until('metrics', scrape, 10000);
});

after(async () => {
  for (const p of server.peers) p.leave();
  althing.kill('SIGTERM');
  const [code] = await once(althing, 'exit');
  rmSync(folder, { recursive: true });
  assert.equal(code, 0);
});

async function call(room) {
  const a = new Peer(server, room), b = new Peer(server, room);
  await a.join('Anna');
  await b.join('Bert');
  await a.produce('mic');
  await a.produce('webcam');
  await until('b hears and sees a', () => b.consumers.size === 2);
  return [a, b];
}

test('a call through real workers', async () => {
  const [a, b] = await call('one');
  const text = await scrape();
  assert.match(text, /^edumeet_rooms 1$/m);
  assert.match(text, /^edumeet_peers\{room_id="one"\} 2$/m);
  const video = [...b.consumers.values()].find((c) => c.kind === 'video');
  b.tell('resumeConsumer', { consumerId: video.id });
  b.tell('setConsumerPreferredLayers', { consumerId: video.id, spatialLayer: 2, temporalLayer: 2 });
  assert.ok((await a.ask('restartIce', { transportId: a.send.id })).iceParameters.usernameFragment);
  await a.ask('chatMessage', { text: 'still there' });
  await b.told('chatMessage');
  a.leave();
  await b.told('peerClosed');
  b.leave();
});

test('a worker dies', async () => {
  const [a, b] = await call('worker');
  a.got.length = b.got.length = 0;
  const start = Date.now();
  for (const pid of children('althing-worker'))
    process.kill(pid, 'SIGKILL');
  await Promise.all([a.told('lostMediaServer'), b.told('lostMediaServer')]);
  await a.produce('mic');
  await until('b hears a again', () => b.consumers.size === 1);
  assert.ok(Date.now() - start < 3000, `${Date.now() - start} ms`);
  a.leave();
  b.leave();
});

test('the server dies', async () => {
  const [a, b] = await call('server');
  a.got.length = b.got.length = 0;
  const [pid] = children('althing-server');
  process.kill(pid, 'SIGKILL');
  await Promise.all([a.told('roomReady'), b.told('roomReady')]);
  await a.ask('join', { displayName: 'Anna' });
  await b.ask('join', { displayName: 'Bert' });
  await a.produce('mic');
  await until('b hears a again', () => b.consumers.size === 1);
  a.leave();
  b.leave();
});

// Once, and not again and again.
test('a client folder that cannot be served ends it with 78', async () => {
  const app = join(folder, 'app');
  const start = async () => {
    const conf = { listeningHost: '127.0.0.1', listeningPort: await freePort(), listeningRedirectPort: 0, httpOnly: true, clientPath: app,
      prometheus: { enabled: false }, observer: { path: null },
      mediasoup: { numWorkers: 1, worker: { rtcMinPort: 31000 + Math.floor(Math.random() * 1000) }, webRtcTransport: { listenIps: [{ ip: '127.0.0.1' }] } } };
    writeFileSync(join(folder, 'bad.json'), JSON.stringify(conf));
    const child = spawn(resolve(process.argv[2]), ['--config', join(folder, 'bad.json')], { stdio: ['ignore', 'inherit', 'pipe'] });
    let said = '';
    child.stderr.on('data', (data) => { said += data; });
    const timer = setTimeout(() => child.kill('SIGKILL'), 10000);
    const [code] = await once(child, 'close');
    clearTimeout(timer);
    return { code, said };
  };
  const missing = await start();
  assert.equal(missing.code, 78);
  assert.match(missing.said, /^althing: .*bad\.json: clientPath: cannot read the folder .*\n$/);
  mkdirSync(app);
  writeFileSync(join(app, 'large'), '');
  truncateSync(join(app, 'large'), 300 * 1024 * 1024); // a hole: over what is kept in memory
  const large = await start();
  assert.equal(large.code, 78);
  assert.equal(large.said.match(/static files cannot be loaded/g).length, 1);
});
