// A real Prometheus scrapes a real call. What it makes of our numbers is what the browsers count.
import assert from 'node:assert/strict';
import { execFileSync, spawn } from 'node:child_process';
import fs from 'node:fs';
import net from 'node:net';
import os from 'node:os';
import path from 'node:path';
import { after, before, test } from 'node:test';
import { Althing, get, sleep, until } from './lib/althing.mjs';
import { launch, Person } from './lib/browser.mjs';

const has = (program) => process.env.PATH.split(':').some((folder) => fs.existsSync(path.join(folder, program)));
const skip = has('prometheus') ? false : 'no prometheus here';
const rooms = ['first', 'second', 'third'];
const people = [];
let althing, browser, prometheus;

async function freePort() {
	const server = net.createServer().listen(0, '127.0.0.1');
	await new Promise((resolve) => server.on('listening', resolve));
	const { port } = server.address();
	await new Promise((resolve) => server.close(resolve));
	return port;
}

class Prometheus {
	static async start(target) {
		const p = new Prometheus();
		p.dir = fs.mkdtempSync(path.join(os.tmpdir(), 'althing-prometheus-'));
		p.port = await freePort();
		const file = path.join(p.dir, 'prometheus.yml');
		fs.writeFileSync(file, JSON.stringify({
			global: { scrape_interval: '200ms', scrape_timeout: '200ms' },
			scrape_configs: [{ job_name: 'althing', static_configs: [{ targets: [target] }] }],
		}));
		const log = fs.openSync(path.join(p.dir, 'log'), 'a');
		p.process = spawn('prometheus', [`--config.file=${file}`, `--storage.tsdb.path=${p.dir}/data`, `--web.listen-address=127.0.0.1:${p.port}`],
			{ stdio: ['ignore', log, log] });
		fs.closeSync(log);
		p.exited = new Promise((resolve) => p.process.on('exit', resolve));
		await until('Prometheus is ready', async () => (await get(`http://127.0.0.1:${p.port}/-/ready`)).status === 200, 30000);
		return p;
	}

	async api(what, parameters = {}) {
		const answer = await get(`http://127.0.0.1:${this.port}/api/v1/${what}?${new URLSearchParams(parameters)}`);
		const body = JSON.parse(answer.body);
		assert.equal(body.status, 'success', answer.body);
		return body.data;
	}

	async query(query, time) {
		return (await this.api('query', { query, ...(time && { time }) })).result;
	}

	async stop() {
		this.process.kill('SIGTERM');
		await this.exited;
		fs.rmSync(this.dir, { recursive: true, force: true });
	}
}

before(async () => {
	if (skip) return;
	althing = await Althing.start();
	browser = await launch();
	prometheus = await Prometheus.start(`127.0.0.1:${althing.metricsPort}`);
	for (const room of rooms) {
		for (const name of [`${room} Ada`, `${room} Bo`]) {
			// Six cameras are much for a machine: the others are there to be heard.
			const query = room === 'first' ? { resolution: 'low' } : { video: 0 };
			const p = await Person.join(browser, althing, room, name, { viewport: { width: 480, height: 320 }, query });
			people.push(Object.assign(p, { room }));
		}
	}
	for (const p of people.filter((p) => p.room === 'first')) await p.decodesVideo(1, 40000);
	for (const p of people) await p.hearsAudio(1, 40000);
});

after(async () => {
	await browser?.close();
	await prometheus?.stop();
	await althing?.stop();
});

test('Prometheus takes every sample, in OpenMetrics', { skip }, async () => {
	await until('it is up', async () => (await prometheus.query('up{job="althing"} == 1')).length === 1);
	const { activeTargets } = await prometheus.api('targets');
	assert.equal(activeTargets[0].lastError, '');
	const metadata = await prometheus.api('metadata', { metric: 'mediasoup_producer_byte_count_bytes' });
	assert.equal(metadata.mediasoup_producer_byte_count_bytes[0].type, 'unknown', 'only OpenMetrics says so');
	assert.equal((await prometheus.query('althing_build_info')).length, 1);
	assert.equal(Number((await prometheus.query('sum(althing_join_latency_seconds_count)'))[0].value[1]), people.length);
	const [late] = await prometheus.query('histogram_quantile(0.5, sum by (le) (althing_forwarding_latency_seconds_bucket))');
	assert.ok(Number(late.value[1]) < 0.1, `median forwarding latency ${late.value[1]}`);
});

