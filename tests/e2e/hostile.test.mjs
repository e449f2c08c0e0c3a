// What strangers send, while two people talk: no crash, no leak, and nobody in the call notices.
import assert from 'node:assert/strict';
import crypto from 'node:crypto';
import dgram from 'node:dgram';
import fs from 'node:fs';
import net from 'node:net';
import tls from 'node:tls';
import { after, before, test } from 'node:test';
import { Althing, sleep, until } from './lib/althing.mjs';
import { launch, Person } from './lib/browser.mjs';

let althing, browser, ada, bo, pids;

before(async () => {
	althing = await Althing.start({ workers: 1 });
	browser = await launch();
	ada = await Person.join(browser, althing, 'hostile', 'Ada');
	bo = await Person.join(browser, althing, 'hostile', 'Bo');
	await ada.decodesVideo(1);
	await bo.decodesVideo(1);
	pids = programs();
});

after(async () => {
	await browser?.close();
	await althing?.stop();
});

const programs = () => ['althing-worker', 'althing-server'].flatMap((name) => althing.pids(name)).sort();
const memoryKb = (pid) => Number(/VmRSS:\s+(\d+)/.exec(fs.readFileSync(`/proc/${pid}/status`, 'utf8'))[1]);
const reconnects = (p) => p.page.evaluate(() => window.peerConnections.length);

/** Runs `attack` and then asks: same processes, same peer connections, media goes on. */
async function undisturbed(attack) {
	const before = await Promise.all([ada, bo].map(reconnects));
	await attack();
	assert.deepEqual(programs(), pids, 'no program was restarted');
	for (const p of [ada, bo]) {
		await p.decodesVideo(1);
		await p.hearsAudio(1);
	}
	assert.deepEqual(await Promise.all([ada, bo].map(reconnects)), before, 'nobody had to connect again');
}

/** Sends datagrams from a socket of its own; returns how many bytes came back for how many sent. */
async function datagrams(list) {
	const socket = dgram.createSocket('udp4');
	let back = 0;
	let sent = 0;
	socket.on('message', (m) => (back += m.length));
	for (const d of list) {
		sent += d.length;
		await new Promise((resolve) => socket.send(d, althing.mediaPort, '127.0.0.1', resolve));
	}
	await sleep(300);
	socket.close();
	return { back, sent };
}

function stun(attributes = Buffer.alloc(0), { type = 1, length = attributes.length } = {}) {
	const header = Buffer.alloc(20);
	header.writeUInt16BE(type, 0);
	header.writeUInt16BE(length, 2);
	header.writeUInt32BE(0x2112a442, 4);
	crypto.randomFillSync(header, 8, 12);
	return Buffer.concat([header, attributes]);
}

function attribute(type, value) {
	const head = Buffer.alloc(4);
	head.writeUInt16BE(type, 0);
	head.writeUInt16BE(value.length, 2);
	return Buffer.concat([head, value, Buffer.alloc((4 - (value.length % 4)) % 4)]);
}

test('random and truncated datagrams of each kind', async () => {
	await undisturbed(async () => {
		const firsts = [0, 1, 3, 20, 22, 23, 63, 64, 79, 127, 128, 144, 191, 192, 255];
		const list = [];
		for (let i = 0; i < 3000; i++) {
			const d = crypto.randomBytes(i % 3 ? crypto.randomInt(1, 1500) : crypto.randomInt(1, 60));
			d[0] = firsts[i % firsts.length];
			list.push(d);
		}
		list.push(Buffer.alloc(0), Buffer.alloc(9000, 0x80));
		const { back } = await datagrams(list);
		assert.equal(back, 0, 'strangers get no answer');
	});
});

test('STUN with a wrong key, an unknown user, broken lengths', async () => {
	const username = Buffer.from('abcdefgh:ijklmnop');
	await undisturbed(async () => {
		const list = [];
		for (let i = 0; i < 500; i++) {
			const good = Buffer.concat([attribute(0x0006, username), attribute(0x0024, Buffer.alloc(4, 1)), attribute(0x802a, crypto.randomBytes(8)),
				attribute(0x0008, crypto.randomBytes(20)), attribute(0x8028, crypto.randomBytes(4))]);
			list.push(stun(good), stun(good, { length: good.length + 1 }), stun(good.subarray(0, i % good.length), { length: good.length }),
				stun(), stun(good, { type: 0x0101 }), stun(good, { type: 0x0003 }));
		}
		const { back, sent } = await datagrams(list);
		assert.ok(back <= sent, `no amplification: ${back} bytes for ${sent}`);
	});
});

test('DTLS and RTP in the clear from an address that ICE has not validated', async () => {
	await undisturbed(async () => {
		const hello = Buffer.concat([Buffer.from([22, 254, 253, 0, 0, 0, 0, 0, 0, 0, 0, 0, 60, 1]), crypto.randomBytes(59)]);
		const rtp = Buffer.concat([Buffer.from([0x80, 96]), crypto.randomBytes(1000)]);
		const rtcp = Buffer.concat([Buffer.from([0x81, 201, 0, 7]), crypto.randomBytes(28)]);
		const list = Array.from({ length: 900 }, (_, i) => [hello, rtp, rtcp][i % 3]);
		assert.equal((await datagrams(list)).back, 0);
	});
});

