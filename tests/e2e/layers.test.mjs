// A viewer steps through the layers of a VP9 stream (K-SVC): each time the picture has the size that was asked for, and goes on.
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { Althing, until } from './lib/althing.mjs';
import { launch, Person } from './lib/browser.mjs';

let althing, browser;

before(async () => {
	althing = await Althing.start({ workers: 1 });
	browser = await launch();
});

after(async () => {
	await browser?.close();
	await althing?.stop();
});

test('the picture is as large as its tile needs, down and up again', async () => {
	const sender = await Person.join(browser, althing, 'layers', 'Sender', { query: { codec: 'vp9' } });
	const viewer = await Person.join(browser, althing, 'layers', 'Viewer', { query: { video: '0' }, viewport: { width: 1500, height: 900 } });
	await viewer.seesPictures(1, 30000);
	const stream = async () => (await viewer.inbound('video'))[0];
	const top = (await until('the largest layer', async () => {
		const s = await stream();
		return s?.frameHeight >= 360 && s;
	}, 30000)).frameHeight;
	await viewer.page.setViewportSize({ width: 420, height: 700 });
	await until('a smaller layer', async () => (await stream()).frameHeight < top, 20000);
	const small = await stream();
	await until('it goes on', async () => (await stream()).framesDecoded > small.framesDecoded + 20, 15000);
	await viewer.page.setViewportSize({ width: 1500, height: 900 });
	await until('the largest layer again', async () => (await stream()).frameHeight === top, 20000);
	const last = await stream();
	assert.ok(last.pliCount <= 8, `${last.pliCount} key frames were asked for`);
	assert.equal(last.packetsLost, 0);
	await sender.close();
	await viewer.close();
});