test('each stream is in its own room', { skip }, async () => {
	const peers = await prometheus.query('edumeet_peers');
	assert.deepEqual(Object.fromEntries(peers.map((s) => [s.metric.room_id, s.value[1]])), { first: '2', second: '2', third: '2' });
	for (const metric of ['mediasoup_producer_score', 'mediasoup_consumer_byte_count_bytes']) {
		const series = await prometheus.query(metric);
		assert.ok(series.length >= people.length, `${series.length} of ${metric}`);
		for (const s of series) assert.ok(s.metric.display_name.startsWith(s.metric.room_id), JSON.stringify(s.metric));
		assert.equal(new Set(series.map((s) => s.metric.room_id)).size, rooms.length);
	}
});

test('rates are what the browsers count', { skip }, async (t) => {
	const inbound = async () => new Map((await Promise.all(people.map((p) => p.rtp()))).flat()
		.filter((s) => s.type === 'inbound-rtp' && s.mid !== 'probator')
		.map((s) => [`${s.ssrc}`, { kind: s.kind, at: s.timestamp / 1000, bytes: s.bytesReceived + s.headerBytesReceived }]));
	await sleep(5000); // the layers have settled
	const first = await inbound();
	await sleep(30000);
	const last = await inbound();
	await sleep(1000);
	let compared = 0;
	for (const [ssrc, end] of last) {
		const start = first.get(ssrc);
		const theirs = end.bytes - (start?.bytes ?? 0);
		if (!start || theirs < 10000) continue; // silent, or without a picture
		const seconds = end.at - start.at;
		const [ours] = await prometheus.query(`increase(mediasoup_consumer_byte_count_bytes{ssrc="${ssrc}"}[${Math.round(seconds * 1000)}ms])`, end.at);
		assert.ok(ours, `no series of ssrc ${ssrc}`);
		const off = Number(ours.value[1]) / theirs - 1;
		t.diagnostic(`${end.kind} of ${ours.metric.display_name}: ${theirs} bytes in ${seconds.toFixed(1)} s, off by ${(off * 100).toFixed(2)} %`);
		assert.ok(Math.abs(off) < 0.01, `${end.kind} ${ssrc}: the browser ${theirs}, we ${ours.value[1]}`);
		compared++;
	}
	assert.ok(compared >= people.length, `${compared} streams`);
	const [audio] = await prometheus.query('sum(rate(mediasoup_consumer_byte_count_bytes{kind="audio"}[20s]))');
	const [all] = await prometheus.query('sum(rate(althing_rtp_bytes_total{direction="out"}[20s]))');
	assert.ok(Number(all.value[1]) > Number(audio.value[1]), 'the total is more than a part of it');
});

test('promtool finds nothing wrong with the text', { skip: skip || !has('promtool') }, async () => {
	const { body } = await get(`http://127.0.0.1:${althing.metricsPort}/metrics`);
	let said = '';
	try {
		execFileSync('promtool', ['check', 'metrics'], { input: body, stdio: ['pipe', 'pipe', 'pipe'] });
	} catch (error) {
		said = `${error.stdout}${error.stderr}`;
	}
	// Its lint wants _total on the two counters whose names are given.
	const rest = said.split('\n').filter((line) => line && !/_byte_count_bytes counter metrics should have/.test(line));
	assert.deepEqual(rest, []);
});

test('closed streams are gone', { skip }, async () => {
	await people.find((p) => p.room === 'third').close();
	await until('nobody sends in the third room to one that is gone', async () => {
		const [count] = await prometheus.query('count(mediasoup_consumer_byte_count_bytes{room_id="third"}) or vector(0)');
		return count.value[1] === '0';
	}, 30000);
});
