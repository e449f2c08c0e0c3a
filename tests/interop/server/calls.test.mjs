// Two browsers and more in a call: mediasoup-client and socket.io-client against the real althing-server, a pretended worker behind it.
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { Peer, Server, sleep, until } from './peer.mjs';

const CREATE_PRODUCER = 9;
const CREATE_CONSUMER = 12;
const REQUEST_KEY_FRAME = 15;

let server;
before(async () => { server = await Server.start(); });
after(async () => assert.equal(await server.stop(), 'exit 0'));

async function pair(room) {
  const a = new Peer(server, room), b = new Peer(server, room);
  await a.join('Anna');
  await b.join('Bert');
  return [a, b];
}

test('join, see and hear each other, mute, close, leave', async () => {
  const a = new Peer(server, 'talk'), b = new Peer(server, 'talk');
  const first = await a.join('Anna');
  assert.deepEqual(first.peers, []);
  assert.ok(a.permissions.has('SHARE_AUDIO') && a.permissions.has('MODIFY_ROLE'));
  const second = await b.join('Bert');
  assert.equal(second.peers[0].displayName, 'Anna');
  assert.equal((await a.told('newPeer')).displayName, 'Bert');

  const mic = await a.produce('mic');
  const camera = await a.produce('webcam');
  await b.ready;
  const consumers = await until('both consumers', () => b.consumers.size === 2 && [...b.consumers.values()]);
  const audio = consumers.find((c) => c.kind === 'audio'), video = consumers.find((c) => c.kind === 'video');
  assert.equal(audio.producerId, mic.id);
  assert.equal(video.producerId, camera.id);
  assert.deepEqual(video.appData, { source: 'webcam', peerId: a.peerId });
  assert.notEqual(audio.rtpParameters.mid, video.rtpParameters.mid);
  assert.equal(b.got.find((m) => m.data.id === video.id).data.paused, true);
  assert.equal(b.got.find((m) => m.data.id === audio.id).data.paused, false);

  b.tell('resumeConsumer', { consumerId: video.id });
  await until('a key frame is asked for', async () => await server.requests(REQUEST_KEY_FRAME) === 1);
  b.tell('setConsumerPreferredLayers', { consumerId: video.id, spatialLayer: 2, temporalLayer: 2 });

  a.tell('pauseProducer', { producerId: mic.id });
  assert.equal((await b.told('consumerPaused')).consumerId, audio.id);
  a.tell('resumeProducer', { producerId: mic.id });
  await b.told('consumerResumed');
  camera.close();
  a.tell('closeProducer', { producerId: camera.id });
  assert.equal((await b.told('consumerClosed')).consumerId, video.id);

  const channel = await a.send.produceData({ label: 'transcription', ordered: false, maxRetransmits: 3 });
  const told = await b.told('newDataConsumer');
  assert.equal(told.dataProducerId, channel.id);
  assert.equal(told.label, 'transcription');
  assert.equal(told.sctpStreamParameters.ordered, false);
  assert.equal(told.sctpStreamParameters.maxRetransmits, 3);
  const data = { transportId: a.send.id, sctpStreamParameters: { streamId: 7, ordered: true, maxRetransmits: 1 }, label: 'x' };
  await assert.rejects(a.ask('produceData', data), /contradict/);
  await assert.rejects(a.ask('produceData', { ...data, sctpStreamParameters: { streamId: 1024 } }), /range/);
  a.tell('closeDataProducer', { dataProducerId: channel.id });
  assert.equal((await b.told('dataConsumerClosed')).dataConsumerId, told.id);

  a.leave();
  assert.equal((await b.told('peerClosed')).peerId, a.peerId);
  b.leave();
});

test('chat', async () => {
  const [a, b] = await pair('chat');
  assert.deepEqual(await a.ask('chatMessage', { text: 'Hallo 😀', sessionId: (await a.told('roomReady')).sessionId }), {});
  const { chatMessage } = await b.told('chatMessage');
  assert.equal(chatMessage.text, 'Hallo 😀');
  assert.equal(chatMessage.displayName, 'Anna');
  const c = new Peer(server, 'chat');
  assert.equal((await c.join('Carl')).chatHistory.length, 1);
  await assert.rejects(a.ask('chatMessage', { text: 'x'.repeat(10000) }), /too long/);
  await assert.rejects(a.ask('nonsense'), /unknown method/);
  const { sessionId } = await a.ask('createBreakoutRoom', { name: 'x' });
  await b.ask('joinBreakoutRoom', { roomSessionId: sessionId });
  await b.ask('chatMessage', { text: 'nobody hears me', sessionId });
  await assert.rejects(a.ask('chatMessage', { text: 'let me in', sessionId }), /no such session/);
  for (const p of [a, b, c]) p.leave();
});

