// What a browser would not send: wrong origins, garbage, too much of everything. Each time somebody else's session is unharmed.
import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import net from 'node:net';
import { test } from 'node:test';
import tls from 'node:tls';
import { Edge, ask, ca, connected, disconnected, sleep, until } from './peer.mjs';

async function withBystander(options, story) {
  const edge = await Edge.start(options);
  const other = edge.client();
  await connected(other);
  try {
    await story(edge);
    assert.deepEqual(await ask(other, 'echo', { still: 'here' }), [null, { still: 'here' }]);
  } catch (error) {
    edge.child.kill('SIGKILL');
    throw error;
  } finally {
    other.disconnect();
  }
  return edge.stop();
}

const polling = '/socket.io/?EIO=4&transport=polling';

test('origins', async () => {
  const counters = await withBystander({}, async (edge) => {
    const own = `https://localhost:${edge.port}`;
    for (const origin of ['https://evil.org', 'null', `https://localhost:${edge.port}.evil.org`, 'https://localhost:1', 'x'.repeat(1000)]) {
      const ws = edge.raw(undefined, { headers: { Origin: origin } });
      await until('refused', () => ws.refused);
      assert.equal(ws.refused.status, 403);
      assert.deepEqual(JSON.parse(ws.refused.body), { code: 4, message: 'Forbidden' });
      const r = await edge.request(polling, { headers: { Origin: origin } });
      assert.equal(r.status, 403);
    }
    await edge.raw(undefined, { headers: { Origin: own } }).has('0{');
    assert.equal((await edge.request(polling, { headers: { Origin: own } })).status, 200);
  });
  assert.equal(counters.refused_origin, 10);

  const edge = await Edge.start({ origin: 'https://meet.example.org' });
  await edge.raw(undefined, { headers: { Origin: 'https://meet.example.org' } }).has('0{');
  const r = await edge.request(polling, { headers: { Origin: 'https://meet.example.org' } });
  assert.equal(r.headers['access-control-allow-origin'], 'https://meet.example.org');
  const refused = edge.raw(undefined, { headers: { Origin: `https://localhost:${edge.port}` } });
  await until('refused', () => refused.refused?.status === 403);
  await edge.stop();
});

