// Static files, what is refused, headers, the redirect, TLS.
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { mkdirSync, writeFileSync } from 'node:fs';
import https from 'node:https';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import tls from 'node:tls';
import { Edge, ca, sleep, temporary, until } from './peer.mjs';

const folder = join(temporary, 'www');
const big = Buffer.alloc(3 << 20, 'big file ').toString();
let edge;

before(async () => {
  mkdirSync(join(folder, 'assets'), { recursive: true });
  for (const [name, text] of [['index.html', '<!doctype html>'], ['assets/index-1a2b.js', 'export {};'], ['a.mjs', '1'],
    ['a.css', 'a{}'], ['a.wasm', 'wasm'], ['a.svg', '<svg/>'], ['a.json', '{}'], ['a.woff2', 'w'], ['a.js.map', '{}'],
    ['a.ico', 'i'], ['a.png', 'p'], ['a.tflite', 't'], ['a.webmanifest', '{}'], ['big.json', big], ['.hidden', 'no'],
    ['räume.txt', 'ü']])
    writeFileSync(join(folder, name), text);
  edge = await Edge.start({ static: folder });
});
after(() => edge.stop());

test('files have their types', async () => {
  for (const [path, type] of [['/index.html', 'text/html; charset=utf-8'], ['/', 'text/html; charset=utf-8'],
    ['/assets/index-1a2b.js', 'text/javascript; charset=utf-8'], ['/a.mjs', 'text/javascript; charset=utf-8'],
    ['/a.css', 'text/css; charset=utf-8'], ['/a.wasm', 'application/wasm'], ['/a.svg', 'image/svg+xml'],
    ['/a.json', 'application/json'], ['/a.woff2', 'font/woff2'], ['/a.js.map', 'application/json'],
    ['/a.ico', 'image/x-icon'], ['/a.png', 'image/png'], ['/a.tflite', 'application/octet-stream'],
    ['/a.webmanifest', 'application/manifest+json'], ['/r%C3%A4ume.txt', 'text/plain; charset=utf-8'],
    ['/config/config.js', 'text/javascript; charset=utf-8']]) {
    const r = await edge.request(path);
    assert.equal(r.status, 200, path);
    assert.equal(r.headers['content-type'], type, path);
    assert.equal(Number(r.headers['content-length']), Buffer.byteLength(r.body));
  }
  assert.equal((await edge.request('/config/config.js')).body, 'var config = {};\n');
});

test('caching', async () => {
  const asset = await edge.request('/assets/index-1a2b.js');
  assert.match(asset.headers['cache-control'], /max-age=31536000, immutable/);
  const index = await edge.request('/');
  assert.equal(index.headers['cache-control'], 'no-cache');
  const again = await edge.request('/', { headers: { 'If-None-Match': index.headers.etag } });
  assert.equal(again.status, 304);
  assert.equal(again.body, '');
  assert.equal((await edge.request('/', { headers: { 'If-None-Match': '"other"' } })).status, 200);
});

test('paths without an extension are the application, the others are missing', async () => {
  for (const path of ['/room', '/room/', '/a/b/c', '/Raum%20%C3%BC', '/room?displayName=x', '/etc/passwd'])
    assert.equal((await edge.request(path)).body, '<!doctype html>', path);
  for (const path of ['/none.js', '/assets/none.css', '/.hidden', '/socket.io/socket.io.js', '/favicon.gif'])
    assert.equal((await edge.request(path)).status, 404, path);
});

