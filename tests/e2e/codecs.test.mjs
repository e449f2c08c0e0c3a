// Each codec through a real call. The worker adds a byte of RTP padding to make the packets of a frame equal (RFC 3550 5.1): the
// counters must show that it did, and Chromium must decode the result without loss. AV1's packetizer fills its packets, so that they
// are equal already and padding is rare: there it is not waited for.
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

const padded = async () => (await althing.snapshot()).workers.reduce((n, w) => n + w.stats.packets_padded, 0);

for (const [codec, isPadded] of [['vp8', true], ['vp9', true], ['h264', true], ['av1', false]]) {
	test(`${codec} is decoded${isPadded ? ', padded packets included' : ''}`, async () => {
		const before = await padded();
		const sender = await Person.join(browser, althing, `codec-${codec}`, 'Sender', { query: { codec }, noise: true });
		const viewer = await Person.join(browser, althing, `codec-${codec}`, 'Viewer', { query: { video: '0' } });
		await viewer.seesPictures(1, 30000);
		const [stream] = await viewer.decodesVideo(1);
		assert.equal(stream.mimeType.toLowerCase(), `video/${codec}`);
		if (isPadded) await until(`packets with padding were sent (${codec})`, async () => (await padded()) > before + 20, 30000);
		await until('200 packets have come', async () => (await viewer.inbound('video')).some((s) => s.packetsReceived > 200), 30000);
		const [later] = await viewer.decodesVideo(1);
		assert.equal(later.packetsLost, 0, 'nothing was lost or refused');
		assert.ok(later.framesDecoded > stream.framesDecoded);
		await sender.close();
		await viewer.close();
	});
}