test('a produce or a transport asked for twice is one', async () => {
  const [a, b] = await pair('twice');
  await a.produce('mic');
  const before = await server.requests(CREATE_PRODUCER);
  const rtpParameters = { codecs: [{ mimeType: 'audio/opus', payloadType: 111, clockRate: 48000, channels: 2 }], encodings: [{ ssrc: 4711 }], rtcp: {}, msid: 's t' };
  const data = { transportId: a.send.id, kind: 'audio', rtpParameters, appData: { source: 'mic' } };
  const [one, two] = await Promise.all([a.ask('produce', data), a.ask('produce', data)]);
  assert.equal(one.id, two.id);
  assert.equal(await server.requests(CREATE_PRODUCER), before + 1);
  const again = await a.ask('createWebRtcTransport', { producing: true, consuming: false });
  assert.equal(again.id, a.send.id);
  a.leave();
  b.leave();
});

test('the connection is lost and comes back', async () => {
  const [a, b] = await pair('back');
  await a.produce('mic');
  await until('b hears a', () => b.consumers.size === 1);
  a.got.length = b.got.length = 0;
  a.socket.io.engine.close();
  const back = await a.told('peerReconnected');
  assert.equal(back.peers[0].displayName, 'Bert');
  await b.told('consumerClosed');
  await a.told('mediaConfiguration');
  await a.produce('mic');
  await b.told('newConsumer');
  assert.equal(b.times('peerClosed'), 0);
  assert.equal(b.times('newPeer'), 0);

  const thief = new Peer(server, 'back', { peerId: a.peerId });
  assert.equal(await thief.told('disconnect'), 'io server disconnect');
  assert.equal(a.socket.connected, true);
  a.leave();
  b.leave();
});

test('a dead worker costs less than three seconds', async () => {
  const [a, b] = await pair('dead');
  await a.produce('mic');
  await until('b hears a', () => b.consumers.size === 1);
  for (const how of ['kill', 'garbage']) {
    a.got.length = b.got.length = 0;
    const start = Date.now();
    server.say(how);
    await Promise.all([a.told('lostMediaServer'), b.told('lostMediaServer')]);
    await a.produce('mic');
    await until('b hears a again', () => b.consumers.size === 1);
    assert.ok(Date.now() - start < 3000);
  }
  assert.ok(server.lines.includes('bad'));
  a.leave();
  b.leave();
});

test('lobby, kick, full room', async () => {
  const a = new Peer(server, 'locked');
  await a.join('Anna');
  await a.ask('lockRoom');
  const b = new Peer(server, 'locked');
  await b.told('enteredLobby');
  await assert.rejects(b.ask('join', {}), /lobby/);
  await a.ask('promotePeer', { peerId: b.peerId });
  await b.join('Bert');
  await assert.rejects(b.ask('moderator:setPermissions', { updates: 3 }), /updates/);
  await a.ask('moderator:kickPeer', { peerId: b.peerId });
  assert.equal(await b.told('disconnect'), 'io server disconnect');
  await a.ask('unlockRoom');
  const more = Array.from({ length: 4 }, () => new Peer(server, 'locked'));
  for (const p of more) await p.told('roomReady');
  const late = new Peer(server, 'locked');
  assert.equal(await late.told('disconnect'), 'io server disconnect');
  for (const p of [a, ...more]) p.leave();
});

test('config.js says where to connect', async () => {
  const answer = await fetch(`http://127.0.0.1:${server.ports[0]}/config/config.js`);
  assert.match(answer.headers.get('content-type'), /javascript/);
  const window = { location: { port: '8443' } };
  const config = new Function('window', `${await answer.text()}; return config;`)(window);
  assert.equal(config.productionPort, 8443);
  assert.equal(config.serverHostname, undefined);
});

test('five peers hear each other', async () => {
  const before = await server.requests(CREATE_CONSUMER);
  const peers = Array.from({ length: 5 }, () => new Peer(server, 'five'));
  for (const [i, p] of peers.entries()) await p.join(`P${i}`);
  for (const p of peers) await p.produce('mic');
  for (const p of peers) await until('four consumers', () => p.consumers.size === 4);
  assert.equal(await server.requests(CREATE_CONSUMER), before + 20);
  await sleep(50);
  for (const p of peers) p.leave();
});
