// The real socket.io-client: each transport, acks both ways, the ways to part, 500 at once.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Edge, ask, connected, disconnected, notified, sleep, until } from './peer.mjs';

async function exchange(socket) {
  const hello = notified(socket, 'hello');
  await connected(socket);
  const greeting = await hello;
  assert.equal(greeting.roomId, 'Room A/ü');
  assert.equal(greeting.address, '127.0.0.1');
  assert.match(greeting.host, /^localhost:\d+$/);
  assert.deepEqual(await ask(socket, 'echo', { a: [1, 'é😀', null] }), [null, { a: [1, 'é😀', null] }]);
  assert.deepEqual(await ask(socket, 'nothing', {}), [null, {}]);
  assert.deepEqual(await ask(socket, 'fail', {}), ['as you wish', null]);
  assert.deepEqual(await ask(socket, 'echo'), [null, {}]);
  const many = await Promise.all(Array.from({ length: 50 }, (_, i) => ask(socket, 'echo', { i })));
  many.forEach(([error, result], i) => assert.deepEqual([error, result], [null, { i }]));
  const picture = 'x'.repeat(1500000);
  const [, big] = await ask(socket, 'echo', { picture });
  assert.equal(big.picture.length, picture.length);
}

for (const tls of [true, false]) {
  for (const transports of [['websocket'], ['polling'], ['polling', 'websocket']]) {
    test(`${transports.join(' then ')}, ${tls ? 'TLS' : 'plain'}`, async () => {
      const edge = await Edge.start({ tls });
      const socket = edge.client({ transports });
      await exchange(socket);
      if (transports.length === 2) {
        await until('the upgrade', () => socket.io.engine.transport.name === 'websocket');
        await exchange2(socket);
      } else {
        assert.equal(socket.io.engine.transport.name, transports[0]);
      }
      socket.disconnect();
      await edge.closed('client left');
      const counters = await edge.stop();
      assert.equal(counters.upgrades, transports.length - 1);
      assert.equal(counters.sessions_open, 0);
    });
  }
}

async function exchange2(socket) {
  const many = await Promise.all(Array.from({ length: 100 }, (_, i) => ask(socket, 'echo', { i })));
  many.forEach(([, result], i) => assert.deepEqual(result, { i }));
}

test('nothing is lost while the transport changes', async () => {
  const edge = await Edge.start();
  for (let round = 0; round < 10; round++) {
    const socket = edge.client({ transports: ['polling', 'websocket'] });
    const seen = [];
    socket.on('notification', (m) => m.method === 'tick' && seen.push(m.data.i));
    await connected(socket);
    let i = 0;
    for (; socket.io.engine.transport.name !== 'websocket' || i < 50; i++) {
      socket.emit('notification', { method: 'tick', data: { i } });
      await sleep(1);
    }
    await until('all ticks', () => seen.length === i);
    assert.deepEqual(seen, Array.from({ length: i }, (_, n) => n));
    socket.disconnect();
  }
  await edge.stop();
});

test('the server asks, with retries', async () => {
  const edge = await Edge.start({ request_timeout_ms: 200 });
  const socket = edge.client();
  await connected(socket);
  let times = 0;
  let late = false;
  socket.on('request', (message, answer) => {
    times++;
    assert.equal(message.method, 'question');
    if (message.data.mode === 'error')
      answer('no');
    else if (message.data.mode === 'late' && times === 2)
      answer(null, { times });
    else if (message.data.mode === 'now')
      answer(null, { ok: true });
    late ||= message.data.mode === 'never';
  });
  for (const [mode, expected, tries] of [['now', { result: { ok: true } }, 1], ['error', { error: 'no' }, 1],
    ['late', { result: { times: 2 } }, 2], ['never', { error: 'timeout' }, 3]]) {
    times = 0;
    const answered = notified(socket, 'answered');
    socket.emit('notification', { method: 'ask', data: { mode } });
    assert.deepEqual(await answered, expected);
    assert.equal(times, tries);
  }
  socket.disconnect();
  await edge.stop();
});

