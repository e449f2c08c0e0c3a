// A page with mediasoup-client and nothing else: what a client does that uses data channels.
import { createRequire } from 'node:module';
import path from 'node:path';
import { fileURLToPath } from 'node:url';

const app = path.resolve(path.dirname(fileURLToPath(import.meta.url)), '../../../app');

/** Both libraries, as the client has them, in one script. */
async function libraries() {
	const { build } = createRequire(path.join(app, 'package.json'))('esbuild');
	const { outputFiles } = await build({
		stdin: {
			contents: `import { Device } from 'mediasoup-client'; import { io } from 'socket.io-client'; Object.assign(window, { Device, io });`,
			resolveDir: app,
		},
		bundle: true, write: false, format: 'iife', logLevel: 'error',
	});
	return outputFiles[0].text;
}

/** Runs in the page. */
function client({ room, name }) {
	const me = { channels: [], consumers: [], events: [] };
	window.me = me;
	const socket = window.io(location.origin, {
		transports: ['websocket'],
		query: { roomId: room, peerId: crypto.randomUUID(), reconnectKey: crypto.randomUUID(), tenantFqdn: location.hostname },
	});
	me.ask = (method, data = {}) => new Promise((done, fail) => {
		socket.emit('request', { method, data }, (error, result) => (error ? fail(new Error(`${method}: ${error}`)) : done(result)));
	});
	me.tell = (method, data) => socket.emit('notification', { method, data });
	const transport = async (producing) => {
		const options = await me.ask('createWebRtcTransport', { forceTcp: false, producing, consuming: !producing, enableSctp: true });
		const t = producing ? me.device.createSendTransport(options) : me.device.createRecvTransport(options);
		t.on('connect', ({ dtlsParameters }, ok, fail) => me.ask('connectWebRtcTransport', { transportId: t.id, dtlsParameters }).then(ok, fail));
		t.on('producedata', (params, ok, fail) => me.ask('produceData', { transportId: t.id, ...params }).then(ok, fail));
		return t;
	};
	socket.on('request', async ({ data }, answer) => {
		me.device = new window.Device();
		await me.device.load({ routerRtpCapabilities: data.routerRtpCapabilities });
		answer(null, { rtpCapabilities: me.device.recvRtpCapabilities ?? me.device.rtpCapabilities });
		me.send = await transport(true);
		me.recv = await transport(false);
		await me.ask('join', { displayName: name });
		me.joined = true;
	});
	const sizeOf = (m) => (typeof m === 'string' ? m.length : m.byteLength ?? m.size);
	const sumOf = (m) => {
		const bytes = typeof m === 'string' ? new TextEncoder().encode(m) : new Uint8Array(m);
		return bytes.reduce((sum, b) => (Math.imul(sum, 31) + b) >>> 0, 1);
	};
	me.sumOf = sumOf;
	socket.on('notification', async ({ method, data }) => {
		me.events.push({ method, data });
		if (method === 'newDataConsumer') {
			while (!me.recv) await new Promise((done) => setTimeout(done, 20));
			const c = await me.recv.consumeData(data);
			c.binaryType = 'arraybuffer';
			const entry = { id: data.id, label: data.label, parameters: data.sctpStreamParameters, got: [], consumer: c };
			c.on('message', (m) => entry.got.push({ type: typeof m, size: sizeOf(m), sum: sumOf(m), first: typeof m === 'string' ? m.slice(0, 8) : '' }));
			me.consumers.push(entry);
		}
		if (method === 'dataConsumerClosed') me.consumers.find((c) => c.id === data.dataConsumerId)?.consumer.close();
	});
	me.produce = async (options) => {
		const p = await me.send.produceData(options);
		while (p.readyState !== 'open') await new Promise((done) => setTimeout(done, 20));
		me.channels.push(p);
		return p.id;
	};
	/** Sends them all, about two megabytes a second: what a receiver cannot take in time is lost to it. */
	me.say = async (index, messages) => {
		const p = me.channels[index];
		let sent = 0;
		for (const m of messages) {
			p.send(m);
			sent += sizeOf(m) + 100;
			if (sent < 50000) continue;
			await new Promise((done) => setTimeout(done, sent / 2000));
			sent = 0;
		}
	};
}

export async function openChannels(browser, althing, room, name) {
	const context = await browser.newContext({ ignoreHTTPSErrors: true, bypassCSP: true });
	const page = await context.newPage();
	page.errors = [];
	page.on('pageerror', (error) => page.errors.push(error.message));
	await page.goto(`${althing.url}/config/config.js`); // a page of the server's without the client
	await page.addScriptTag({ content: await libraries() });
	await page.evaluate(client, { room, name });
	await page.waitForFunction(() => window.me.joined, null, { timeout: 20000 });
	return page;
}
