// A browser in a network namespace of its own, with two ways to the server, whose addresses go and come in the middle of a call.
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { after, before, test } from 'node:test';
import { Althing, sleep, until } from './lib/althing.mjs';
import { launch, Person } from './lib/browser.mjs';

const namespace = `althing${process.pid}`;
/* Chromium takes some seconds to see that its selected pair is dead, the client waits three more before it restarts ICE. */
const GONE_MS = 15000;
let althing, near, far, dir, ada, bo;

const run = (...args) => execFileSync(args[0], args.slice(1), { stdio: ['ignore', 'pipe', 'pipe'] });
const inside = (...args) => run('ip', 'netns', 'exec', namespace, ...args);

/** Two pairs of interfaces: the first for the page, both for media. */
function makeNamespace() {
	run('ip', 'netns', 'add', namespace);
	inside('ip', 'link', 'set', 'lo', 'up');
	for (const i of [1, 2]) {
		run('ip', 'link', 'add', `alt${i}a`, 'type', 'veth', 'peer', 'name', `alt${i}b`, 'netns', namespace);
		run('ip', 'addr', 'add', `198.18.${i}.1/24`, 'dev', `alt${i}a`);
		run('ip', 'link', 'set', `alt${i}a`, 'up');
		inside('ip', 'addr', 'add', `198.18.${i}.2/24`, 'dev', `alt${i}b`);
		inside('ip', 'link', 'set', `alt${i}b`, 'up');
	}
}

function removeNamespace() {
	for (const args of [['ip', 'link', 'del', 'alt1a'], ['ip', 'link', 'del', 'alt2a'], ['ip', 'netns', 'del', namespace]]) {
		try {
			run(...args);
		} catch {
			// it was not made
		}
	}
}

let possible = process.getuid() === 0;
if (possible) {
	try {
		makeNamespace();
	} catch {
		removeNamespace();
		possible = false;
	}
}
const options = { skip: possible ? false : 'needs root, and network namespaces' };

before(async () => {
	if (!possible) return;
	dir = fs.mkdtempSync(path.join(os.tmpdir(), 'althing-mobility-'));
	const wrapper = path.join(dir, 'chromium');
	fs.writeFileSync(wrapper, `#!/bin/sh\nexec ip netns exec ${namespace} ${process.env.CHROMIUM ?? '/usr/bin/chromium'} "$@"\n`, { mode: 0o755 });
	althing = await Althing.start({
		host: '198.18.1.1',
		media: ['198.18.2.1', '198.18.1.1'],
	});
	far = await launch(wrapper);
	near = await launch();
});

after(async () => {
	await far?.close();
	await near?.close();
	await althing?.stop();
	removeNamespace();
	if (dir) fs.rmSync(dir, { recursive: true, force: true });
});

/** How long until frames are decoded and audio is heard that were not there at the beginning. */
async function mediaAgain(p, ms) {
	const start = Date.now();
	const count = async () => {
		const [video] = await p.inbound('video');
		const [audio] = await p.inbound('audio');
		return [video?.framesDecoded ?? 0, audio?.packetsReceived ?? 0];
	};
	const [frames, packets] = await count();
	await until(`${p.name} has media again`, async () => {
		const [f, a] = await count();
		return f > frames + 5 && a > packets + 10;
	}, ms);
	return Date.now() - start;
}

/** The local address that each connection of the page uses now. */
const addresses = (p) => p.page.evaluate(async () => {
	const out = [];
	for (const pc of window.peerConnections) {
		if (pc.connectionState === 'closed') continue;
		const report = await pc.getStats();
		report.forEach((s) => {
			if (s.type === 'transport' && s.selectedCandidatePairId)
				out.push(report.get(report.get(s.selectedCandidatePairId).remoteCandidateId).address);
		});
	}
	return out;
});

test('the address that a call is on goes: it goes on over the other one', options, async () => {
	ada = await Person.join(far, althing, 'mobility', 'Ada');
	bo = await Person.join(near, althing, 'mobility', 'Bo');
	for (const p of [ada, bo]) {
		await p.decodesVideo(1);
		await p.hearsAudio(1);
	}
	await sleep(2000);
	const used = new Set(await addresses(ada));
	assert.ok(used.size > 0);
	const i = used.has('198.18.2.1') ? 2 : 1;
	const other = 3 - i;
	inside('ip', 'addr', 'del', `198.18.${i}.2/24`, 'dev', `alt${i}b`);
	for (const p of [ada, bo]) {
		const ms = await mediaAgain(p, 20000);
		assert.ok(ms < GONE_MS, `${p.name} has media again after ${ms} ms`);
	}
	await until('the other address is used', async () => (await addresses(ada)).every((a) => a === `198.18.${other}.1`), 20000);
	for (const p of [ada, bo]) await mediaAgain(p, 5000);
	assert.equal(await bo.id('tile').count(), 1, 'nobody had to come again');
	inside('ip', 'addr', 'add', `198.18.${i}.2/24`, 'dev', `alt${i}b`);
});
