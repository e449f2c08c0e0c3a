import { webcrypto } from 'node:crypto';

import { afterEach, beforeEach, expect, it, vi } from 'vitest';

import type { Requests } from '../protocol/messages';
import type { SocketLike } from '../protocol/signaling';
import { Call } from './call';
import { LocalMedia } from './local';
import { emptyRoom, type RoomState } from './roomState';
import type { Settings } from './settings';
import { createStore } from './store';

vi.mock('../media/device', () => ({
  preloadDevice: async () => undefined,
  loadDevice: async () => ({
    recvRtpCapabilities: { codecs: [] },
    sendRtpCapabilities: { codecs: [{ kind: 'video', mimeType: 'video/VP8' }] },
    createSendTransport: (o: { id: string }) => fakeTransport(o.id),
    createRecvTransport: (o: { id: string }) => fakeTransport(o.id),
  }),
}));

/** Does what mediasoup-client's transports do, as far as the call sees it. */
function fakeTransport(id: string) {
  const listeners: Record<string, (data: never, done: (r: never) => void, failed: (e: unknown) => void) => void> = {};
  return {
    id,
    closed: false,
    connectionState: 'connected',
    on: (event: string, listener: (typeof listeners)[string]) => void (listeners[event] = listener),
    close() {
      this.closed = true;
    },
    getStats: async () => new Map(),
    async produce({ track, appData }: { track: MediaStreamTrack; appData: object }) {
      const data = { kind: track.kind, rtpParameters: {}, appData };
      const { id: producerId } = await new Promise<{ id: string }>((done, failed) => listeners.produce!(data as never, done as never, failed));
      const producer = { id: producerId, track, paused: false, kind: track.kind, rtpParameters: {}, close: vi.fn(), pause() { producer.paused = true; }, resume() { producer.paused = false; } };
      return producer;
    },
    consume: async ({ id: consumerId, kind }: { id: string; kind: string }) => ({
      id: consumerId, kind, track: { kind }, close: vi.fn(), pause: vi.fn(), resume: vi.fn(),
    }),
  };
}

type Ack = (error: unknown, result?: unknown) => void;

/** A server that answers at once. */
class FakeServer implements SocketLike {
  connected = false;
  active = true;
  io = { engine: { close: () => this.drop() } };
  resume = () => false;
  asked: { method: string; data: Record<string, unknown> }[] = [];
  told: string[] = [];
  private n = 0;
  private listeners = new Map<string, (...args: unknown[]) => void>();

  on(event: string, listener: (...args: never[]) => void) {
    this.listeners.set(event, listener as (...args: unknown[]) => void);
  }
  connect() {
    this.connected = true;
    queueMicrotask(() => this.fire('connect'));
  }
  disconnect() {
    this.connected = false;
    this.fire('disconnect', 'io client disconnect');
  }
  drop() {
    this.connected = false;
    this.fire('disconnect', 'transport close');
  }
  emit(event: string, message: { method: string; data: Record<string, unknown> }, ack?: Ack) {
    if (event === 'notification') return void this.told.push(message.method);
    this.asked.push(message);
    const answers: Partial<{ [M in keyof Requests]: () => unknown }> = {
      join: () => ({ peers: [{ id: 'anna', displayName: 'Anna' }], chatHistory: [], lobbyPeers: [], locked: false }),
      createWebRtcTransport: () => ({ id: `t${this.n++}` }),
      produce: () => ({ id: `p${this.n++}` }),
    };
    queueMicrotask(() => ack?.(null, answers[message.method as keyof Requests]?.() ?? {}));
  }
  fire(event: string, ...args: unknown[]) {
    this.listeners.get(event)?.(...args);
  }
  notify(method: string, data: unknown = {}) {
    this.fire('notification', { method, data });
  }
  configure(): Promise<unknown> {
    return new Promise((done) => {
      const message = { method: 'mediaConfiguration', data: { routerRtpCapabilities: {}, iceServers: [] } };
      this.fire('request', message, (error: unknown, result: unknown) => done(error ?? result));
    });
  }
  admit() {
    for (const permission of ['SHARE_AUDIO', 'SHARE_VIDEO']) this.notify('permissionAdded', { permission });
    this.notify('roomReady', { sessionId: 's', settings: {} });
  }
  count(method: string) {
    return this.asked.filter((m) => m.method === method).length;
  }
}

const settle = () => vi.advanceTimersByTimeAsync(50);

beforeEach(() => {
  vi.useFakeTimers();
  vi.stubGlobal('crypto', webcrypto);
});
afterEach(() => {
  vi.useRealTimers();
  vi.unstubAllGlobals();
});

async function start({ micOn = true } = {}) {
  const track = { kind: 'audio', stop: vi.fn(), getSettings: () => ({}) } as unknown as MediaStreamTrack;
  const mic: RoomState['mic'] = micOn ? { status: 'on', track, problem: null } : { status: 'off', track: null, problem: null };
  const room = createStore<RoomState>({ ...emptyRoom('r'), mic });
  const local = new LocalMedia(room, createStore({} as Settings));
  const server = new FakeServer();
  const call = new Call(room, local, { url: '', tenantFqdn: '', displayName: 'Eva', codec: '', makeSocket: (_url, _id, _tenant, resume) => ((server.resume = resume), server) });
  await settle();
  server.admit();
  const answer = await server.configure();
  await settle();
  return { room, local, server, call, answer };
}

