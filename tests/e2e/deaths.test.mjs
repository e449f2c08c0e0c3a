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

for (const name of ['althing-worker', 'althing-server']) {
	test(`${name} dies: another is there at once, and the people see and hear each other again`, async () => {
		const [pid] = althing.pids(name);
		process.kill(pid, 'SIGKILL');
		const start = Date.now();
		await until(`a new ${name}`, () => althing.pids(name).some((p) => p !== pid), 5000);
		console.log(`${name} started again after ${Date.now() - start} ms`);
		await bothSeeAndHear();
		console.log(`media again after ${Date.now() - start} ms`);
		assert.equal(alive(althing.process.pid), true);
	});
}

test('the supervisor dies: nothing of it stays', async () => {
	const pids = ['althing-worker', 'althing-server'].flatMap((name) => althing.pids(name));
	assert.equal(pids.length, 2);
	althing.process.kill('SIGKILL');
	await until('no orphan process', () => pids.every((pid) => !alive(pid)), 5000);
});
