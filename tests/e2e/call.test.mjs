// A call between people, in the real client, with media that is really decoded on the other side.
import assert from 'node:assert/strict';
import fs from 'node:fs';
import path from 'node:path';
import { after, before, test } from 'node:test';
import { Althing, outDir, sleep, until } from './lib/althing.mjs';
import { launch, Person } from './lib/browser.mjs';

let althing, browser, ada, bo;

before(async () => {
	fs.mkdirSync(outDir, { recursive: true });
	althing = await Althing.start();
	browser = await launch();
});

after(async () => {
	await browser?.close();
	await althing?.stop();
});

const peopleIn = (p, count) => until(`${p.name} has ${count} people in the room`, async () => (await p.id('tile').count()) + (await p.id('self-tile').count()) === count);

test('two people hear and see each other', async () => {
	ada = await Person.join(browser, althing, 'first-call', 'Ada');
	bo = await Person.join(browser, althing, 'first-call', 'Bo');
	for (const p of [ada, bo]) {
		await peopleIn(p, 2);
		await p.decodesVideo(1);
		await p.hearsAudio(1);
		await p.seesPictures(1);
	}
	assert.match(await ada.id('tile').first().innerText(), /Bo/);
	assert.match(await bo.id('tile').first().innerText(), /Ada/);
});

test('simulcast: three layers arrive, and the viewer gets the one that fits its tile', async () => {
	// Ada's tile of Bo is large: the top layer comes once the sender has ramped up.
	await until('Ada sees Bo in 1280x720', async () => (await ada.pictures()).some((p) => p.width === 1280), 45000);
	const layers = (await bo.rtp()).filter((s) => s.type === 'outbound-rtp' && s.kind === 'video' && s.framesSent > 0);
	assert.equal(new Set(layers.map((s) => s.rid)).size, 3, 'three layers are sent');
	// A small window wants a low layer, and gets it without a frozen picture.
	await ada.page.setViewportSize({ width: 420, height: 400 });
	await until('Ada sees Bo in a lower layer', async () => (await ada.pictures()).some((p) => p.width > 0 && p.width < 1280), 30000);
	await ada.decodesVideo(1);
	await ada.page.setViewportSize({ width: 1280, height: 720 });
	await until('Ada sees Bo in 1280x720 again', async () => (await ada.pictures()).some((p) => p.width === 1280), 45000);
	await ada.seesPictures(1);
});

test('mute silences, and unmute does not', async () => {
	await bo.id('control-mic').click();
	await until('Ada is told that Bo is muted', async () => (await ada.id('tile').first().getByTestId('tile-muted').count()) === 1);
	const energy = async () => (await ada.inbound('audio')).reduce((sum, s) => sum + s.totalAudioEnergy, 0);
	await sleep(1000);
	const before = await energy();
	await sleep(2000);
	assert.ok((await energy()) - before < 1e-6, 'silence while muted');
	await bo.id('control-mic').click();
	await ada.hearsAudio(1);
});

test('the camera goes off and on again', async () => {
	await bo.id('control-camera').click();
	await until('Bo is without a picture at Ada', async () => (await ada.pictures()).length === 0);
	await bo.id('control-camera').click();
	await ada.decodesVideo(1);
	await ada.seesPictures(1);
});

test('a chat line arrives as text, whatever is in it', async () => {
	await ada.id('control-chat').click();
	await bo.id('control-chat').click();
	const line = 'Hæ! <img src=x onerror="window.hacked = true"> 👋';
	await ada.id('chat-input').fill(line);
	await ada.id('chat-send').click();
	for (const p of [ada, bo])
		await until(`${p.name} reads the line`, async () => (await p.id('chat-message').last().innerText()).includes(line));
	assert.equal(await bo.page.evaluate(() => window.hacked), undefined);
});

test('someone who joins late sees and hears everybody', async () => {
	const cy = await Person.open(browser, althing, 'first-call', 'Cy');
	await cy.id('prejoin-join').click();
	const start = Date.now();
	await cy.seesPictures(1, 10000);
	console.log(`first picture ${Date.now() - start} ms after the click on join`);
	await cy.seesPictures(2);
	await cy.hearsAudio(2);
	await peopleIn(cy, 3);
	await ada.decodesVideo(2);
	await bo.decodesVideo(2);
	await until('Cy reads what was said before', async () => {
		if (!(await cy.id('chat-input').isVisible())) await cy.id('control-chat').click();
		return (await cy.id('chat-message').count()) === 1;
	});
	await cy.close();
	await peopleIn(ada, 2);
});

test('a reload brings one back to a call that goes on', async () => {
	await bo.page.reload();
	await bo.id('prejoin-join').click();
	for (const p of [ada, bo]) {
		await peopleIn(p, 2);
		await p.decodesVideo(1);
		await p.hearsAudio(1);
		await p.seesPictures(1);
	}
});

test('the counters and the observer tell the truth about the call', async () => {
	await peopleIn(ada, 2);
	const text = (await althing.metrics()).body;
	assert.match(text, /^edumeet_rooms 1$/m);
	assert.match(text, /^edumeet_peers\{room_id="first-call"\} 2$/m);
	const series = text.split('\n').filter((l) => l.startsWith('mediasoup_consumer_byte_count_bytes{'));
	assert.equal(series.length, 4, 'two people, each consuming audio and video');
	for (const l of series) {
		assert.match(l, /room_id="first-call"/);
		assert.ok(Number(l.split(' ').pop()) > 1000, l);
	}
	assert.match(await althing.observe('stats'), /rooms:1\r?\npeers:2/);
	const snapshot = await althing.snapshot();
	assert.equal(snapshot.rooms.length, 1);
});

test('leaving ends it, and the room goes with its last peer', async () => {
	await bo.id('control-leave').click();
	await peopleIn(ada, 1);
	await ada.id('control-leave').click();
	await until('no room is left', async () => /^edumeet_rooms 0$/m.test((await althing.metrics()).body));
	assert.deepEqual([...ada.errors, ...bo.errors], []);
});

test('what the room looks like', async () => {
	await ada.close();
	await bo.close();
	const people = [];
	const query = { resolution: 'low' };
	for (const name of ['Ada', 'Bo', 'Cy', 'Dagný']) people.push(await Person.join(browser, althing, 'looks', name, { query }));
	const [first, second] = people;
	await first.seesPictures(3, 40000);
	await second.id('control-chat').click();
	await second.id('chat-input').fill('Góðan dag! The slides are at https://example.org/slides');
	await second.id('chat-send').click();
	await first.id('control-chat').click();
	await until('the line is read', async () => (await first.id('chat-message').count()) === 1);
	await first.page.mouse.move(640, 300);
	await first.page.screenshot({ path: path.join(outDir, 'room-light.png') });
	await first.page.emulateMedia({ colorScheme: 'dark' });
	await first.page.screenshot({ path: path.join(outDir, 'room-dark.png') });
	// The window holds all: nothing of a tile is outside it.
	const boxes = await first.page.getByTestId('tile').evaluateAll((tiles) => tiles.map((t) => t.getBoundingClientRect().toJSON()));
	assert.equal(boxes.length, 3);
	assert.ok(boxes.every((b) => b.left >= 0 && b.top >= 0 && b.right <= 1280 && b.bottom <= 720), JSON.stringify(boxes));
});