test('no path leads out of the folder', async () => {
  for (const path of ['/../../../../etc/passwd', '/..%2f..%2f..%2fetc/passwd', '/%2e%2e/%2e%2e/etc/passwd', '/assets/..\\..\\x',
    '/assets/%5c..%5cetc/passwd', '/..%00/x', '/%c0%ae%c0%ae/x', '/....//....//etc/passwd', '/assets/../../../etc/passwd',
    '/%', '/%zz', '/%2', '//etc/passwd', '/a%0d%0aSet-Cookie:x=1', '/.', '/..', '/assets/..']) {
    const r = await edge.request(path).catch((error) => ({ status: 0, body: '', error }));
    assert.ok([0, 400, 403, 404].includes(r.status) || r.body === '<!doctype html>', `${path} ${r.status}`);
    assert.ok(!/root:/.test(r.body) && !r.headers?.['set-cookie'], path);
  }
  assert.equal((await edge.request('/')).status, 200);
});

test('methods', async () => {
  const head = await edge.request('/a.json', { method: 'HEAD' });
  assert.deepEqual([head.status, head.headers['content-length'], head.body], [200, '2', '']);
  assert.equal((await edge.request('/none.js', { method: 'HEAD' })).status, 404);
  for (const method of ['PUT', 'DELETE', 'POST', 'PATCH', 'OPTIONS']) {
    const r = await edge.request('/index.html', { method, headers: { 'Content-Length': 0 } });
    assert.equal(r.status, 405, method);
    assert.equal(r.headers.allow, 'GET, HEAD');
  }
});

test('a large file, keep-alive, and many requests on one connection', async () => {
  const agent = new https.Agent({ keepAlive: true, maxSockets: 1 });
  for (let i = 0; i < 5; i++) {
    assert.equal((await edge.request('/big.json', { agent })).body, big);
    assert.equal((await edge.request('/a.json', { agent })).body, '{}');
    assert.equal((await edge.request('/a.json', { agent, method: 'HEAD' })).body, '');
    assert.equal((await edge.request('/a.json', { agent, headers: { 'If-None-Match': '"x"' } })).status, 200);
  }
  const waiting = Array.from({ length: 30 }, () => edge.request('/big.json'));
  for (const r of await Promise.all(waiting))
    assert.equal(r.body.length, big.length);
  agent.destroy();
});

function talk(text, { port = edge.port, ms = 3000, end = false, secure = true } = {}) {
  return new Promise((resolve) => {
    let got = '';
    const socket = tls.connect({ port, host: '127.0.0.1', servername: 'localhost', ca, secure }, () => {
      socket.write(text);
      if (end)
        socket.end();
    });
    const timer = setTimeout(() => socket.destroy(), ms);
    socket.on('data', (d) => { got += d; });
    socket.on('error', () => {});
    socket.on('close', () => { clearTimeout(timer); resolve(got); });
  });
}

test('requests that are none', async () => {
  const host = 'Host: localhost\r\n';
  for (const [text, answer] of [
    ['CONNECT evil.org:443 HTTP/1.1\r\nHost: evil.org\r\n\r\n', /^$/],
    ['PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n', /^(HTTP\/1.[01] 4\d\d|$)/],
    [`GET / HTTP/1.1\r\n${host}Connection: Upgrade, HTTP2-Settings\r\nUpgrade: h2c\r\nHTTP2-Settings: AAMAAABkAAQAAP__\r\n\r\n`, /^$/],
    [`GET / HTTP/1.1\r\n${host}Connection: Upgrade\r\nUpgrade: tls/1.0\r\n\r\n`, /^HTTP\/1.[01] 403|^$/],
    [`POST /socket.io/?EIO=4&transport=polling HTTP/1.1\r\n${host}Transfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\n\r\n`, /^HTTP\/1.1 400/],
    [`GET / HTTP/1.1\r\n${host}Content-Length: 5\r\n\r\nhello`, /^HTTP\/1.1 400/],
    [`POST /socket.io/?EIO=4&transport=polling&sid=x HTTP/1.1\r\n${host}Content-Length: -5\r\n\r\n`, /^HTTP\/1.1 400/],
    [`GET /\0 HTTP/1.1\r\n${host}\r\n`, /^(HTTP\/1.1 (4\d\d|200)|$)/],
    ['\0\0\0\0\r\n\r\n', /^(HTTP\/1.[01] 4\d\d|$)/],
    [`GET /${'a'.repeat(40000)} HTTP/1.1\r\n${host}\r\n`, /^(HTTP\/1.[01] 4\d\d|$)/],
    [`GET /?${'a&'.repeat(5000)} HTTP/1.1\r\n${host}\r\n`, /^HTTP\/1.1 [24]\d\d|^$/],
    [`GET / HTTP/1.1\r\n${host}X: ${'b'.repeat(60000)}\r\n\r\n`, /^(HTTP\/1.1 [24]\d\d|$)/],
    [`GET / HTTP/1.1\r\n${host}${Array.from({ length: 500 }, (_, i) => `X-${i}: y\r\n`).join('')}\r\n`, /^(HTTP\/1.1 [24]\d\d|$)/],
  ])
    assert.match(await talk(text, { ms: 1000 }), answer, text.slice(0, 60));
  assert.match(await talk(`GET /a.json HTTP/1.0\r\n${host}\r\n`), /^HTTP\/1.1 200 [^]*\{\}$/);
  const pipelined = await talk(`GET /a.json HTTP/1.1\r\n${host}\r\nGET /a.css HTTP/1.1\r\n${host}Connection: close\r\n\r\n`);
  assert.match(pipelined, /\{\}HTTP\/1.1 200 OK[^]*a\{\}$/);
  assert.equal((await edge.request('/')).status, 200);
});

