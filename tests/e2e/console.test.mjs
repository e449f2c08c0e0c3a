// The operator's console against a real call: what it shows, what it follows, and the packets of one stream.
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import fs from 'node:fs';
import path from 'node:path';
import { after, before, test } from 'node:test';
import { Althing, buildDir, outDir, until } from './lib/althing.mjs';
import { launch, Person } from './lib/browser.mjs';

let althing, browser, ada, bo;

before(async () => {
	fs.mkdirSync(outDir, { recursive: true });
	althing = await Althing.start();
	browser = await launch();
	ada = await Person.join(browser, althing, 'console', 'Ada');
	bo = await Person.join(browser, althing, 'console', 'Bo');
	for (const p of [ada, bo]) await p.decodesVideo(1);
});

after(async () => {
	await browser?.close();
	await althing?.stop();
});

function ctl(...args) {
	return new Promise((resolve, reject) => {
		const child = spawn(path.join(buildDir, 'observer/althingctl'), ['--socket', althing.observerPath, ...args],
			{ stdio: ['ignore', 'pipe', 'pipe'], env: { ...process.env, LC_ALL: 'C.UTF-8' } });
		let out = '', err = '';
		child.stdout.on('data', (chunk) => (out += chunk));
		child.stderr.on('data', (chunk) => (err += chunk));
		child.on('error', reject);
		child.on('close', (code) => resolve({ code, out, err }));
	});
}

const json = async (...args) => JSON.parse((await ctl('--json', ...args)).out);
const lines = (text) => text.trim().split('\n').filter(Boolean).map((line) => JSON.parse(line));

test('it shows who is there and how they are', async () => {
	assert.equal((await ctl('stats')).out, 'rooms:1\npeers:2\n');
	const tree = (await ctl('tree', 'console')).out;
	assert.match(tree, /^console {2}2 peers/);
	assert.match(tree, /> webcam VP8/);
	assert.match(tree, /< webcam of (Ada|Bo) VP8 {2}[\d.]+[kM]?bit\/s {2}loss 0%/);
	assert.match((await ctl('list', 'transports')).out, /completed +connected +[\d.]+:\d+/);
	assert.ok(Array.isArray(await json('bad')));
	assert.equal((await ctl('tree', 'nowhere')).code, 1);
	assert.equal(Object.keys(await json('usage')).length, 3);
});

test('the commands that operators know print the latest object', async () => {
	for (const [command, title] of [['dt', 'transport.dump'], ['dp', 'producer.dump'], ['dc', 'consumer.dump'], ['dr', 'router.dump'],
		['st', 'transport.getStats'], ['sp', 'producer.getStats'], ['sc', 'consumer.getStats']]) {
		const { code, out } = await ctl(command);
		assert.equal(code, 0, command);
		assert.ok(out.startsWith(`${title}():\n`), out.slice(0, 80));
		JSON.parse(out.slice(out.indexOf('\n')));
	}
	const missing = await ctl('dp', 'nobody');
	assert.equal(missing.code, 1);
	assert.match(missing.err, /ERROR: Producer not found/);
});

test('a trace of a sender: key frames, requests for them, its packets', async () => {
	const [producer] = (await json('list', 'producers')).filter((p) => p.kind === 'video' && !p.paused);
	const { code, out, err } = await ctl('--json', 'trace', producer.producerId, '--seconds', '4', '--types', 'rtp,keyframe,pli,sr,nack');
	assert.equal(code, 0, err);
	const events = lines(out);
	const end = events.pop();
	assert.equal(end.event, 'traceEnd');
	assert.equal(end.reason, 'time over');
	assert.equal(end.records, events.length);
	const rtp = events.filter((e) => e.type === 'rtp');
	assert.ok(rtp.length > 50, `${rtp.length} packets`);
	const ssrcs = new Set(producer.streams.map((s) => s.ssrc));
	for (const e of rtp) {
		assert.equal(e.direction, 'in');
		assert.equal(e.id, producer.producerId);
		assert.ok(ssrcs.has(e.info.ssrc));
	}
	assert.ok(Math.abs(rtp[0].time - Date.now() / 1000) < 30);
	assert.ok(events.some((e) => e.type === 'sr' && e.info.ntpSec > 3900000000));
});

test('a key frame that a new viewer asks for is seen', async () => {
	const [producer] = (await json('list', 'producers')).filter((p) => p.kind === 'video' && !p.paused);
	const traced = ctl('--json', 'trace', producer.producerId, '--seconds', '20', '--types', 'keyframe,pli');
	await until('the trace is on', () => /request=.*trace/.test(althing.logText()));
	const cy = await Person.join(browser, althing, 'console', 'Cy');
	await cy.decodesVideo(1);
	const events = lines((await traced).out);
	await cy.page.close();
	assert.ok(events.some((e) => e.type === 'pli' && e.direction === 'out'), 'asked');
	assert.ok(events.some((e) => e.type === 'keyframe' && e.direction === 'in' && e.info.isKeyFrame), 'came');
});

test('a capture has headers and no payload', async () => {
	const [transport] = (await json('list', 'transports')).filter((t) => t.direction === 'recv' && t.iceState === 'completed');
	const file = path.join(outDir, `call-${process.pid}.pcap`);
	const { code, err } = await ctl('trace', transport.transportId, '--seconds', '2', '--pcap', file);
	assert.equal(code, 0, err);
	const bytes = fs.readFileSync(file);
	assert.equal(fs.statSync(file).size > 1000, true);
	assert.equal(bytes.readUInt32LE(0), 0xa1b2c3d4);
	assert.equal(bytes.readUInt32LE(20), 101);
	let rtp = 0, rtcp = 0;
	for (let at = 24; at < bytes.length;) {
		const there = bytes.readUInt32LE(at + 8), was = bytes.readUInt32LE(at + 12);
		const ip = bytes.subarray(at + 16, at + 16 + there);
		assert.equal(ip[0], 0x45);
		assert.equal(ip.readUInt16BE(2), was);
		const udp = ip.subarray(20), packet = udp.subarray(8);
		assert.equal(packet[0] >> 6, 2);
		if (packet[1] >= 200 && packet[1] <= 207) {
			rtcp++;
		} else {
			rtp++;
			const extension = packet[0] & 0x10 ? 4 + 4 * packet.readUInt16BE(14) : 0;
			assert.equal(packet.length, 12 + extension);
			assert.ok(was > there);
		}
		at += 16 + there;
	}
	assert.ok(rtp > 20 && rtcp > 0, `${rtp} RTP, ${rtcp} RTCP`);
	assert.equal((await ctl('trace', transport.transportId, '--pcap', file)).code, 1, 'it is not written over');
	fs.unlinkSync(file);
});

test('log tags reach the workers', async () => {
	assert.equal((await ctl('logTags', 'ice', 'dtls')).code, 0);
	const dee = await Person.join(browser, althing, 'console', 'Dee');
	await until('a worker says so', () => /althing-worker\[\d+\] info ice: state transport=\d+ state=completed/.test(althing.logText()));
	assert.equal((await ctl('logTags')).code, 0);
	await dee.page.close();
});

test('it sends people away', async () => {
	assert.equal((await ctl('kick', 'console', 'Zoe')).code, 1);
	assert.equal((await ctl('kick', 'console', 'Bo')).code, 0);
	await until('Bo is gone', async () => !/Bo/.test((await ctl('list', 'peers')).out));
	assert.equal((await ctl('close-room', 'console')).code, 0);
});