it('joins, makes both transports and produces what is on', async () => {
  const { room, server, answer } = await start();
  expect(answer).toEqual({ rtpCapabilities: { codecs: [] } });
  expect(server.asked.map((m) => m.method)).toEqual(['join', 'createWebRtcTransport', 'createWebRtcTransport', 'produce']);
  expect(server.asked[1]!.data).toMatchObject({ producing: true, consuming: false });
  expect(server.asked[3]!.data).toMatchObject({ kind: 'audio', appData: { source: 'mic' } });
  expect(room.get()).toMatchObject({ phase: 'room', link: 'up', media: 'up' });
  expect(Object.keys(room.get().peers)).toEqual(['anna']);
});

it('sends nothing without permission', async () => {
  const { server } = await start();
  server.notify('permissionRemoved', { permission: 'SHARE_AUDIO' });
  await settle();
  expect(server.told).toEqual(['closeProducer']);
});

it('makes everything anew when the media server is lost', async () => {
  const { room, server } = await start();
  server.notify('newConsumer', { id: 'c', peerId: 'anna', producerId: 'x', kind: 'audio', rtpParameters: {}, producerPaused: false, paused: false, appData: { source: 'mic' } });
  await settle();
  expect(Object.keys(room.get().tracks)).toEqual(['c']);
  server.notify('lostMediaServer');
  expect(room.get()).toMatchObject({ media: 'rebuilding', tracks: {} });
  await server.configure();
  await settle();
  expect(server.count('produce')).toBe(2);
  expect(server.count('createWebRtcTransport')).toBe(4);
  expect(room.get().media).toBe('up');
});

it('takes a repeated configuration for what it is', async () => {
  const { server } = await start();
  expect(await server.configure()).toEqual({ rtpCapabilities: { codecs: [] } });
  await settle();
  expect(server.count('createWebRtcTransport')).toBe(2);
});

it.each([['as a new peer', 'roomReady'], ['as the same peer', 'peerReconnected']])('comes back after a lost connection, %s', async (_, how) => {
  const { room, server } = await start();
  server.drop();
  expect(room.get()).toMatchObject({ link: 'lost', phase: 'room' });
  server.connect();
  await settle();
  if (how === 'roomReady') server.admit();
  else server.notify('peerReconnected', { sessionId: 's', peers: [{ id: 'bo' }], chatHistory: [], lobbyPeers: [], locked: false });
  await server.configure();
  await settle();
  expect(room.get()).toMatchObject({ link: 'up', media: 'up', phase: 'room' });
  expect(server.count('join')).toBe(how === 'roomReady' ? 2 : 1);
  expect(server.count('produce')).toBe(2);
});

it('does not unmute by reconnecting', async () => {
  const { local, server } = await start();
  await local.setMic(false);
  await settle();
  expect(server.told).toEqual(['pauseProducer']);
  server.drop();
  server.connect();
  await settle();
  server.admit();
  await server.configure();
  await settle();
  expect(server.count('produce')).toBe(1);
});

it('ends with the reason when the server says goodbye', async () => {
  const first = await start();
  first.server.fire('disconnect', 'io server disconnect');
  expect(first.room.get()).toMatchObject({ phase: 'ended', endReason: 'closed', mic: { status: 'off' } });
  const second = await start();
  second.server.notify('moderator:kick');
  second.server.fire('disconnect', 'io server disconnect');
  expect(second.room.get().endReason).toBe('kicked');
});

it('says its name in the lobby', async () => {
  const { room, server } = await start();
  server.notify('enteredLobby');
  await settle();
  expect(room.get().phase).toBe('lobby');
  expect(server.asked[server.asked.length - 1]).toEqual({ method: 'changeDisplayName', data: { displayName: 'Eva' } });
});

it('obeys a moderator, and says so', async () => {
  const { room, server } = await start();
  server.notify('moderator:mute');
  await settle();
  expect(room.get().mic.status).toBe('muted');
  expect(room.get().notes.map((n) => n.kind)).toEqual(['mutedByModerator']);
  server.notify('producerClosed', { producerId: 'p2' });
  expect(room.get().mic.status).toBe('off');
});

it('answers what it does not know with an error', async () => {
  const { server } = await start();
  const answer = await new Promise((done) => server.fire('request', { method: 'x' }, (error: unknown) => done(error)));
  expect(answer).toBe('unknown method x');
});

it('keeps its media through a reconnect when the server has kept them', async () => {
  const { server, answer } = await start();
  expect(answer).toMatchObject({ rtpCapabilities: {} });
  const made = server.count('createWebRtcTransport');
  const produced = server.count('produce');
  expect(produced).toBe(1);
  expect(server.resume()).toBe(true);
  server.drop();
  expect(server.resume()).toBe(true);
  server.connect();
  await settle();
  const kept = { transports: ['t0', 't1'], producers: ['p2'], consumers: [] };
  server.notify('peerReconnected', { sessionId: 's', peers: [], chatHistory: [], lobbyPeers: [], media: kept });
  await settle();
  expect(server.count('createWebRtcTransport')).toBe(made);
  expect(server.count('produce')).toBe(produced);
  expect(server.told).toContain('resumeProducer');
});

it('produces again what the server has lost meanwhile', async () => {
  const { server } = await start();
  server.drop();
  server.connect();
  await settle();
  server.notify('peerReconnected', {
    sessionId: 's', peers: [], chatHistory: [], lobbyPeers: [], media: { transports: ['t0', 't1'], producers: [], consumers: [] },
  });
  await settle();
  expect(server.count('produce')).toBe(2);
});

it('asks for new media when its own are not there any more', async () => {
  const { server } = await start();
  server.drop();
  server.connect();
  await settle();
  server.notify('peerReconnected', {
    sessionId: 's', peers: [], chatHistory: [], lobbyPeers: [], media: { transports: ['t0'], producers: [], consumers: [] },
  });
  await settle();
  expect(server.resume()).toBe(false);
  await vi.advanceTimersByTimeAsync(1500);
  expect(server.connected).toBe(false);
});