test('TCP to the media port: silence, garbage, endless frames', async () => {
	await undisturbed(async () => {
		const sockets = [];
		for (let i = 0; i < 60; i++) {
			const s = net.connect(althing.mediaPort, '127.0.0.1');
			s.on('error', () => {});
			if (i % 3 === 1) s.write(crypto.randomBytes(20000));
			if (i % 3 === 2) s.write(Buffer.from([255, 255, 1]));
			sockets.push(s);
		}
		await sleep(1500);
		sockets.forEach((s) => s.destroy());
	});
});

/** A WebSocket by hand, so that it can be wrong in every way. */
function webSocket(query = 'roomId=hostile&peerId=mallory&reconnectKey=k', origin = althing.url) {
	return new Promise((resolve, reject) => {
		const socket = tls.connect({ port: althing.port, host: '127.0.0.1', rejectUnauthorized: false, ALPNProtocols: ['http/1.1'] }, () => {
			socket.write(`GET /socket.io/?${query}&EIO=4&transport=websocket HTTP/1.1\r\nHost: 127.0.0.1:${althing.port}\r\nUpgrade: websocket\r\n`
				+ `Connection: Upgrade\r\nOrigin: ${origin}\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: ${crypto.randomBytes(16).toString('base64')}\r\n\r\n`);
		});
		socket.once('data', (d) => resolve({ socket, head: d.toString('latin1') }));
		socket.on('error', reject);
		socket.setTimeout(10000, () => socket.destroy(new Error('timeout')));
	});
}

function frame(payload, { opcode = 1, fin = true, mask = true, length } = {}) {
	const body = Buffer.from(payload);
	const n = length ?? body.length;
	const head = n < 126 ? Buffer.alloc(2) : n < 65536 ? Buffer.alloc(4) : Buffer.alloc(10);
	head[0] = (fin ? 0x80 : 0) | opcode;
	if (n < 126) head[1] = n;
	else if (n < 65536) {
		head[1] = 126;
		head.writeUInt16BE(n, 2);
	} else {
		head[1] = 127;
		head.writeBigUInt64BE(BigInt(n), 2);
	}
	if (!mask) return Buffer.concat([head, body]);
	head[1] |= 0x80;
	const key = crypto.randomBytes(4);
	for (let i = 0; i < body.length; i++) body[i] ^= key[i % 4];
	return Buffer.concat([head, key, body]);
}

const closed = (socket, ms = 15000) => new Promise((resolve, reject) => {
	const timer = setTimeout(() => reject(new Error('the server did not close')), ms);
	socket.on('error', () => {});
	socket.on('close', () => {
		clearTimeout(timer);
		resolve();
	});
	socket.resume();
});

test('a WebSocket from another origin is refused', async () => {
	const { socket, head } = await webSocket(undefined, 'https://evil.example');
	assert.match(head, /^HTTP\/1\.1 403/);
	socket.destroy();
});

test('a WebSocket that sends garbage is closed', async () => {
	await undisturbed(async () => {
		for (const bytes of [crypto.randomBytes(4000), frame('hello', { mask: false }), frame('x', { opcode: 0xb }), frame(Buffer.from([0xff, 0xfe, 0xfd]))]) {
			const { socket, head } = await webSocket();
			assert.match(head, /^HTTP\/1\.1 101/);
			const end = closed(socket);
			socket.write(bytes);
			await end;
		}
	});
});

test('100 MB, deep JSON, duplicate keys, no JSON at all', async () => {
	await undisturbed(async () => {
		const server = althing.pids('althing-server')[0];
		const before = memoryKb(server);
		const big = await webSocket();
		const end = closed(big.socket, 30000);
		big.socket.write(frame(Buffer.alloc(0), { length: 100e6 }));
		const chunk = Buffer.alloc(1 << 20, 0x41);
		for (let i = 0; i < 100 && !big.socket.destroyed; i++) {
			await new Promise((resolve) => (big.socket.write(chunk) ? resolve() : setTimeout(resolve, 20)));
		}
		await end;
		assert.ok(memoryKb(server) - before < 60000, `memory stays bounded: ${before} kB before, ${memoryKb(server)} kB after`);

		const deep = `420["request",{"method":"join","data":${'['.repeat(100000)}${']'.repeat(100000)}}]`;
		for (const text of [deep, '420["request",{"method":"join","method":"leave"}]', '42not json', '420["request",', '4', '', '9', '42[1]', '420["request",{"method":5}]', '499999999999999999999["request",{}]']) {
			const { socket } = await webSocket();
			socket.on('error', () => {});
			socket.resume();
			socket.write(frame('40'));
			socket.write(frame(text));
			await sleep(150);
			socket.destroy();
		}
	});
});

test('a WebSocket that says nothing is closed in the end, and many of them harm nobody', async () => {
	await undisturbed(async () => {
		const list = [];
		for (let i = 0; i < 40; i++) list.push(await webSocket());
		await sleep(1000);
		for (const { socket } of list) socket.destroy();
	});
});

test('a flood of requests ends the one who sends it', async () => {
	await undisturbed(async () => {
		const { socket } = await webSocket();
		const end = closed(socket, 30000);
		socket.write(frame('40'));
		for (let i = 0; i < 20000 && !socket.destroyed; i++) {
			socket.write(frame(`42${i}["request",{"method":"chatMessage","data":{"text":"x","sessionId":"y"}}]`));
			if (i % 500 === 0) await sleep(10);
		}
		await end;
	});
});

test('nobody but the two is in the room afterwards', async () => {
	await until('two people are left', async () => /^edumeet_peers\{room_id="hostile"\} 2$/m.test((await althing.metrics()).body), 20000);
});