test('41 says go away; a closed transport says come back', async () => {
  const edge = await Edge.start();
  for (const transports of [['websocket'], ['polling']]) {
    const socket = edge.client({ transports, reconnection: true, reconnectionDelay: 50 });
    await connected(socket);
    const gone = disconnected(socket);
    socket.emit('request', { method: 'kick' }, () => {});
    assert.equal(await gone, 'io server disconnect');
    await edge.closed('kicked');
    await sleep(200);
    assert.equal(socket.connected, false);
    socket.close();
  }
  const kicked = edge.client({ query: { kick: '1' } });
  assert.equal(await disconnected(kicked), 'io server disconnect');

  const socket = edge.client({ reconnection: true, reconnectionDelay: 50 });
  await connected(socket);
  const again = new Promise((resolve) => socket.io.once('reconnect', resolve));
  const reason = disconnected(socket);
  socket.io.engine.transport.ws.terminate();
  assert.match(await reason, /transport/);
  await again;
  await edge.closed('transport closed');
  assert.deepEqual(await ask(socket, 'echo', { x: 1 }), [null, { x: 1 }]);
  socket.disconnect();
  await edge.stop();
});

test('stopping closes without 41', async () => {
  const edge = await Edge.start();
  const sockets = [edge.client(), edge.client({ transports: ['polling'] })];
  await Promise.all(sockets.map((s) => connected(s)));
  const reasons = Promise.all(sockets.map((s) => disconnected(s)));
  await edge.stop();
  for (const reason of await reasons)
    assert.match(reason, /transport/);
});

test('pings keep a silent session, and end a dead one', async () => {
  const edge = await Edge.start({ ping_interval_ms: 200, ping_timeout_ms: 300 });
  for (const transports of [['websocket'], ['polling']]) {
    const socket = edge.client({ transports });
    await connected(socket);
    await sleep(1500);
    assert.equal(socket.connected, true);
    socket.disconnect();
  }
  const ws = await edge.rawConnected();
  await ws.has('2');
  await edge.closed('ping timeout');
  await until('the socket is closed', () => ws.code);
  const counters = await edge.stop();
  assert.equal(counters.pings_missed, 1);
});

test('500 at once, and back to where it was', async () => {
  const edge = await Edge.start({ sessions_per_address: 600, sessions_per_second: 600 });
  const other = edge.client();
  await connected(other);
  const sockets = [];
  for (let i = 0; i < 500; i += 50) {
    const batch = Array.from({ length: 50 }, () => edge.client());
    await Promise.all(batch.map((s) => connected(s, 60000)));
    sockets.push(...batch);
  }
  const before = Date.now();
  await Promise.all(sockets.map((s, i) => ask(s, 'echo', { i }, 30000)));
  console.log(`# 500 round trips in ${Date.now() - before} ms, ${edge.memoryKb()} kB`);
  sockets.forEach((s) => s.disconnect());
  await until('all gone', () => edge.lines.filter((l) => l === 'closed client left').length === 500, 30000);
  assert.deepEqual(await ask(other, 'echo', { x: 1 }), [null, { x: 1 }]);
  other.disconnect();
  await edge.stop();
});

test('many come and go in the middle of things, and it ends clean', async () => {
  const edge = await Edge.start({ sessions_per_address: 600, sessions_per_second: 600 });
  const sockets = Array.from({ length: 60 }, (_, i) =>
    edge.client({ transports: i % 3 === 0 ? ['polling'] : i % 3 === 1 ? ['websocket'] : ['polling', 'websocket'] }));
  await sleep(150);
  sockets.slice(0, 20).forEach((s) => s.disconnect());
  await sleep(50);
  sockets.slice(20, 40).forEach((s) => s.io.engine?.transport?.ws?.terminate?.());
  await edge.stop();
  sockets.forEach((s) => s.disconnect());
});
