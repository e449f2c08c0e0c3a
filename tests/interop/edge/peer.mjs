// What the tests share: a certificate, an edge_echo process, and ways to talk to it.
import { spawn, execFileSync } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import https from 'node:https';
import http from 'node:http';
import { tmpdir } from 'node:os';
import { dirname, join, resolve } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';

const here = dirname(fileURLToPath(import.meta.url));
if (!existsSync(join(here, 'node_modules', 'socket.io-client'))) {
  console.error('tests/interop/edge: node_modules is missing, run `npm ci` there');
  process.exit(1);
}
export const { io } = await import('socket.io-client');
export const { WebSocket } = await import('ws');

const program = process.argv[2] && resolve(process.argv[2]);
const folder = mkdtempSync(join(tmpdir(), 'edge-'));
process.on('exit', () => rmSync(folder, { recursive: true, force: true }));

function certificate(name, ...extra) {
  const files = { cert: join(folder, `${name}.crt`), key: join(folder, `${name}.key`) };
  execFileSync('openssl', ['req', '-x509', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-nodes',
    '-keyout', files.key, '-out', files.cert, '-days', '2', '-subj', '/CN=localhost', ...extra], { stdio: 'ignore' });
  return files;
}
export const pair = certificate('edge', '-addext', 'subjectAltName=DNS:localhost,IP:127.0.0.1');
export const ca = readFileSync(pair.cert);
export const temporary = folder;

export const sleep = (ms) => new Promise((resolve) => setTimeout(resolve, ms));

export async function until(what, condition, ms = 5000) {
  for (const end = Date.now() + ms; ;) {
    const value = condition();
    if (value)
      return value;
    if (Date.now() > end)
      throw new Error(`timed out: ${what}`);
    await sleep(10);
  }
}

export class Edge {
  lines = [];

  static async start(options = {}) {
    const edge = new Edge();
    edge.tls = options.tls !== false;
    const args = Object.entries(options).filter(([name]) => name !== 'tls').map(([k, v]) => `${k}=${v}`);
    if (edge.tls)
      args.push(`cert=${pair.cert}`, `key=${pair.key}`);
    // A sanitizer that keeps what was freed would make the memory tests meaningless.
    const env = { ...process.env, ASAN_OPTIONS: `quarantine_size_mb=1:${process.env.ASAN_OPTIONS ?? ''}` };
    edge.child = spawn(program, args, { stdio: ['pipe', 'pipe', 'inherit'], env });
    createInterface({ input: edge.child.stdout }).on('line', (line) => edge.lines.push(line));
    const ready = await until('the server starts',
      () => edge.lines.find((l) => l.startsWith('ready')) ?? (edge.child.exitCode !== null && 'gone'), 20000);
    [edge.port, edge.redirectPort] = ready.split(' ').slice(1).map(Number);
    edge.url = `${edge.tls ? 'https' : 'http'}://localhost:${edge.port}`;
    edge.wsUrl = edge.url.replace('http', 'ws');
    return edge;
  }

  closed(reason, ms) {
    return until(`closed ${reason}`, () => this.lines.includes(`closed ${reason}`), ms);
  }

  memoryKb() {
    return Number(/VmRSS:\s+(\d+)/.exec(readFileSync(`/proc/${this.child.pid}/status`, 'utf8'))[1]);
  }

  cpuMs() {
    const fields = readFileSync(`/proc/${this.child.pid}/stat`, 'utf8').split(' ');
    return (Number(fields[13]) + Number(fields[14])) * 10;
  }

  // Ends it, insists on a clean end, and gives its counters.
  async stop() {
    this.child.stdin.end();
    const impatient = setTimeout(() => this.child.kill('SIGABRT'), 20000);
    if (this.child.exitCode === null && this.child.signalCode === null)
      await once(this.child, 'exit');
    clearTimeout(impatient);
    if (this.child.exitCode !== 0 || !this.lines.includes('end clean')) {
      throw new Error(`edge_echo did not end cleanly: ${this.child.exitCode} ${this.child.signalCode} ${this.lines.at(-1)}`);
    }
    return JSON.parse(this.lines.find((l) => l.startsWith('counters')).slice(9));
  }

  client(options = {}) {
    const { query, ...rest } = options;
    return io(this.url, { forceNew: true, reconnection: false, transports: ['websocket'], ca,
      query: { roomId: 'Room A/ü', peerId: 'p1', ...query }, ...rest });
  }

  // A raw Engine.IO WebSocket, with its messages in `got` and its close code in `code`.
  raw(query = 'EIO=4&transport=websocket', options = {}) {
    const ws = new WebSocket(`${this.wsUrl}/socket.io/?${query}`, { ca, ...options });
    ws.got = [];
    ws.on('message', (data) => ws.got.push(data.toString()));
    ws.on('close', (code) => { ws.code = code; });
    ws.on('error', (error) => { ws.error = error; });
    ws.on('unexpected-response', (request, response) => {
      let body = '';
      response.on('data', (d) => { body += d; }).on('end', () => {
        ws.refused = { status: response.statusCode, body };
        request.destroy();
      });
    });
    ws.has = (start, ms) => until(`a frame ${start}`, () => ws.got.find((m) => m.startsWith(start)), ms);
    return ws;
  }

  async rawConnected(query, options) {
    const ws = this.raw(query, options);
    await ws.has('0{');
    ws.send('40');
    await ws.has('40{');
    await ws.has('42["notification",{"method":"hello"');
    return ws;
  }

  // One HTTP request: { status, headers, body }.
  request(path, { method = 'GET', headers = {}, body, port = this.port, tls = this.tls, agent, timeout = 10000 } = {}) {
    return new Promise((resolve, reject) => {
      const request = (tls ? https : http).request({ host: '127.0.0.1', servername: 'localhost', port, path, method,
        headers: { Host: `localhost:${port}`, ...headers }, ca, agent, timeout }, (response) => {
        const parts = [];
        response.on('data', (d) => parts.push(d));
        response.on('end', () => resolve({ status: response.statusCode, headers: response.headers,
          body: Buffer.concat(parts).toString() }));
        response.on('error', reject);
      });
      request.on('error', reject);
      request.on('timeout', () => request.destroy(new Error('request timed out')));
      request.end(body);
    });
  }
}

export function ask(socket, method, data, ms = 5000) {
  return new Promise((resolve, reject) => {
    socket.timeout(ms).emit('request', { method, data }, (late, error, result) =>
      (late ? reject(late) : resolve([error, result])));
  });
}

export function notified(socket, method, ms = 5000) {
  return new Promise((resolve, reject) => {
    const timer = setTimeout(() => reject(new Error(`no notification ${method}`)), ms);
    socket.on('notification', function take(message) {
      if (message.method !== method)
        return;
      clearTimeout(timer);
      socket.off('notification', take);
      resolve(message.data);
    });
  });
}

export function connected(socket, ms = 10000) {
  return new Promise((resolve, reject) => {
    const timer = setTimeout(() => reject(new Error('not connected')), ms);
    socket.once('connect', () => { clearTimeout(timer); resolve(); });
    socket.once('connect_error', (error) => { clearTimeout(timer); reject(error); });
  });
}

export function disconnected(socket, ms = 10000) {
  return new Promise((resolve, reject) => {
    const timer = setTimeout(() => reject(new Error('not disconnected')), ms);
    socket.once('disconnect', (reason) => { clearTimeout(timer); resolve(reason); });
  });
}