test('behind a proxy the address and host are the forwarded ones', async () => {
  const edge = await Edge.start({ tls: false, proxy: 1 });
  const ws = await edge.rawConnected('EIO=4&transport=websocket&roomId=a%26b%3Dc', { headers: { 'X-Forwarded-For': '1.1.1.1, 192.0.2.7',
    'X-Forwarded-Host': 'meet.example.org', Origin: 'https://meet.example.org', 'User-Agent': 'test/1' } });
  const hello = JSON.parse((await ws.has('42')).slice(2))[1].data;
  assert.deepEqual(hello, { roomId: 'a&b=c', address: '192.0.2.7', host: 'meet.example.org', userAgent: 'test/1' });
  await edge.stop();
  const direct = await Edge.start({});
  const spoof = await direct.rawConnected(undefined, { headers: { 'X-Forwarded-For': '192.0.2.7', 'X-Forwarded-Host': 'evil.org' } });
  assert.match(await spoof.has('42'), /"address":"127.0.0.1","host":"localhost:/);
  await direct.stop();
});

test('handshakes that are none', async () => {
  await withBystander({}, async (edge) => {
    for (const [path, code] of [['/socket.io/?EIO=3&transport=polling', 5], ['/socket.io/?transport=polling', 5], ['/socket.io/', 0],
      ['/socket.io/?EIO=4&transport=carrier-pigeon', 0], [`${polling}&sid=unknown`, 1], ['/socket.io/?EIO=4&transport=websocket', 3]]) {
      const r = await edge.request(path);
      assert.deepEqual([r.status, JSON.parse(r.body).code], [400, code], path);
    }
    assert.equal((await edge.request('/socket.io/?EIO=3&transport=polling')).body, '{"code":5,"message":"Unsupported protocol version"}');
    assert.equal((await edge.request(polling, { method: 'POST', body: '40' })).body, '{"code":2,"message":"Bad handshake method"}');
    for (const query of ['EIO=3&transport=websocket', 'EIO=4&transport=polling', 'EIO=4&transport=websocket&sid=unknown', '', 'a=%ff',
      'a='.repeat(5000)]) {
      const ws = edge.raw(query);
      await until(`refused ${query.slice(0, 50)}`, () => ws.refused || ws.error);
      assert.ok(!ws.refused || ws.refused.status === 400);
    }
  });
});

test('garbage in frames ends the session with a code', async () => {
  const counters = await withBystander({}, async (edge) => {
    for (const [frame, code] of [['9', 1002], ['x', 1002], ['', 1002], ['0{}', 1002], ['5', 1002], ['2probe', 1002], ['4', 1002], ['45-[]', 1002],
      ['451-["x",{"_placeholder":true,"num":0}]', 1002], ['42{}', 1002], ['4x', 1002], ['44{}', 1002], ['43[]', 1002], ['42/other,["request"]', 1002],
      [Buffer.from([4, 5]), 1003], [randomBytes(2000), 1003]]) {
      const ws = await edge.rawConnected();
      ws.send(frame);
      await until(`closed ${frame}`, () => ws.code);
      assert.equal(ws.code, code, String(frame).slice(0, 40));
    }
    const early = edge.raw();
    await early.has('0{');
    early.send('42["request",{"method":"echo"}]');
    await until('closed', () => early.code);
    const space = edge.raw();
    await space.has('0{');
    space.send('40/chat,{}');
    await space.has('44/chat,{"message":"Invalid namespace"}');
  });
  assert.equal(counters.refused_protocol >= 17, true);
});

test('broken WebSocket framing', async () => {
  await withBystander({}, async (edge) => {
    const frame = (first, payload, length = payload.length) => {
      const head = length < 126 ? Buffer.from([first, 0x80 | length]) : length < 65536 ? Buffer.from([first, 0x80 | 126, length >> 8, length & 255])
        : Buffer.concat([Buffer.from([first, 0x80 | 127]), (() => { const b = Buffer.alloc(8); b.writeBigUInt64BE(BigInt(length)); return b; })()]);
      return Buffer.concat([head, Buffer.alloc(4), Buffer.from(payload)]);
    };
    for (const [name, bytes, code] of [['reserved bit', frame(0xc1, '40'), 1002], ['reserved opcode', frame(0x83, '40'), 1002],
      ['long ping', frame(0x89, 'x'.repeat(126)), 1002], ['fragmented ping', frame(0x09, 'x'), 1002], ['continuation of nothing', frame(0x80, 'x'), 1002],
      ['bad UTF-8', frame(0x81, Buffer.from([0x34, 0xff, 0xfe])), 1007], ['huge', frame(0x81, '4', 2 ** 40), 1009],
      ['close 1005', frame(0x88, Buffer.from([0x03, 0xed])), 1002]]) {
      const ws = await edge.rawConnected();
      ws._socket.write(bytes);
      ws._socket.resume();
      await until(`closed ${name}`, () => ws.code);
      if (name !== 'close 1005') // what is sent back to that one does not matter
        assert.ok(ws.code === code || ws.code === 1006, `${name} ${ws.code}`);
    }
  });
});

test('a message of 100 MB costs no memory', async () => {
  const counters = await withBystander({}, async (edge) => {
    const before = edge.memoryKb();
    const ws = await edge.rawConnected();
    ws.send(`42["notification",{"method":"x","data":"${'x'.repeat(100 << 20)}"}]`);
    await until('closed', () => ws.code, 20000);
    assert.ok(ws.code === 1009 || ws.code === 1006, `${ws.code}`);
    const bits = await edge.rawConnected();
    bits.send('4', { fin: false });
    for (let i = 0; i < 100 && !bits.code; i++) {
      bits.send('x'.repeat(100000), { fin: false });
      await sleep(1);
    }
    await until('closed', () => bits.code, 20000);
    const sid = JSON.parse((await edge.request(polling)).body.slice(1)).sid;
    const r = await edge.request(`${polling}&sid=${sid}`, { method: 'POST', body: 'x'.repeat(100 << 20) }).catch((e) => e);
    assert.ok(r.status === 413 || r.code === 'ECONNRESET' || r.code === 'EPIPE', `${r.status} ${r.code}`);
    const grown = edge.memoryKb() - before;
    assert.ok(grown < 30000, `${grown} kB`);
    const big = await edge.rawConnected();
    big.send(`420["request",{"method":"echo","data":{"x":"${'x'.repeat(2900000)}"}}]`);
    await big.has('430[null,');
  });
  assert.equal(counters.refused_size, 3);
});

test('JSON: deep, double, NUL, surrogates, NaN', async () => {
  const counters = await withBystander({}, async (edge) => {
    const ws = await edge.rawConnected();
    const cases = [`{"a":${'['.repeat(10000)}${']'.repeat(10000)}}`, `{"a":${'['.repeat(31)}${']'.repeat(31)}}`, '{"a":1,"a":2}', '{"a":"\\u0000"}',
      '{"a":"\\ud800"}', '{"a":NaN}', '{"a":1e999}', '{"a":1', '{"a":1}}', ''];
    for (const [i, data] of cases.entries()) {
      ws.send(`42${i}["request",{"method":"echo","data":${data}}]`);
      await ws.has(`43${i}["`);
    }
    ws.send('42100["request",{"data":{}}]');
    await ws.has('43100["malformed message",null]');
    ws.send('42101["other",{"method":"x"}]');
    await ws.has('43101["malformed message",null]');
    ws.send('42["request",{"method":"echo"}]');
    ws.send(`42102["request",{"method":"echo","data":${'['.repeat(28)}1${']'.repeat(28)}}]`);
    await ws.has('43102[null,[[[');
    ws.send('42103["request",{"method":"echo","data":{"__proto__":{"x":1},"constructor":"<b>"}}]');
    await ws.has('43103[null,{"__proto__":{"x":1},"constructor":"<b>"}]');
    for (let i = 0; i < 100; i++)
      ws.send('42["notification",{"method"');
    await ws.has('41');
    await until('closed', () => ws.code);
    assert.equal(ws.code, 1008);
  });
  assert.ok(counters.refused_json > 90);
});

test('too many messages: told, then sent away', async () => {
  const counters = await withBystander({ messages_per_second: 10, messages_burst: 20 }, async (edge) => {
    const socket = edge.client();
    await connected(socket);
    const gone = disconnected(socket);
    const refused = [];
    for (let i = 0; i < 30; i++)
      socket.emit('request', { method: 'echo', data: { i } }, (error) => refused.push(error));
    await until('answers', () => refused.length === 30);
    assert.ok(refused.filter((e) => e === 'too many requests').length >= 5);
    await sleep(1200);
    assert.deepEqual(await ask(socket, 'echo', {}), [null, {}]);
    for (let i = 0; i < 200; i++)
      socket.emit('notification', { method: 'echo', data: { i } });
    assert.equal(await gone, 'io server disconnect');
    await edge.closed('protocol error');
  });
  assert.ok(counters.refused_rate >= 90);
});

test('a slow reader is closed, the memory is bounded', async () => {
  const counters = await withBystander({ queue_bytes: 4000000 }, async (edge) => {
    const before = edge.memoryKb();
    const slow = await edge.rawConnected();
    slow._socket.pause();
    for (let i = 0; i < 5; i++)
      slow.send('42["notification",{"method":"flood","data":{"size":100000,"count":200}}]');
    await edge.closed('protocol error', 20000);
    assert.ok(edge.memoryKb() - before < 60000);
    const poller = JSON.parse((await edge.request(polling)).body.slice(1)).sid;
    await edge.request(`${polling}&sid=${poller}`, { method: 'POST',
      body: '40\x1e42["notification",{"method":"flood","data":{"size":100000,"count":200}}]' });
    await until('both', () => edge.lines.filter((l) => l === 'closed protocol error').length === 2);
  });
  assert.equal(counters.slow_readers, 2);
});

test('sessions of one address, in all, and how fast', async () => {
  let counters = await withBystander({ sessions_per_address: 5 }, async (edge) => {
    const kept = await Promise.all([1, 2, 3, 4].map(() => edge.rawConnected()));
    const ws = edge.raw();
    await until('refused', () => ws.refused);
    assert.equal(ws.refused.status, 429);
    assert.equal((await edge.request(polling)).status, 429);
    kept[0].close();
    await edge.closed('transport closed');
    await edge.rawConnected();
  });
  assert.equal(counters.refused_address, 2);
  counters = await withBystander({ sessions: 3 }, async (edge) => {
    await Promise.all([1, 2].map(() => edge.rawConnected()));
    assert.equal((await edge.request(polling)).status, 503);
  });
  assert.equal(counters.refused_full, 1);
  counters = await withBystander({ sessions_per_second: 2 }, async (edge) => {
    const statuses = (await Promise.all(Array.from({ length: 20 }, () => edge.request(polling)))).map((r) => r.status);
    assert.equal(statuses.filter((s) => s === 200).length, 9);
  });
  assert.equal(counters.refused_address, 11);
  const edge = await Edge.start({ sessions_per_address: 5, tls: false });
  const sockets = Array.from({ length: 30 }, () => net.connect(edge.port, '127.0.0.1').on('error', () => {}));
  await until('the rest is closed', () => sockets.filter((s) => s.closed || s.readableEnded).length >= 20);
  sockets.forEach((s) => s.destroy());
  await edge.stop();
});

test('who says nothing is not kept', async () => {
  await withBystander({ handshake_ms: 400, ping_interval_ms: 60000 }, async (edge) => {
    const ws = edge.raw();
    await ws.has('0{');
    await until('closed', () => ws.code, 3000);
    assert.equal(ws.code, 1008);
    const sid = JSON.parse((await edge.request(polling)).body.slice(1)).sid;
    await sleep(700);
    const r = await edge.request(`${polling}&sid=${sid}`);
    assert.equal(r.body, '1');
    const probe = await (async () => {
      const id = JSON.parse((await edge.request(polling)).body.slice(1)).sid;
      await edge.request(`${polling}&sid=${id}`, { method: 'POST', body: '40' });
      return edge.raw(`EIO=4&transport=websocket&sid=${id}`);
    })();
    await until('the probe is cut', () => probe.code, 3000);
  });
});

test('polling: two polls, garbage, a lost poll', async () => {
  await withBystander({}, async (edge) => {
    const open = async () => `${polling}&sid=${JSON.parse((await edge.request(polling)).body.slice(1)).sid}`;
    const start = async () => {
      const path = await open();
      assert.equal((await edge.request(path, { method: 'POST', body: '40' })).body, 'ok');
      assert.match((await edge.request(path)).body, /^40\{"sid":"\w+"\}\x1e42\["notification"/);
      return path;
    };
    let path = await start();
    const first = edge.request(path);
    await sleep(50);
    assert.equal((await edge.request(path)).status, 400);
    assert.equal((await first).body, '1');
    for (const body of ['', '\x1e', '40\x1e', 'bAAAA', '6:40', '42["request"', 'x'.repeat(1000)]) {
      path = await start();
      const r = await edge.request(path, { method: 'POST', body });
      assert.ok(r.status === 400 || body.startsWith('42') || body === '6:40', body);
    }
    path = await start();
    const lost = tls.connect({ port: edge.port, host: '127.0.0.1', servername: 'localhost', ca }, () =>
      lost.write(`GET ${path} HTTP/1.1\r\nHost: localhost:${edge.port}\r\n\r\n`));
    await sleep(100);
    lost.destroy();
    await edge.closed('transport closed');
    path = await start();
    const waiting = edge.request(path);
    await sleep(50);
    assert.equal((await edge.request(path, { method: 'POST', body: '41' })).body, 'ok');
    assert.equal((await waiting).body, '1');
    await edge.closed('client left');
  });
});

test('an upgrade to a session that is not polling', async () => {
  await withBystander({}, async (edge) => {
    const ws = await edge.rawConnected();
    const sid = JSON.parse(ws.got[0].slice(1)).sid;
    const second = edge.raw(`EIO=4&transport=websocket&sid=${sid}`);
    await until('refused', () => second.refused);
    assert.equal((await edge.request(`${polling}&sid=${sid}`)).status, 400);
    const id = JSON.parse((await edge.request(polling)).body.slice(1)).sid;
    const probe = edge.raw(`EIO=4&transport=websocket&sid=${id}`);
    await until('open', () => probe.readyState === 1);
    const third = edge.raw(`EIO=4&transport=websocket&sid=${id}`);
    await until('refused', () => third.refused);
    probe.send('5');
    await until('no upgrade without a probe', () => probe.code);
    const again = edge.raw(`EIO=4&transport=websocket&sid=${id}`);
    await until('open', () => again.readyState === 1);
    again.send('2probe');
    await again.has('3probe');
    again.send('5');
    again.send('40');
    await again.has('42');
  });
});
