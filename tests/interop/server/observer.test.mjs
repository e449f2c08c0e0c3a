// The observer socket of a whole althing with real workers: the examples of proto/observer.md, and following a server in use.
import assert from 'node:assert/strict';
import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { chmodSync, chownSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { connect, createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { after, before, test } from 'node:test';
import { Peer, sleep, until } from './peer.mjs';

const folder = mkdtempSync(join(tmpdir(), 'althing-'));
const path = join(folder, 'observer.sock');
const server = { peers: [], ports: [] };
const document = readFileSync(resolve(process.argv[3]), 'utf8');
let althing, log = '';

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

let conf;
function writeConf(more) {
  writeFileSync(join(folder, 'conf.json'), JSON.stringify({ ...conf, ...more }));
}

before(async () => {
  server.ports = [await freePort()];
  conf = {
    listeningHost: '127.0.0.1', listeningPort: server.ports[0], listeningRedirectPort: 0, httpOnly: true, clientPath: null,
    allowedOrigins: ['*'], prometheus: { enabled: false }, observer: { path },
    mediasoup: { numWorkers: 2, worker: { rtcMinPort: 20000 + Math.floor(Math.random() * 10000) }, webRtcTransport: { listenIps: [{ ip: '127.0.0.1' }] } },
  };
  writeConf({});
  althing = spawn(resolve(process.argv[2]), ['--config', join(folder, 'conf.json')], { stdio: ['ignore', 'inherit', 'pipe'] });
  althing.stderr.on('data', (data) => {
    log += data;
    if (process.env.VERBOSE)
      process.stderr.write(data);
  });
  await until('ready', () => log.includes('ready'), 10000);
});

after(async () => {
  for (const p of server.peers) p.leave();
  althing.kill('SIGTERM');
  const [code] = await once(althing, 'exit');
  rmSync(folder, { recursive: true });
  assert.equal(code, 0);
});

// A client of the socket.
class Client {
  constructor() {
    this.lines = [];
    this.text = '';
    this.socket = connect(path);
    this.socket.on('data', (data) => {
      const parts = (this.text + data).split('\n');
      this.text = parts.pop();
      this.lines.push(...parts);
    });
    this.socket.on('error', () => {});
    this.closed = once(this.socket, 'close');
  }

  say(line) {
    this.socket.write(`${line}\n`);
  }

  line(what = 'a line') {
    return until(what, () => this.lines.length && [this.lines.shift()]).then(([line]) => line);
  }

  async ask(cmd, members = {}) {
    this.say(JSON.stringify({ id: 1, cmd, ...members }));
    for (;;) {
      const answer = JSON.parse(await this.line(cmd));
      if ('ok' in answer) return answer;
      this.follow(answer);
    }
  }

  end() {
    this.socket.destroy();
  }

  // ---- following ----

  static kinds = [
    ['server', 'server', 'pid'], ['worker', 'workers', 'index'], ['router', 'routers', 'routerId'], ['room', 'rooms', 'roomId'],
    ['chat', 'chats', 'roomId'], ['peer', 'peers', 'peerId'], ['lobby', 'lobby', 'peerId'], ['transport', 'transports', 'transportId'],
    ['producer', 'producers', 'producerId'], ['consumer', 'consumers', 'consumerId'], ['dataProducer', 'dataProducers', 'dataProducerId'],
    ['dataConsumer', 'dataConsumers', 'dataConsumerId'], ['score', 'scores', 'id'], ['layers', 'layers', 'consumerId'],
  ];

  static key(kind, object) {
    const [, , id] = Client.kinds.find(([k]) => k === kind);
    return JSON.stringify([kind, object.roomId ?? null, object[id]]);
  }

  static state(snapshot) {
    const state = {};
    for (const [kind, list] of Client.kinds) {
      for (const object of snapshot[list] ?? []) state[Client.key(kind, object)] = object;
    }
    return state;
  }

  async subscribe(members = {}) {
    const { ok, result } = await this.ask('subscribe', members);
    assert.ok(ok);
    this.state = Client.state(result);
    this.seq = result.seq;
    this.events = [];
    return result;
  }

  follow(event) {
    assert.ok(event.seq > this.seq); // there may be lines of the log between
    this.seq = event.seq;
    this.events.push(event);
    if (event.event === 'put')
      this.state[Client.key(event.kind, event.object)] = event.object;
    else
      delete this.state[Client.key(event.kind, event.object)];
  }

  // What was followed is what a fresh snapshot says.
  async check(other) {
    const { result } = await other.ask('snapshot');
    assert.equal(result.seq, result.seqEnd);
    await until(`event ${result.seqEnd}`, () => {
      while (this.lines.length && this.seq < result.seqEnd) this.follow(JSON.parse(this.lines.shift()));
      return this.seq >= result.seqEnd;
    });
    assert.deepEqual(this.state, Client.state(result));
    return result;
  }
}

async function call(room, names) {
  const peers = [];
  for (const name of names) {
    const p = new Peer(server, room, { peerId: name });
    await p.join(name[0].toUpperCase() + name.slice(1));
    await p.produce('mic');
    peers.push(p);
  }
  return peers;
}

// Of an object only the members that the pattern has.
function matches(pattern, value) {
  if (pattern === '...') return value !== undefined;
  if (Array.isArray(pattern)) return Array.isArray(value) && pattern.length === value.length && pattern.every((p, i) => matches(p, value[i]));
  if (pattern && typeof pattern === 'object')
    return value && typeof value === 'object' && Object.entries(pattern).every(([k, p]) => matches(p, value[k]));
  return pattern === value;
}

async function run(example) {
  const client = new Client(), other = new Client();
  for (const line of example) {
    if (line.startsWith('> ')) {
      const { result } = await other.ask('snapshot', { room: 'blue' });
      client.say(line.slice(2).replace(/<(\w+)Id>/g, (_, kind) => result[`${kind}s`][0][`${kind}Id`]));
    } else if (line.startsWith('< ')) {
      const got = await client.line(line);
      if (line.startsWith('< {'))
        assert.ok(matches(JSON.parse(line.slice(2)), JSON.parse(got)), `\n${line}\n< ${got}`);
      else
        assert.equal(got, line.slice(2));
    }
  }
  if (example.at(-1) === '> quit')
    await client.closed;
  client.end();
  other.end();
}

test('the socket is for its owner and group', () => {
  assert.equal(statSync(path).mode & 0o777, 0o660);
});

// What a process of another user is answered; "": it was closed without a word.
function asUser(uid, gid, line) {
  const script = `const s = require('net').connect(${JSON.stringify(path)}, () => s.end(${JSON.stringify(line)} + '\\n'));
    s.on('error', (e) => { if (e.code === 'EACCES') console.log(e.code); }); s.pipe(process.stdout);`;
  return spawnSync(process.execPath, ['-e', script], { uid, gid, cwd: '/', encoding: 'utf8', timeout: 10000 }).stdout.trim();
}

test('other users, by what the kernel says', { skip: process.getuid() !== 0 }, async () => {
  const nobody = 65534, daemon = 1, order = '{"cmd": "logLevel", "level": "info"}';
  chmodSync(folder, 0o711);
  assert.equal(asUser(nobody, nobody, 'stats'), 'EACCES');
  chmodSync(path, 0o666); // whatever the file says
  assert.equal(asUser(nobody, nobody, 'stats'), '');
  chownSync(path, 0, nobody);
  assert.equal(asUser(nobody, nobody, 'stats'), 'rooms:0\npeers:0');
  assert.equal(JSON.parse(asUser(nobody, nobody, order)).error.code, 'forbidden');
  chownSync(path, 0, 0);
  writeConf({ observer: { path, adminGroup: 'daemon' } });
  const client = new Client();
  assert.deepEqual((await client.ask('reload')).result.changed, ['observer.adminGroup']);
  client.end();
  assert.equal(JSON.parse(asUser(nobody, daemon, order)).ok, true);
  for (const outcome of ['forbidden', 'done'])
    await until(outcome, () => new RegExp(`ordered uid=65534 pid=\\d+ outcome=${outcome}`).test(log));
  writeConf({});
  const again = new Client();
  await again.ask('reload');
  again.end();
  assert.equal(asUser(nobody, daemon, 'stats'), '');
  chmodSync(path, 0o660);
});

test('the examples of the document', async () => {
  const examples = [...document.matchAll(/```example\n(.*?)```/gs)].map(([, text]) => text.trim().split('\n'));
  assert.ok(examples.length >= 3);
  const [ada, bo] = await call('blue', ['ada', 'bo']);
  await until('they hear each other', () => ada.consumers.size === 1 && bo.consumers.size === 1);
  for (const example of examples) await run(example);
  await ada.told('disconnect');
});

test('every kind and command is in the document, and none but those', async () => {
  const client = new Client();
  const { result } = await client.ask('hello');
  for (const name of [...result.kinds, ...result.commands]) assert.match(document, new RegExp(`^\\| \`${name}\` \\|`, 'm'));
  assert.deepEqual(result.kinds.filter((k) => k !== 'log'), Client.kinds.map(([k]) => k));
  client.end();
});

test('following a server in use', async () => {
  const client = new Client(), other = new Client();
  await client.subscribe();
  const [a, b] = await call('green', ['anna', 'bert']);
  await client.check(other);
  await a.produce('webcam');
  await until('b sees a', () => b.consumers.size === 2);
  await client.check(other);
  const video = [...b.consumers.values()].find((c) => c.kind === 'video');
  b.tell('resumeConsumer', { consumerId: video.id });
  b.tell('setConsumerPreferredLayers', { consumerId: video.id, spatialLayer: 1, temporalLayer: 0 });
  await a.ask('chatMessage', { text: 'hello' });
  await a.ask('lockRoom', {});
  const late = new Peer(server, 'green', { peerId: 'late' });
  await late.told('enteredLobby');
  let now = await client.check(other);
  assert.deepEqual(now.lobby.map((p) => p.peerId), ['late']);
  assert.equal(now.chats.find((c) => c.roomId === 'green').messages, 1);
  await a.ask('promotePeer', { peerId: 'late' });
  await client.check(other);
  for (const w of now.workers) process.kill(w.pid, 'SIGKILL');
  await b.told('lostMediaServer');
  await client.check(other);
  await until('other workers', async () => (await client.check(other)).workers.every((w) => w.up));
  await a.produce('mic');
  await until('b hears a again', () => b.consumers.size === 1);
  await client.check(other);
  for (const p of [a, b, late]) p.leave();
  await until('an empty server', async () => !(await client.check(other)).totals.rooms);
  assert.deepEqual([...new Set(client.events.map((e) => e.kind))].sort(),
    ['chat', 'consumer', 'layers', 'lobby', 'peer', 'producer', 'room', 'router', 'score', 'transport', 'worker']);
  client.end();
  other.end();
});

// Chance with a seed, so that a failure can be seen again.
function chance(seed) {
  return (n) => {
    seed = (Math.imul(seed, 1664525) + 1013904223) >>> 0;
    return Math.floor(seed / 2 ** 32 * n);
  };
}

test('following what happens at random', async () => {
  const seed = Number(process.env.ALTHING_TEST_SEED ?? 7);
  console.log(`# seed ${seed}`);
  const random = chance(seed), client = new Client(), other = new Client();
  await client.subscribe();
  let peers = [], n = 0;
  const acts = [
    async () => {
      const p = new Peer(server, `room ${random(3)}`, { peerId: `peer${n++}` });
      peers.push(p);
      if (random(4)) await p.join('Somebody');
    },
    async (p) => p && p.produce(['mic', 'webcam', 'screen'][random(3)]).catch(() => {}),
    async (p) => p && p.ask('changeDisplayName', { displayName: `Name ${random(9)}` }).catch(() => {}),
    async (p) => p && p.ask('chatMessage', { text: 'hello' }).catch(() => {}),
    async (p) => {
      const c = p && [...p.consumers.values()][0];
      if (c) p.tell(['pauseConsumer', 'resumeConsumer'][random(2)], { consumerId: c.id });
    },
    async (p) => {
      p?.leave();
      peers = peers.filter((q) => q !== p);
    },
    async () => {
      const { result } = await other.ask('snapshot', { kinds: ['worker'] });
      const w = result.workers[random(result.workers.length)];
      if (random(4) === 0 && w.pid) process.kill(w.pid, 'SIGKILL');
    },
  ];
  for (let i = 0; i < 120; i++) {
    await acts[Math.max(0, random(acts.length + 4) - 4)](peers[random(peers.length || 1)]);
    await client.check(other);
  }
  for (const p of peers) p.leave();
  await until('an empty server', async () => !(await client.check(other)).totals.rooms);
  await until('all workers', async () => (await client.check(other)).workers.every((w) => w.up), 15000);
  assert.ok(client.events.length > 120, `${client.events.length} events`);
  client.end();
  other.end();
});

test('dump and stats of each object', async () => {
  const [a, b] = await call('red', ['anna', 'bert']);
  await until('they hear each other', () => a.consumers.size === 1 && b.consumers.size === 1);
  const client = new Client();
  const { result } = await client.ask('snapshot', { stats: true });
  const of = async (kind, key) => {
    const answer = await client.ask('get', { kind, key });
    assert.ok(answer.ok, JSON.stringify(answer));
    return answer.result;
  };
  const consumer = await of('consumer', result.consumers[0].consumerId);
  assert.equal(consumer.dump.rtpParameters.codecs[0].mimeType, 'audio/opus');
  assert.equal(consumer.dump.producerId, result.consumers[0].producerId);
  const producer = await of('producer', result.producers[0].producerId);
  assert.equal(producer.dump.type, 'simple');
  assert.ok(producer.dump.rtpMapping);
  const router = await of('router', result.routers[0].routerId);
  assert.equal(router.dump.transportIds.length, 4);
  assert.equal(Object.keys(router.dump.mapConsumerIdProducerId).length, 2);
  const worker = await of('worker', String(result.rooms[0].worker));
  assert.ok(worker.dump.routerIds.includes(result.routers[0].routerId));
  const recv = result.transports.find((t) => t.direction === 'recv');
  const transport = await of('transport', recv.transportId);
  assert.equal(Object.keys(transport.dump.mapSsrcConsumerId).length, 1);
  // Counted by the worker a moment later than made.
  await until('statistics', async () => {
    const c = await of('consumer', result.consumers[0].consumerId);
    return c.stats[0]?.type === 'outbound-rtp' && c.stats[0].byteCount === 0;
  });
  const { result: full } = await client.ask('snapshot', { stats: true, kinds: ['consumer', 'worker'] });
  assert.equal(typeof full.consumers[0].stats.packets, 'number');
  assert.equal(typeof full.workers[0].stats.datagrams_received, 'number');
  client.end();
  a.leave();
  b.leave();
});

test('reload: what can change does, a broken file changes nothing', async () => {
  const client = new Client();
  await client.subscribe({ kinds: ['server'] });
  writeConf({ logLevel: 'debug', maxUsersPerRoom: 1, allowedOrigins: [] });
  let answer = await client.ask('reload');
  assert.deepEqual(answer.result, { changed: ['maxUsersPerRoom', 'logLevel'], restart: ['allowedOrigins'] });
  await until('the log level', () => client.lines.some((l) => JSON.parse(l).object.logLevel === 'debug'));
  const [a] = await call('full', ['anna']);
  const b = new Peer(server, 'full');
  await b.told('overRoomLimit');
  writeFileSync(join(folder, 'conf.json'), '{ "listeningPort": "x" ');
  client.lines.length = 0;
  answer = await client.ask('reload').catch(() => null);
  assert.equal(answer.error.code, 'failed');
  assert.match(answer.error.text, /conf\.json: line 1/);
  writeConf({});
  althing.kill('SIGHUP');
  await until('the log level is back', () => client.lines.some((l) => JSON.parse(l).object?.logLevel === 'info'));
  a.leave();
  b.leave();
  client.end();
});

test('drain: no new rooms, people are told, and at the deadline it ends', async () => {
  const client = new Client();
  const [a] = await call('last', ['anna']);
  await client.ask('drain', { on: true, seconds: 2, text: 'Good night.' });
  assert.equal((await a.told('chatMessage')).chatMessage.text, 'Good night.');
  const stranger = new Peer(server, 'new');
  await stranger.told('disconnect');
  const friend = new Peer(server, 'last');
  await friend.told('roomReady');
  await a.told('moderator:kick');
  await until('no room', async () => (await client.ask('stats')).result.rooms === 0);
  await client.ask('drain', { on: false });
  const [later] = await call('new', ['anna']);
  later.leave();
  client.end();
  assert.match(log, /warn admin: ordered uid=\d+ pid=\d+ outcome=done request=\{"id":1,"cmd":"drain"/);
});

test('rude clients, and a thousand subscribers, harm nobody', async () => {
  const [a, b] = await call('calm', ['anna', 'bert']);
  const all = [];
  for (let i = 0; i < 1000; i++) {
    const c = new Client();
    c.say('{"cmd": "subscribe"}');
    all.push(c);
    if (i % 100 === 99)
      await sleep(20);
  }
  await until('all snapshots', () => all.every((c) => c.lines.length === 1));
  for (let i = 0; i < 50; i++) all[i].socket.pause(); // they stall
  for (let i = 50; i < 100; i++) {
    all[i].socket.write('{"cmd": "subs');
    all[i].end();
  }
  for (let i = 100; i < 150; i++) all[i].say(Array(40).fill('\u0000garbage').join('\n'));
  const start = Date.now();
  await a.ask('chatMessage', { text: 'all quiet' });
  await b.told('chatMessage');
  assert.ok(Date.now() - start < 1000);
  await until('all are told', () => all.slice(200).every((c) => c.lines.length >= 2));
  const more = [];
  for (let i = 0; i < 300; i++) {
    more.push(new Client());
    if (i % 50 === 49)
      await sleep(20);
  }
  await until('some are refused', () => more.some((c) => c.lines[0] === 'ERROR: too many clients'));
  for (const c of [...all, ...more]) c.end();
  await sleep(200);
  const client = new Client();
  assert.equal((await client.ask('stats')).result.peers, 2);
  client.end();
  assert.ok(log.split('\n').filter((l) => /too many clients|talks nonsense/.test(l)).length < 10);
  a.leave();
  b.leave();
});