test('headers for safety', async () => {
  const r = await edge.request('/', { headers: { Host: 'meet.example.org' } });
  assert.equal(r.headers['x-content-type-options'], 'nosniff');
  assert.ok(r.headers['referrer-policy']);
  assert.match(r.headers['content-security-policy'], /default-src 'self'.*connect-src [^;]*wss:\/\/meet\.example\.org/);
  assert.match(r.headers['strict-transport-security'], /max-age=\d+/);
  for (const host of ['localhost', 'localhost:8443', '127.0.0.1', '[::1]:8443', 'bad host'])
    assert.equal((await edge.request('/', { headers: { Host: host } })).headers['strict-transport-security'], undefined, host);
  const plain = await Edge.start({ tls: false });
  assert.equal((await plain.request('/config/config.js', { headers: { Host: 'meet.example.org' } }))
    .headers['strict-transport-security'], undefined);
  await plain.stop();
  const behind = await Edge.start({ tls: false, proxy: 1 });
  assert.ok((await behind.request('/config/config.js', { headers: { Host: 'inner', 'X-Forwarded-Host': 'meet.example.org',
    'X-Forwarded-Proto': 'https' } })).headers['strict-transport-security']);
  await behind.stop();
});

test('the plain port redirects, to here only', async () => {
  const other = await Edge.start({ public_port: 8443 });
  const to = (path, host, method = 'GET') =>
    other.request(path, { port: other.redirectPort, tls: false, method, headers: { Host: host, 'Content-Length': 0 } });
  for (const [path, host, location] of [['/', 'example.org', 'https://example.org:8443/'],
    ['/Raum%20%C3%BC/x?a=1&b=%26%20c', 'example.org:8080', 'https://example.org:8443/Raum%20%C3%BC/x?a=1&b=%26%20c'],
    ['/', '[::1]:80', 'https://[::1]:8443/'], ['//evil.org/', 'example.org', 'https://example.org:8443/evil.org/']]) {
    const r = await to(path, host);
    assert.equal(r.status, 302);
    assert.equal(r.headers.location, location);
    assert.equal(r.headers['strict-transport-security'], undefined);
  }
  assert.equal((await to('/x', 'example.org', 'POST')).status, 308);
  for (const host of ['evil.org/x', 'a@evil.org', 'a b', 'evil.org:99999', 'a?b'])
    assert.equal((await to('/', host)).status, 400, `host ${host}`);
  await other.stop();
  const usual = await Edge.start();
  const r = await usual.request('/a', { port: usual.redirectPort, tls: false, headers: { Host: 'example.org' } });
  assert.equal(r.headers.location, 'https://example.org/a');
  await usual.stop();
});

