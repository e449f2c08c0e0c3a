// A browser as the server sees it: mediasoup-client (with its fake handler) over socket.io-client. And the server under test.
import { spawn } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';

const here = dirname(fileURLToPath(import.meta.url));
if (!existsSync(join(here, 'node_modules', 'mediasoup-client'))) {
  console.error('tests/interop/server: node_modules is missing, run `npm ci` there');
  process.exit(1);
}
const { io } = await import('socket.io-client');
const { Device } = await import('mediasoup-client');
const { FakeHandler } = await import('mediasoup-client/handlers/FakeHandler');
const fakeParameters = await import('mediasoup-client/fakeParameters');
const { FakeMediaStreamTrack } = await import('fake-mediastreamtrack');

export const sleep = (ms) => new Promise((done) => setTimeout(done, ms));

export async function until(what, condition, ms = 5000) {
  for (const end = Date.now() + ms; Date.now() < end; await sleep(10)) {
    const value = await condition();
    if (value)
      return value;
  }
  throw new Error(`timeout: ${what}`);
}

export class Server {
  static async start() {
    const s = new Server();
    s.ports = [];
    s.peers = [];
    s.lines = [];
    s.process = spawn(resolve(process.argv[2]), [resolve(process.argv[3])], { stdio: ['pipe', 'pipe', process.env.VERBOSE ? 'inherit' : 'ignore'] });
    createInterface({ input: s.process.stdout }).on('line', (line) => {
      s.lines.push(line);
      if (line.startsWith('port '))
        s.ports.push(Number(line.slice(5)));
    });
    s.exited = once(s.process, 'exit');
    await until('ready', () => s.lines.includes('ready'));
    return s;
  }

  say(command) {
    this.process.stdin.write(`${command}\n`);
  }

  // How many requests of a method (its number in worker.proto) the workers got.
  async requests(method) {
    this.lines = this.lines.filter((line) => !line.startsWith('report'));
    this.say('report');
    const line = await until('report', () => this.lines.find((l) => l.startsWith('report')));
    return Number(new RegExp(` ${method}:(\\d+)`).exec(line)[1]);
  }

  async stop() {
    for (const peer of this.peers)
      peer.leave();
    this.say('stop');
    await this.exited;
    return this.lines.find((line) => line.startsWith('exit'));
  }
}

export class Peer {
  constructor(server, roomId, { peerId = randomUUID(), reconnectKey = randomUUID() } = {}) {
    Object.assign(this, { server, roomId, peerId, reconnectKey });
    this.got = [];
    this.consumers = new Map();
    this.permissions = new Set();
    this.socket = io(`ws://127.0.0.1:${server.ports[0]}`, {
      transports: ['websocket'], forceNew: true, reconnectionDelay: 50, reconnectionDelayMax: 100,
      query: { roomId, peerId, reconnectKey, tenantFqdn: '127.0.0.1' },
    });
    this.socket.on('notification', (m) => this.notified(m).catch((error) => this.got.push({ method: 'failure', data: error })));
    server.peers.push(this);
    this.socket.on('request', (m, answer) => this.asked(m, answer).catch((error) => this.got.push({ method: 'failure', data: error })));
    this.socket.on('disconnect', (reason) => {
      this.dropMedia();
      this.got.push({ method: 'disconnect', data: reason });
    });
  }

  async asked({ method, data }, answer) {
    if (method !== 'mediaConfiguration')
      return answer(`unknown method ${method}`, null);
    this.got.push({ method, data });
    this.device = new Device({ handlerFactory: FakeHandler.createFactory(fakeParameters) });
    await this.device.load({ routerRtpCapabilities: data.routerRtpCapabilities });
    answer(null, { rtpCapabilities: this.device.rtpCapabilities ?? this.device.recvRtpCapabilities });
    // When the worker dies meanwhile, the next mediaConfiguration makes new ones.
    this.ready = this.createTransports().catch(() => false);
  }

  async notified({ method, data }) {
    if (method === 'permissionAdded')
      this.permissions.add(data.permission);
    if (method === 'newConsumer') {
      await this.ready; // several messages may come in one turn of Node's loop
      const consumer = await this.recv.consume({ id: data.id, producerId: data.producerId, kind: data.kind, rtpParameters: data.rtpParameters, appData: data.appData });
      this.consumers.set(data.id, consumer);
    }
    if (method === 'consumerClosed')
      this.consumers.get(data.consumerId)?.close();
    if (method === 'lostMediaServer')
      this.dropMedia();
    this.got.push({ method, data });
  }

  dropMedia() {
    this.send?.close();
    this.recv?.close();
    this.consumers.clear();
    this.ready = null;
  }

  ask(method, data = {}) {
    return new Promise((done, fail) => {
      this.socket.timeout(3000).emit('request', { method, data }, (late, error, result) => {
        if (late || error)
          fail(new Error(`${method}: ${late ?? error}`));
        else
          done(result);
      });
    });
  }

  tell(method, data = {}) {
    this.socket.emit('notification', { method, data });
  }

  told(method) {
    return until(`${this.peerId} ${method}`, () => this.got.find((m) => m.method === method)?.data ?? false);
  }

  times(method) {
    return this.got.filter((m) => m.method === method).length;
  }

  async join(displayName) {
    await this.told('roomReady');
    return this.ask('join', { displayName });
  }

  async createTransports() {
    for (const [direction, make] of [['send', 'createSendTransport'], ['recv', 'createRecvTransport']]) {
      const sending = direction === 'send';
      const options = await this.ask('createWebRtcTransport', { forceTcp: false, producing: sending, consuming: !sending, enableSctp: true });
      const transport = this.device[make](options);
      transport.on('connect', ({ dtlsParameters }, ok, fail) =>
        this.ask('connectWebRtcTransport', { transportId: transport.id, dtlsParameters }).then(ok, fail));
      transport.on('produce', ({ kind, rtpParameters, appData }, ok, fail) =>
        this.ask('produce', { transportId: transport.id, kind, rtpParameters, appData }).then(ok, fail));
      transport.on('producedata', (params, ok, fail) =>
        this.ask('produceData', { transportId: transport.id, ...params }).then(ok, fail));
      this[direction] = transport;
    }
    return true;
  }

  async produce(source) {
    await until('mediaConfiguration', () => {
      const failure = this.got.find((m) => m.method === 'failure');
      if (failure)
        throw failure.data;
      return this.ready;
    });
    const kind = ['mic', 'screenaudio', 'extraaudio'].includes(source) ? 'audio' : 'video';
    const encodings = kind === 'video' ? [{ maxBitrate: 150000, scalabilityMode: 'L1T3' }, { maxBitrate: 500000, scalabilityMode: 'L1T3' }] : undefined;
    return this.send.produce({ track: new FakeMediaStreamTrack({ kind }), encodings, appData: { source } });
  }

  leave() {
    this.socket.disconnect();
  }
}
