// Starts the real programs, as an operator would: `althing --config FILE`, with a certificate made for the occasion.
import { execFileSync, spawn } from 'node:child_process';
import dgram from 'node:dgram';
import fs from 'node:fs';
import http from 'node:http';
import https from 'node:https';
import net from 'node:net';
import os from 'node:os';
import path from 'node:path';
import { fileURLToPath } from 'node:url';

const root = path.resolve(path.dirname(fileURLToPath(import.meta.url)), '../../..');
export const buildDir = path.resolve(root, process.env.ALTHING_BUILD ?? 'build');
export const clientDir = path.join(root, 'app/dist');
export const outDir = path.resolve(root, process.env.ALTHING_E2E_OUT ?? path.join(buildDir, 'e2e'));

export const sleep = (ms) => new Promise((resolve) => setTimeout(resolve, ms));

/** Waits until `probe` gives something truthy, and returns it; an Error names what was waited for. */
export async function until(what, probe, ms = 15000) {
	const deadline = Date.now() + ms;
	let last;
	for (;;) {
		try {
			last = await probe();
			if (last) return last;
		} catch (error) {
			last = error;
		}
		if (Date.now() > deadline)
			throw new Error(`not within ${ms} ms: ${what} (last: ${last instanceof Error ? last.message : JSON.stringify(last)})`);
		await sleep(100);
	}
}

function tcpIsFree(port) {
	return new Promise((resolve) => {
		const server = net.createServer();
		server.on('error', () => resolve(false));
		server.listen(port, '127.0.0.1', () => server.close(() => resolve(true)));
	});
}

function udpIsFree(port) {
	return new Promise((resolve) => {
		const socket = dgram.createSocket('udp4');
		socket.on('error', () => resolve(false));
		socket.bind(port, () => socket.close(() => resolve(true)));
	});
}

/** The first of so many; not among those that the kernel gives to whoever connects meanwhile. */
async function freePorts(count) {
	for (let tries = 0; tries < 50; tries++) {
		const base = 10000 + Math.floor(Math.random() * 22000);
		let ok = true;
		for (let i = 0; i < count && ok; i++) ok = (await tcpIsFree(base + i)) && (await udpIsFree(base + i));
		if (ok) return base;
	}
	throw new Error('no free ports');
}

function certificate(dir) {
	const cert = path.join(dir, 'cert.pem');
	const key = path.join(dir, 'key.pem');
	execFileSync('openssl', ['req', '-x509', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes', '-days', '2',
		'-keyout', key, '-out', cert, '-subj', '/CN=localhost', '-addext', 'subjectAltName=DNS:localhost,IP:127.0.0.1,IP:::1'],
		{ stdio: 'ignore' });
	return { cert, key };
}

export function get(url, headers = {}) {
	return new Promise((resolve, reject) => {
		const lib = url.startsWith('https:') ? https : http;
		const request = lib.get(url, { headers, rejectUnauthorized: false }, (response) => {
			let body = '';
			response.on('data', (chunk) => (body += chunk));
			response.on('end', () => resolve({ status: response.statusCode, headers: response.headers, body }));
		});
		request.setTimeout(5000, () => request.destroy(new Error('timeout')));
		request.on('error', reject);
	});
}

function children(pid) {
	try {
		return fs.readFileSync(`/proc/${pid}/task/${pid}/children`, 'utf8').trim().split(/\s+/).filter(Boolean).map(Number);
	} catch {
		return [];
	}
}

const commandOf = (pid) => {
	try {
		return path.basename(fs.readFileSync(`/proc/${pid}/cmdline`, 'utf8').split('\0')[0]);
	} catch {
		return '';
	}
};

export const alive = (pid) => {
	try {
		process.kill(pid, 0);
		return !/\bState:\s+Z/.test(fs.readFileSync(`/proc/${pid}/status`, 'utf8'));
	} catch {
		return false;
	}
};

