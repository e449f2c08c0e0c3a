// A room that no worker can hold alone: each of its people is on another one, and all they see and hear of each other goes through pipes.
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { Althing, until } from './lib/althing.mjs';
import { launch, Person } from './lib/browser.mjs';

let althing, browser, ada, bo;

before(async () => {
	althing = await Althing.start({ workers: 2, worker: { maxPeers: 1 } });
	browser = await launch();
});

after(async () => {
	await browser?.close();
	await althing?.stop();
});

test('two people on two workers hear and see each other', async () => {
	ada = await Person.join(browser, althing, 'spread', 'Ada');
	bo = await Person.join(browser, althing, 'spread', 'Bo');
	for (const p of [ada, bo]) {
		await p.decodesVideo(1);
		await p.hearsAudio(1);
		await p.seesPictures(1);
	}
	const ports = new Set();
	for (const p of [ada, bo])
		for (const port of await p.page.evaluate(async () => {
			const out = [];
			for (const pc of window.peerConnections)
				(await pc.getStats()).forEach((s) => s.type === 'remote-candidate' && out.push(s.port));
			return out;
		})) ports.add(port);
	assert.equal(ports.size, 2, 'each worker has its port');
});

test('layers are chosen behind the pipe', async () => {
	await until('Ada sees Bo in 1280x720', async () => (await ada.pictures()).some((p) => p.width === 1280), 45000);
	await ada.page.setViewportSize({ width: 420, height: 400 });
	await until('Ada sees Bo in a lower layer', async () => (await ada.pictures()).some((p) => p.width > 0 && p.width < 1280), 30000);
	await ada.decodesVideo(1);
});

test('who stays hears and sees who comes again', async () => {
	await bo.page.close();
	await until('Ada is alone', async () => (await ada.id('tile').count()) === 0, 30000);
	bo = await Person.join(browser, althing, 'spread', 'Bo');
	for (const p of [ada, bo]) {
		await p.decodesVideo(1);
		await p.hearsAudio(1);
	}
});
