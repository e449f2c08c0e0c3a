// Debian's Chromium with fake devices, and what a test wants to know of a page.
import { chromium } from 'playwright-core';
import { until } from './althing.mjs';

/** Tests read the peer connections of the page through this; the client knows nothing of it. */
function recordPeerConnections() {
	const Native = window.RTCPeerConnection;
	window.peerConnections = [];
	window.RTCPeerConnection = class extends Native {
		constructor(...args) {
			super(...args);
			window.peerConnections.push(this);
		}
	};
}

/** A camera whose picture no codec can make small: each of its frames takes many packets. */
function noisyCamera() {
	const canvas = document.createElement('canvas');
	canvas.width = 640;
	canvas.height = 360;
	const context = canvas.getContext('2d');
	const image = context.createImageData(canvas.width, canvas.height);
	const draw = () => {
		const words = new Uint32Array(image.data.buffer);
		for (let i = 0; i < words.length; i++) words[i] = 0xff000000 | (Math.random() * 0x1000000);
		context.putImageData(image, 0, 0);
		context.fillRect(0, 0, canvas.width / 4, canvas.height);
	};
	const native = navigator.mediaDevices.getUserMedia.bind(navigator.mediaDevices);
	navigator.mediaDevices.getUserMedia = async (constraints) => {
		const stream = await native(constraints);
		if (!constraints.video) return stream;
		draw();
		setInterval(draw, 100);
		const [noise] = canvas.captureStream(10).getVideoTracks();
		for (const track of stream.getVideoTracks()) {
			track.stop();
			stream.removeTrack(track);
		}
		stream.addTrack(noise);
		return stream;
	};
}

export async function launch(executable = process.env.CHROMIUM ?? '/usr/bin/chromium') {
	return chromium.launch({
		executablePath: executable,
		args: ['--no-sandbox', '--disable-gpu', '--disable-quic', '--no-first-run', '--disable-background-networking',
			'--disable-component-update', '--disable-sync', '--disable-dev-shm-usage', '--use-fake-ui-for-media-stream',
			'--use-fake-device-for-media-stream=fps=30', '--autoplay-policy=no-user-gesture-required',
			'--allow-loopback-in-peer-connection', '--disable-renderer-backgrounding',
			'--disable-backgrounding-occluded-windows', '--disable-background-timer-throttling'],
	});
}

export class Person {
	/** Opens the room in a context of its own. `query` goes into the URL (see app/README.md). */
	static async open(browser, althing, room, name, { query = {}, viewport = { width: 1280, height: 720 }, colorScheme = 'light', noise = false } = {}) {
		const p = new Person();
		p.name = name;
		p.althing = althing;
		p.context = await browser.newContext({ ignoreHTTPSErrors: true, viewport, colorScheme, permissions: ['camera', 'microphone'] });
		await p.context.addInitScript(recordPeerConnections);
		if (noise) await p.context.addInitScript(noisyCamera);
		p.page = await p.context.newPage();
		p.errors = [];
		p.page.on('pageerror', (error) => p.errors.push(error.message));
		p.console = [];
		p.page.on('console', (message) => p.console.push(`${message.type()}: ${message.text()}`));
		const params = new URLSearchParams({ displayName: name, ...query });
		await p.page.goto(`${althing.url}/${room}?${params}`);
		return p;
	}

	static async join(browser, althing, room, name, options) {
		const p = await Person.open(browser, althing, room, name, options);
		await p.page.getByTestId('prejoin-join').click();
		await p.page.getByTestId('control-leave').waitFor({ timeout: 20000 });
		return p;
	}

	id(testId) {
		return this.page.getByTestId(testId);
	}

	/** All RTP streams of the page as getStats() tells them, with the codec's mime type. */
	rtp() {
		return this.page.evaluate(async () => {
			const out = [];
			for (const pc of window.peerConnections) {
				if (pc.connectionState === 'closed') continue;
				const report = await pc.getStats();
				report.forEach((s) => {
					if (s.type === 'inbound-rtp' || s.type === 'outbound-rtp')
						out.push({ ...s, mimeType: report.get(s.codecId)?.mimeType });
				});
			}
			return out;
		});
	}

	async inbound(kind) {
		return (await this.rtp()).filter((s) => s.type === 'inbound-rtp' && s.kind === kind && s.mid !== 'probator');
	}

	/** Waits until `count` video streams decode: their frame counters all grow from one look to the next. */
	async decodesVideo(count, ms = 20000) {
		let before = new Map();
		return until(`${this.name} decodes ${count} video streams`, async () => {
			const streams = await this.inbound('video');
			const growing = streams.filter((s) => s.framesDecoded > (before.get(s.id) ?? Infinity));
			before = new Map(streams.map((s) => [s.id, s.framesDecoded ?? 0]));
			return growing.length >= count && growing;
		}, ms);
	}

	async hearsAudio(count, ms = 20000) {
		let before = new Map();
		return until(`${this.name} hears ${count} audio streams`, async () => {
			const streams = await this.inbound('audio');
			const growing = streams.filter((s) => s.totalAudioEnergy > (before.get(s.id) ?? Infinity));
			before = new Map(streams.map((s) => [s.id, s.totalAudioEnergy ?? 0]));
			return growing.length >= count && growing;
		}, ms);
	}

	/** The mean and the spread of the luminance of every remote picture on the page: black has neither. */
	pictures() {
		return this.page.evaluate(() => [...document.querySelectorAll('[data-testid="tile-video"]')]
			.filter((v) => v.videoWidth > 0)
			.map((v) => {
				const canvas = document.createElement('canvas');
				canvas.width = 64;
				canvas.height = 36;
				const context = canvas.getContext('2d', { willReadFrequently: true });
				context.drawImage(v, 0, 0, 64, 36);
				const { data } = context.getImageData(0, 0, 64, 36);
				const luminance = [];
				for (let i = 0; i < data.length; i += 4) luminance.push(0.299 * data[i] + 0.587 * data[i + 1] + 0.114 * data[i + 2]);
				const mean = luminance.reduce((a, b) => a + b, 0) / luminance.length;
				const spread = Math.sqrt(luminance.reduce((a, b) => a + (b - mean) ** 2, 0) / luminance.length);
				return { width: v.videoWidth, height: v.videoHeight, mean, spread };
			}));
	}

	async seesPictures(count, ms = 20000) {
		return until(`${this.name} sees ${count} pictures that are not black`, async () => {
			const good = (await this.pictures()).filter((p) => p.mean > 10 && p.spread > 10);
			return good.length >= count && good;
		}, ms);
	}

	async close() {
		await this.context.close();
	}
}
