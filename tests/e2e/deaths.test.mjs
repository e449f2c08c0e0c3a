// kill -9 of each program: no orphan, the others live, and the call comes back by itself.
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { alive, Althing, until } from './lib/althing.mjs';
import { launch, Person } from './lib/browser.mjs';

let althing, browser, people;

before(async () => {
	althing = await Althing.start({ workers: 1 });
	browser = await launch();
	people = [];
	for (const name of ['Ada', 'Bo']) people.push(await Person.join(browser, althing, 'deaths', name));
	await bothSeeAndHear();
});

after(async () => {
	await browser?.close();
	await althing?.stop({ expectClean: false });
});

async function bothSeeAndHear() {
	for (const p of people) {
		await p.decodesVideo(1, 30000);
		await p.hearsAudio(1, 30000);
	}
}

async function dies(name) {
	const [pid] = althing.pids(name);
	process.kill(pid, 'SIGKILL');
	const start = Date.now();
	await until(`a new ${name}`, () => althing.pids(name).some((p) => p !== pid), 5000);
	console.log(`${name} started again after ${Date.now() - start} ms`);
	assert.equal(alive(althing.process.pid), true);
	return start;
}

test('the worker dies: another is there at once, and the people see and hear each other again', async () => {
	const start = await dies('althing-worker');
	await bothSeeAndHear();
	console.log(`media again after ${Date.now() - start} ms`);
});

/** Which streams somebody sends and gets: made anew, they would have other SSRCs. */
const streams = async (p) => (await p.rtp()).filter((s) => s.mid !== 'probator').map((s) => `${s.type} ${s.kind} ${s.ssrc}`).sort();

async function writes(p, text) {
	if (!(await p.id('chat-panel').isVisible())) await p.id('control-chat').click();
	await p.id('chat-input').fill(text);
	await p.id('chat-send').click();
}

async function reads(p, text) {
	if (!(await p.id('chat-panel').isVisible())) await p.id('control-chat').click();
	await p.id('chat-message').filter({ hasText: text }).waitFor({ timeout: 10000 });
}

/** Follows a page's pictures while something happens: the longest time in which no new one was decoded. */
async function longestStill(p, during) {
	const frames = async () => (await p.inbound('video')).reduce((n, s) => n + (s.framesDecoded ?? 0), 0);
	let last = await frames(), changed = Date.now(), longest = 0, over = false;
	const watching = (async () => {
		while (!over) {
			const now = await frames();
			longest = Math.max(longest, Date.now() - changed);
			if (now !== last) [last, changed] = [now, Date.now()];
			await new Promise((done) => setTimeout(done, 50));
		}
	})();
	await during();
	over = true;
	await watching;
	return longest;
}

test('the server dies: the media go on all the time, and everybody is in the seat again', async () => {
	const [ada, bo] = people;
	await writes(ada, 'before');
	await reads(bo, 'before');
	await ada.id('control-people').click();
	await ada.id('lock-room').click();
	await bo.id('control-mic').click();
	await ada.page.locator('[data-testid=tile][data-muted=true]').waitFor({ timeout: 10000 });
	const before = await Promise.all(people.map(streams));
	const still = await longestStill(ada, async () => {
		const start = await dies('althing-server');
		for (const p of people) {
			await p.page.locator('[data-banner=link]').waitFor({ timeout: 5000 }).catch(() => {});
			await p.page.locator('[data-banner=link]').waitFor({ state: 'detached', timeout: 15000 });
		}
		console.log(`all are back after ${Date.now() - start} ms`);
		await writes(bo, 'after');
		await reads(ada, 'after');
		await reads(ada, 'before');
	});
	console.log(`longest time without a new picture: ${still} ms`);
	assert.deepEqual(await Promise.all(people.map(streams)), before);
	assert.equal(await ada.page.locator('[data-testid=tile][data-muted=true]').count(), 1);
	const { rooms, peers } = await althing.snapshot();
	assert.equal(rooms[0].locked, true);
	assert.equal(peers.length, 2);
	await bo.id('control-mic').click();
	await bothSeeAndHear();
});

test('the supervisor dies: nothing of it stays', async () => {
	const pids = ['althing-worker', 'althing-server'].flatMap((name) => althing.pids(name));
	assert.equal(pids.length, 2);
	althing.process.kill('SIGKILL');
	await until('no orphan process', () => pids.every((pid) => !alive(pid)), 5000);
});
