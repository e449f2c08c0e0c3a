// A viewer behind a narrow way, then behind a lossy one: network namespaces, a token bucket with a queue (tbf), nftables. Needs root;
// everything happens in a namespace of its own, in which this file runs itself again.
//
// It is run by name (tests/e2e/run bandwidth.measure.mjs), not with all: what it measures depends on how busy the machine is.
import assert from 'node:assert/strict';
import { execFileSync, spawnSync } from 'node:child_process';
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { after, before, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { Althing, outDir, sleep, until } from './lib/althing.mjs';
import { launch, Person } from './lib/browser.mjs';

const inside = process.env.ALTHING_E2E_INSIDE === '1';
const here = '10.99.0.1', there = '10.99.0.2', space = `althing-e2e-${process.pid}`;
const run = (line) => execFileSync('/bin/sh', ['-c', line], { stdio: ['ignore', 'pipe', 'pipe'] }).toString();
const able = () => process.getuid() === 0 && spawnSync('/bin/sh', ['-c', 'command -v ip tc nft unshare && unshare -n true']).status === 0;

if (!inside) {
	test('bandwidth and loss', { skip: able() ? false : 'needs root, ip, tc, nft' }, () => {
		const child = spawnSync('unshare', ['-n', '--', process.execPath, '--test-reporter=tap', fileURLToPath(import.meta.url)],
			{ env: { ...process.env, ALTHING_E2E_INSIDE: '1', NODE_TEST_CONTEXT: '' }, encoding: 'utf8' });
		process.stdout.write(child.stdout.replace(/^/gm, '# '));
		assert.equal(child.status, 0, child.stderr);
	});
} else {
	let althing, browsers = [], ada, bo, dir;

	/** One end of the wire is here, the other in the viewer's namespace. */
	before(async () => {
		fs.mkdirSync(outDir, { recursive: true });
		run('ip link set lo up');
		run(`ip netns add ${space} && ip netns exec ${space} ip link set lo up`);
		run(`ip link add wire type veth peer name wire netns ${space}`);
		run(`ip addr add ${here}/24 dev wire && ip link set wire up`);
		run(`ip netns exec ${space} sh -c 'ip addr add ${there}/24 dev wire && ip link set wire up'`);
		dir = fs.mkdtempSync(path.join(os.tmpdir(), 'althing-e2e-'));
		const wrapper = path.join(dir, 'chromium');
		fs.writeFileSync(wrapper, `#!/bin/sh\nexec ip netns exec ${space} ${process.env.CHROMIUM ?? '/usr/bin/chromium'} "$@"\n`, { mode: 0o755 });
		althing = await Althing.start({ workers: 1, host: here, media: [here] });
		const sender = await launch();
		browsers.push(sender);
		process.env.CHROMIUM = wrapper;
		const viewer = await launch();
		browsers.push(viewer);
		ada = await Person.join(sender, althing, 'narrow', 'Ada');
		bo = await Person.join(viewer, althing, 'narrow', 'Bo');
	});

	after(async () => {
		for (const b of browsers) await b.close();
		await althing?.stop();
		spawnSync('ip', ['netns', 'del', space]);
		fs.rmSync(dir, { recursive: true, force: true });
	});

	const look = async (kind) => {
		const s = (await bo.inbound(kind))[0];
		return { at: Date.now(), ...s };
	};
	const width = async () => (await bo.pictures())[0]?.width ?? 0;
	/** What changed of a stream in so long. */
	const during = async (kind, ms) => {
		const a = await look(kind);
		await sleep(ms);
		const b = await look(kind);
		const change = { seconds: (b.at - a.at) / 1000, width: await width() };
		for (const k of ['bytesReceived', 'packetsReceived', 'packetsLost', 'framesDecoded', 'freezeCount', 'totalFreezesDuration', 'concealedSamples', 'totalSamplesReceived'])
			change[k] = (b[k] ?? 0) - (a[k] ?? 0);
		console.log(kind, JSON.stringify(change));
		return change;
	};

	test('the best layer on a free way', async () => {
		await until('Bo sees Ada in 1280x720', async () => (await width()) === 1280, 60000);
		await bo.hearsAudio(1);
	});

	test('behind 500 kbit/s: a lower layer, and clean audio', async () => {
		run('tc qdisc add dev wire root tbf rate 500kbit burst 1600 latency 300ms');
		await until('Bo sees Ada in a lower layer', async () => (await width()) < 1280, 20000);
		await sleep(3000);
		const [video, audio] = await Promise.all([during('video', 15000), during('audio', 15000)]);
		console.log(run('tc -s qdisc show dev wire'));
		assert.ok(video.width < 1280);
		assert.ok(video.framesDecoded / video.seconds > 5, 'the picture moves');
		assert.ok(audio.packetsLost <= 0.02 * audio.packetsReceived, 'audio is not lost');
		assert.ok(audio.concealedSamples <= 0.03 * audio.totalSamplesReceived, 'audio is clean');
	});

	test('and climbs back when it is gone', async () => {
		run('tc qdisc del dev wire root');
		const start = Date.now();
		await until('Bo sees Ada in 1280x720 again', async () => (await width()) === 1280, 30000);
		console.log(`climbed in ${Date.now() - start} ms`);
		assert.ok(Date.now() - start < 10000, 'within ten seconds');
	});

	test('10 % loss: the picture moves on', async () => {
		await sleep(3000);
		run(`ip netns exec ${space} nft 'add table inet t; add chain inet t i { type filter hook input priority 0 ; }; add rule inet t i meta l4proto udp numgen random mod 10 == 0 drop'`);
		await sleep(5000);
		const video = await during('video', 20000);
		run(`ip netns exec ${space} nft delete table inet t`);
		assert.ok(video.packetsLost > 0 && video.framesDecoded / video.seconds > 4, 'frames are decoded');
		assert.ok(video.totalFreezesDuration < video.seconds * 0.02, `frozen for ${video.totalFreezesDuration} s`);
	});
}
