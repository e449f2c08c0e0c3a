// Data channels through the real programs: mediasoup-client in Chromium on both sides.
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { Althing, until } from './lib/althing.mjs';
import { launch } from './lib/browser.mjs';
import { openChannels } from './lib/channels.mjs';

let althing, browser, ada, bo, cy;

before(async () => {
	althing = await Althing.start({ workers: 1 });
	browser = await launch();
	ada = await openChannels(browser, althing, 'channels', 'Ada');
	bo = await openChannels(browser, althing, 'channels', 'Bo');
	cy = await openChannels(browser, althing, 'channels', 'Cy');
});

after(async () => {
	await browser?.close();
	await althing?.stop();
});

const consumer = (page, label) => until(`a consumer of ${label}`, () => page.evaluate(
	(l) => window.me.consumers.find((c) => c.label === l && !c.consumer.closed && c.consumer.readyState === 'open') !== undefined, label));
const got = (page, label) => page.evaluate((l) => window.me.consumers.filter((c) => c.label === l).flatMap((c) => c.got), label);
const hasGot = (page, label, n) => until(`${n} messages on ${label}`, async () => (await got(page, label)).length >= n && got(page, label), 60000);

test('a channel is announced to everybody, with what its sender said', async () => {
	const id = await ada.evaluate(() => window.me.produce({ label: 'transcription', protocol: 'p', ordered: true, appData: { a: 1 } }));
	for (const page of [bo, cy]) {
		await consumer(page, 'transcription');
		const { data } = await page.evaluate(() => window.me.events.find((e) => e.method === 'newDataConsumer'));
		assert.equal(data.dataProducerId, id);
		assert.equal(data.protocol, 'p');
		assert.deepEqual(data.appData, { a: 1 });
		assert.equal(data.sctpStreamParameters.ordered, true);
	}
	assert.equal(await ada.evaluate(() => window.me.consumers.length), 0);
});

test('text and binary of all sizes arrive whole, empty ones too', async () => {
	const sent = await ada.evaluate(async () => {
		const messages = ['', 'x', 'ä€😀', 'y'.repeat(1199), 'z'.repeat(65536), 'w'.repeat(200000)];
		for (const size of [0, 1, 1200, 65535, 200000, 262144]) {
			const bytes = new Uint8Array(size);
			for (let i = 0; i < size; i++) bytes[i] = (i * 13 + (i >> 8)) & 255;
			messages.push(bytes);
		}
		await window.me.say(0, messages);
		return messages.map((m) => ({ type: typeof m, sum: window.me.sumOf(typeof m === 'string' ? m : m.buffer) }));
	});
	for (const page of [bo, cy]) {
		const all = await hasGot(page, 'transcription', sent.length);
		assert.deepEqual(all.map(({ type, sum }) => ({ type, sum })), sent);
	}
});

test('a thousand messages arrive all, in order, both ways at once', async () => {
	await bo.evaluate(() => window.me.produce({ label: 'back', ordered: true }));
	await consumer(ada, 'back');
	await ada.evaluate(() => window.me.produce({ label: 'forth', ordered: true }));
	await consumer(bo, 'forth');
	const send = (page) => page.evaluate(() => window.me.say(window.me.channels.length - 1,
		Array.from({ length: 1000 }, (_, i) => `${i} `.padEnd(8) + 'm'.repeat((i * i * 7) % 2000 + (i % 100 === 99 ? 200000 : 0)))));
	await Promise.all([send(ada), send(bo)]);
	for (const [page, label] of [[bo, 'forth'], [ada, 'back']]) {
		const all = await hasGot(page, label, 1000);
		assert.deepEqual(all.map((m) => Number(m.first)), Array.from({ length: 1000 }, (_, i) => i));
	}
});

test('an unordered channel without retransmission carries messages too', async () => {
	await ada.evaluate(() => window.me.produce({ label: 'loose', ordered: false, maxRetransmits: 0 }));
	await consumer(bo, 'loose');
	const { data } = await bo.evaluate(() => window.me.events.filter((e) => e.method === 'newDataConsumer').at(-1));
	assert.equal(data.sctpStreamParameters.ordered, false);
	assert.equal(data.sctpStreamParameters.maxRetransmits, 0);
	await ada.evaluate(() => window.me.say(window.me.channels.length - 1, Array.from({ length: 200 }, (_, i) => `${i}`)));
	await hasGot(bo, 'loose', 200); // the loopback loses nothing
});

test('the sender closes, and the channel ends at the others; the next one works', async () => {
	for (let round = 0; round < 3; round++) {
		const label = `short ${round}`;
		const id = await ada.evaluate((l) => window.me.produce({ label: l }), label);
		await consumer(bo, label);
		await ada.evaluate(() => window.me.say(window.me.channels.length - 1, ['a', 'b']));
		await hasGot(bo, label, 2);
		await ada.evaluate((dataProducerId) => {
			window.me.channels.pop().close();
			window.me.tell('closeDataProducer', { dataProducerId });
		}, id);
		await until('Bo is told', () => bo.evaluate((l) => window.me.consumers.find((c) => c.label === l).consumer.closed, label));
	}
});

test('the receiver closes its side, and everybody else goes on', async () => {
	await bo.evaluate(() => window.me.consumers.find((c) => c.label === 'transcription').consumer.close());
	const before = (await got(cy, 'transcription')).length;
	await ada.evaluate(() => window.me.say(0, ['still', 'here']));
	await hasGot(cy, 'transcription', before + 2);
});

test('the counters tell of it, and nothing was dropped', async () => {
	const { workers } = await althing.snapshot();
	assert.ok(workers[0].stats.data_producers >= 3);
	assert.ok(workers[0].stats.data_consumers >= 4);
	assert.equal(workers[0].stats.dropped_data_messages, 0);
	assert.deepEqual([ada, bo, cy].flatMap((p) => p.errors), []);
});

test('who leaves takes its channels along; who comes gets what is there', async () => {
	const label = 'last';
	await cy.evaluate((l) => window.me.produce({ label: l }), label);
	await consumer(ada, label);
	const dee = await openChannels(browser, althing, 'channels', 'Dee');
	await consumer(dee, label);
	await consumer(dee, 'transcription');
	await cy.context().close();
	for (const page of [ada, dee])
		await until('the channel ends', () => page.evaluate((l) => window.me.consumers.find((c) => c.label === l).consumer.closed, label));
	const before = (await got(dee, 'transcription')).length;
	await ada.evaluate(() => window.me.say(0, ['on']));
	await hasGot(dee, 'transcription', before + 1);
	await dee.context().close();
});