/** A running Althing. `config` is merged over the test's defaults. */
export class Althing {
	static async start({ workers = 2, config = {}, host = '127.0.0.1', media = ['127.0.0.1'], worker = {} } = {}) {
		const a = new Althing();
		a.host = host;
		a.dir = fs.mkdtempSync(path.join(os.tmpdir(), 'althing-e2e-'));
		const tls = certificate(a.dir);
		a.port = await freePorts(1);
		a.redirectPort = await freePorts(1);
		a.metricsPort = await freePorts(1);
		a.mediaPort = await freePorts(workers);
		a.observerPath = path.join(a.dir, 'observer.sock');
		a.config = {
			listeningHost: host,
			listeningPort: a.port,
			listeningRedirectPort: a.redirectPort,
			tls,
			clientPath: clientDir,
			mediasoup: {
				numWorkers: workers,
				worker: { rtcMinPort: a.mediaPort, ...worker },
				webRtcTransport: { listenIps: media.map((ip) => ({ ip })) },
			},
			prometheus: { listen: '127.0.0.1', port: a.metricsPort, numeric: true },
			observer: { path: a.observerPath },
			store: path.join(a.dir, 'state.db'),
			...config,
		};
		const file = path.join(a.dir, 'config.json');
		fs.writeFileSync(file, JSON.stringify(a.config, null, 2));
		a.log = path.join(a.dir, 'althing.log');
		const log = fs.openSync(a.log, 'a');
		a.process = spawn(path.join(buildDir, 'althing'), ['--config', file], { stdio: ['ignore', log, log] });
		fs.closeSync(log);
		a.exited = new Promise((resolve) => a.process.on('exit', (code, signal) => resolve({ code, signal })));
		try {
			await until('althing answers', async () => (await get(`${a.url}/`)).status === 200, 30000);
			await until('workers are there', async () => a.pids('althing-worker').length === workers, 10000);
		} catch (error) {
			await a.stop();
			throw new Error(`${error.message}\n${a.logText()}`);
		}
		return a;
	}

	get url() {
		return `https://${this.host}:${this.port}`;
	}

	/** The pids of our children with that program's name. */
	pids(name) {
		return children(this.process.pid).filter((pid) => commandOf(pid) === name);
	}

	logText() {
		return fs.existsSync(this.log) ? fs.readFileSync(this.log, 'utf8') : '';
	}

	metrics() {
		return get(`http://127.0.0.1:${this.metricsPort}/`);
	}

	/** One line to the observer socket, its answer until the server closes or goes quiet. */
	observe(line) {
		return new Promise((resolve, reject) => {
			let text = '';
			const socket = net.connect(this.observerPath, () => socket.end(`${line}\n`));
			socket.setTimeout(3000, () => socket.destroy());
			socket.on('data', (chunk) => (text += chunk));
			socket.on('error', reject);
			socket.on('close', () => resolve(text));
		});
	}

	async snapshot() {
		return JSON.parse(await this.observe('snapshot'));
	}

	/** Stops it in order, and fails when a program was killed, left an orphan behind, or a sanitizer spoke. */
	async stop({ expectClean = true } = {}) {
		const pids = [this.process.pid, ...children(this.process.pid)];
		if (this.process.exitCode === null && this.process.signalCode === null) this.process.kill('SIGTERM');
		const timer = setTimeout(() => this.process.kill('SIGKILL'), 15000);
		const { code, signal } = await this.exited;
		clearTimeout(timer);
		await until('no orphan process', () => pids.every((pid) => !alive(pid)), 10000);
		const text = this.logText();
		fs.rmSync(this.dir, { recursive: true, force: true });
		if (/AddressSanitizer|runtime error:|LeakSanitizer/.test(text)) throw new Error(`a sanitizer spoke:\n${text}`);
		if (expectClean && (code !== 0 || signal)) throw new Error(`althing ended with ${code ?? signal}:\n${text}`);
	}
}