test('TLS 1.2 and up, forward secret suites, no renegotiation of ALPN', async () => {
  const connect = (options) => new Promise((resolve) => {
    const socket = tls.connect({ port: edge.port, host: '127.0.0.1', servername: 'localhost', ca, ...options }, () => {
      resolve({ protocol: socket.getProtocol(), cipher: socket.getCipher().name, alpn: socket.alpnProtocol });
      socket.destroy();
    });
    socket.on('error', (error) => resolve({ error: error.code }));
  });
  assert.equal((await connect({})).protocol, 'TLSv1.3');
  assert.equal((await connect({ maxVersion: 'TLSv1.2' })).protocol, 'TLSv1.2');
  assert.ok((await connect({ minVersion: 'TLSv1', maxVersion: 'TLSv1.1', ciphers: 'DEFAULT@SECLEVEL=0' })).error);
  for (const ciphers of ['AES128-GCM-SHA256', 'ECDHE-ECDSA-AES128-SHA', 'ECDHE-ECDSA-AES128-SHA256'])
    assert.ok((await connect({ maxVersion: 'TLSv1.2', ciphers: `${ciphers}@SECLEVEL=0` })).error, ciphers);
  assert.equal((await connect({ ALPNProtocols: ['h2', 'http/1.1'] })).alpn, 'http/1.1');
  assert.equal((await connect({ servername: 'other.example.org', checkServerIdentity: () => undefined })).protocol, 'TLSv1.3');
  const out = execFileSync('sh', ['-c', `echo R | timeout 3 openssl s_client -connect 127.0.0.1:${edge.port} -tls1_2 2>&1 || true`]);
  assert.doesNotMatch(out.toString(), /Verify return code[^]*RENEGOTIATING[^]*Verify return code/);
});

test('slow headers and slow bodies are cut, others do not notice', async () => {
  const slow = await Edge.start({ handshake_ms: 500, static: folder });
  const gone = [];
  for (let i = 0; i < 50; i++) {
    const text = i % 2 ? 'GET / HTTP/1.1\r\nHost: loc' : '';
    let drip;
    const socket = tls.connect({ port: slow.port, host: '127.0.0.1', servername: 'localhost', ca }, () => {
      socket.write(text);
      drip = setInterval(() => socket.writable && text && socket.write('x'), 100);
    });
    socket.on('error', () => {});
    socket.on('close', () => { clearInterval(drip); gone.push(i); });
  }
  await sleep(200);
  assert.equal((await slow.request('/')).status, 200);
  await until('all are gone', () => gone.length === 50, 10000);
  const counters = await slow.stop();
  assert.ok(counters.timeouts >= 40, `${counters.timeouts}`);
});

test('who asks and does not read costs no time', async () => {
  const open = JSON.parse((await edge.request('/socket.io/?EIO=4&transport=polling')).body.slice(1));
  for (const path of ['/big.json', '/a.json', `/socket.io/?EIO=4&transport=polling&sid=${open.sid}`]) {
    const text = `GET ${path} HTTP/1.1\r\nHost: localhost\r\n\r\n`;
    const socket = tls.connect({ port: edge.port, host: '127.0.0.1', servername: 'localhost', ca }, () => {
      socket._handle.readStop();
      socket.write(text.repeat(path === '/a.json' ? 3000 : path === '/big.json' ? 50 : 1));
    });
    socket.on('error', () => {});
    const more = setInterval(() => socket.write(text), 50);
    await sleep(1500);
    const before = edge.cpuMs();
    await sleep(1000);
    const used = edge.cpuMs() - before;
    clearInterval(more);
    socket.destroy();
    assert.ok(used < 200, `${path} ${used} ms`);
  }
});
