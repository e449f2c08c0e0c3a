// run.js - asks mediasoup and our negotiation the same questions: the answers must be the same, or both must refuse.
//
//   node run.js <ortc_lines> [seed] [rounds]
//
// Where we refuse and mediasoup does not, the reason must be one of the bounds that server/ortc/ortc.h lists (DEVIATIONS). Exit 77: the oracle
// is not installed (npm ci).
'use strict';
const { spawn } = require('node:child_process');
const path = require('node:path');
const readline = require('node:readline');

let oracle;
try {
	oracle = require('mediasoup/ortc');
} catch {
	console.log('mediasoup is not installed: npm ci in tests/interop/ortc');
	process.exit(77);
}

// What we support and it does not: it negotiates them all the same, by mime type, clock rate and channels.
const { supportedRtpCapabilities } = require(path.join(path.dirname(require.resolve('mediasoup/ortc')), 'supportedRtpCapabilities.js'));
const like = mimeType => supportedRtpCapabilities.codecs.find(c => c.mimeType === mimeType);
supportedRtpCapabilities.codecs.push({ ...like('audio/opus'), mimeType: 'audio/red' }, { ...like('video/AV1'), mimeType: 'video/H265' });

const [exe, seedText = '1', roundsText = '800'] = process.argv.slice(2);
const rounds = Number(roundsText);

// ---- randomness ------------------------------------------------------------------------------------------------------------------

let state = Number(seedText) >>> 0;
function random() { // mulberry32
	state = (state + 0x6d2b79f5) >>> 0;
	let t = state;
	t = Math.imul(t ^ (t >>> 15), t | 1);
	t ^= t + Math.imul(t ^ (t >>> 7), t | 61);
	return ((t ^ (t >>> 14)) >>> 0) / 4294967296;
}
const below = n => Math.floor(random() * n);
const pick = list => list[below(list.length)];
const chance = p => random() < p;
const clone = v => (v === undefined ? undefined : JSON.parse(JSON.stringify(v)));

// ---- our side --------------------------------------------------------------------------------------------------------------------

const child = spawn(exe, { stdio: ['pipe', 'pipe', 'inherit'] });
const waiting = [];
readline.createInterface({ input: child.stdout }).on('line', line => waiting.shift()(JSON.parse(line)));
child.on('exit', code => {
	if (waiting.length) {
		console.log(`our side ended with ${code}`);
		process.exit(1);
	}
});
function ours(...call) {
	return new Promise(resolve => {
		waiting.push(resolve);
		child.stdin.write(`${JSON.stringify(call)}\n`);
	});
}

// ---- the oracle's side -----------------------------------------------------------------------------------------------------------

const FIRST = 100000001, SSRC = 200000001, RTX = 300000001;
const PACKET_ID = 'urn:mediasoup:params:rtp-hdrext:packet-id';
const withoutPacketId = caps => ({ ...caps, headerExtensions: caps.headerExtensions.filter(e => e.uri !== PACKET_ID) });

function renumber(params, pipe) {
	params.encodings.forEach((e, i) => {
		e.ssrc = SSRC + i;
		if (e.rtx) e.rtx.ssrc = RTX + (pipe ? i : 0);
	});
	return params;
}

// A receiver's own extension ids are its answer's; of two with one id the first is kept. The oracle knows only the router's.
function withOwnIds(consumable, caps, answer) {
	const kind = /^audio\//i.test(consumable.codecs[0]?.mimeType ?? '') ? 'audio' : 'video';
	const own = new Map();
	const headerExtensions = [];
	for (const ext of consumable.headerExtensions) {
		const same = caps.headerExtensions.filter(e => e.uri === ext.uri);
		const found = same.find(e => e.preferredId === ext.id) ?? same.find(e => e.kind === kind);
		if (!found || [...own.values()].includes(found.preferredId)) continue;
		own.set(ext.uri, found.preferredId);
		headerExtensions.push({ ...found, preferredId: ext.id });
	}
	const params = answer({ ...caps, headerExtensions });
	for (const e of params.headerExtensions) e.id = own.get(e.uri);
	return params;
}

const functions = {
	checkCaps(caps) {
		oracle.validateAndNormalizeRtpCapabilities(caps);
		return caps;
	},
	checkParams(params) {
		oracle.validateAndNormalizeRtpParameters(params);
		return params;
	},
	router: codecs => withoutPacketId(oracle.generateRouterRtpCapabilities(codecs)),
	mapping(params, caps) {
		const mapping = oracle.getProducerRtpParametersMapping(params, caps);
		mapping.encodings.forEach((e, i) => { e.mappedSsrc = FIRST + i; });
		return [mapping, params];
	},
	consumable: (kind, params, caps, mapping) => oracle.getConsumableRtpParameters(kind, params, caps, mapping),
	canConsume: (consumable, caps) => oracle.canConsume(consumable, caps),
	consumer: (consumable, caps, enableRtx, pipe) => withOwnIds(consumable, caps, known => renumber(clone(
		oracle.getConsumerRtpParameters({ consumableRtpParameters: consumable, remoteRtpCapabilities: known, pipe, enableRtx })), pipe)),
	pipe: (consumable, enableRtx) => renumber(clone(oracle.getPipeConsumerRtpParameters({
		consumableRtpParameters: consumable, enableRtx })), true),
};

// ---- comparing -------------------------------------------------------------------------------------------------------------------

const OPTIONAL = new Set(['mid', 'ssrc', 'rid', 'rtx', 'scalabilityMode', 'cname', 'msid', 'maxBitrate']);

// Members in order, optional ones that say nothing left out.
function canonical(v, key) {
	if (Array.isArray(v)) return v.map(e => canonical(e));
	if (v === null || typeof v !== 'object') return v;
	const out = {};
	for (const k of Object.keys(v).sort()) {
		if (v[k] === undefined || (OPTIONAL.has(k) && !v[k])) continue;
		if (k === 'preferredPayloadType' && !v[k] && v[k] !== 0) continue;
		out[k] = key === 'parameters' ? v[k] : canonical(v[k], k);
	}
	return out;
}

const DEVIATIONS = [
	/ is out of range$/, / is not a whole number$/, / is longer than /, / has more than /, /^more than \d+ parameters$/, / is there twice$/,
	/^too many or too deeply nested/, /^mimeType is neither/, / has an element that is not an object$/, / is an array$/, /^rid has a character/,
	/ has a control character$/, /^maxBitrate is not a positive number$/, /^ssrc of rtx is missing/, /^parameter is missing or not a string$/,
	/ is not one of the (audio|video) codecs of the router$/, /^(capabilities|parameters) are not an object$/, /^(rtcp|rtx|a codec) is not an object$/,
];

const counts = { same: 0, refused: 0, deviated: 0 };
const reasons = new Map();
const perFunction = {};

async function compare(name, ...args) {
	const mine = await ours(name, ...args);
	const tally = (perFunction[name] ??= { same: 0, refused: 0, deviated: 0 });
	let theirs, why;
	try {
		theirs = { ok: clone(functions[name](...clone(args))) };
	} catch (error) {
		why = String(error.message);
	}
	const fail = text => {
		console.log(`${name}: ${text}\n in: ${JSON.stringify(args)}\n mediasoup: ${theirs ? JSON.stringify(canonical(theirs.ok)) : why}`
			+ `\n ours: ${mine.error ?? JSON.stringify(canonical(mine.ok))}`);
		process.exit(1);
	};
	if (mine.error && !theirs) counts.refused++, tally.refused++;
	else if (mine.error) {
		const known = DEVIATIONS.find(d => d.test(mine.error));
		if (!known) fail('we refuse, mediasoup does not');
		counts.deviated++, tally.deviated++;
		reasons.set(String(known), (reasons.get(String(known)) ?? 0) + 1);
	} else if (!theirs) fail('mediasoup refuses, we do not');
	else if (JSON.stringify(canonical(mine.ok)) !== JSON.stringify(canonical(theirs.ok))) fail('the answers differ');
	else counts.same++, tally.same++;
	return mine.ok;
}

// ---- questions -------------------------------------------------------------------------------------------------------------------

const VIDEO_FB = [{ type: 'goog-remb' }, { type: 'transport-cc' }, { type: 'ccm', parameter: 'fir' }, { type: 'nack' }, { type: 'nack', parameter: 'pli' }];
const MEDIA = [
	{ mimeType: 'audio/opus', clockRate: 48000, channels: 2 },
	{ mimeType: 'video/VP8', clockRate: 90000 },
	{ mimeType: 'video/VP9', clockRate: 90000, parameters: { 'profile-id': 0 } },
	{ mimeType: 'video/VP9', clockRate: 90000, parameters: { 'profile-id': 2, 'x-google-start-bitrate': 500 } },
	{ mimeType: 'video/h264', clockRate: 90000, parameters: { 'packetization-mode': 1, 'profile-level-id': '42e01f', 'level-asymmetry-allowed': 1 } },
	{ mimeType: 'video/H264', clockRate: 90000, parameters: { 'packetization-mode': 1, 'profile-level-id': '4d0032', 'level-asymmetry-allowed': 1 } },
	{ mimeType: 'video/H264', clockRate: 90000, parameters: { 'packetization-mode': 0, 'profile-level-id': '640c34' } },
	{ mimeType: 'video/H264', clockRate: 90000 },
	{ mimeType: 'video/AV1', clockRate: 90000 },
	{ mimeType: 'audio/PCMU', clockRate: 8000 },
	{ mimeType: 'audio/PCMA', clockRate: 8000, channels: 1 },
	{ mimeType: 'audio/CN', clockRate: 16000 },
	{ mimeType: 'audio/G722', clockRate: 8000, preferredPayloadType: 9 },
	{ mimeType: 'audio/telephone-event', clockRate: 48000 },
	{ mimeType: 'audio/multiopus', clockRate: 48000, channels: 6, parameters: { channel_mapping: '0,4,1,2,3,5', num_streams: 4, coupled_streams: 2 } },
	{ mimeType: 'audio/multiopus', clockRate: 48000, channels: 4, parameters: { num_streams: 2, coupled_streams: '2' } },
	{ mimeType: 'audio/multiopus', clockRate: 48000, channels: 8, parameters: { num_streams: 5, coupled_streams: 3 } },
	{ mimeType: 'audio/red', clockRate: 48000, channels: 2 },
	{ mimeType: 'audio/iLBC', clockRate: 8000 },
	{ mimeType: 'audio/ISAC', clockRate: 32000 },
	{ mimeType: 'audio/SILK', clockRate: 12000 },
	{ mimeType: 'audio/CN', clockRate: 32000 },
	{ mimeType: 'audio/telephone-event', clockRate: 8000 },
	{ mimeType: 'video/H265', clockRate: 90000 },
	{ mimeType: 'video/theora', clockRate: 90000 },
	{ mimeType: 'video/rtx', clockRate: 90000, parameters: { apt: 101 } },
];
const LEVELS = ['42e01f', '42001f', '42E01F', '420034', '4d001f', '4d0032', '640c1f', '64001f', 'f4001f', '58c01f', '588034', '4d801f', '42f01f', '000000', 'zzzzzz',
	'42e0', '42e099', '64001f00', ''];
const ODD = [null, true, false, 0, 1, -1, 1.5, 127, 128, 4294967296, '', 'x', 'audio', '1', [], {}, [1], [{}], ['x'], { a: 1 }, 'video/VP8', 'audio/opus', 90000, 101];
const MODES = [undefined, 'L1T3', 'L3T3_KEY', 'S3T3', 'L1T1', 'L0T3', 'nonsense', 'L12T12h', ''];

// As browsers shake it: other case, other profile, other feedback.
function vary(codec) {
	const c = clone(codec);
	if (chance(0.1)) c.mimeType = chance(0.5) ? c.mimeType.toUpperCase() : c.mimeType.toLowerCase();
	if (/h264/i.test(c.mimeType) && chance(0.4)) c.parameters = { ...c.parameters, 'profile-level-id': pick(LEVELS) };
	if (/h264/i.test(c.mimeType) && chance(0.3)) c.parameters = { ...c.parameters, 'level-asymmetry-allowed': pick([0, 1, '1', '0', 2]) };
	if (/h264/i.test(c.mimeType) && chance(0.3)) c.parameters = { ...c.parameters, 'packetization-mode': pick([0, 1, '1', '']) };
	if (/vp9/i.test(c.mimeType) && chance(0.3)) c.parameters = { ...c.parameters, 'profile-id': pick([0, 1, 2, '0', '2', '']) };
	if (chance(0.7)) c.rtcpFeedback = clone(VIDEO_FB).filter(() => chance(0.8));
	return c;
}

function mediaCodecs() {
	const list = [];
	for (let n = below(7); n >= 0; n--) {
		const c = chance(0.7) ? vary(pick(MEDIA.slice(0, 9))) : vary(pick(MEDIA));
		if (chance(0.03)) c.preferredPayloadType = pick([96, 100, 101, 105, 8, 0, 127, 35]);
		list.push(c);
	}
	return list;
}

function parameters(router) {
	const kind = pick(['audio', 'video', 'video']);
	const codecs = [];
	let pt = 96;
	for (let n = 1 + below(3); n > 0; n--) {
		const known = router.codecs.filter(c => c.kind === kind && !/rtx$/.test(c.mimeType));
		const from = known.length && chance(0.9) ? pick(known) : pick(MEDIA);
		const c = vary({ mimeType: from.mimeType, clockRate: from.clockRate, channels: from.channels, parameters: from.parameters, rtcpFeedback: from.rtcpFeedback });
		c.payloadType = pt++;
		codecs.push(c);
		if (kind === 'video' && chance(0.6))
			codecs.push({ mimeType: 'video/rtx', payloadType: pt++, clockRate: 90000, parameters: { apt: chance(0.95) ? c.payloadType : 96 + below(6) } });
	}
	const headerExtensions = router.headerExtensions.filter(e => e.kind === kind && chance(0.7)).map(e => ({ uri: e.uri, id: e.preferredId }));
	const n = kind === 'audio' ? 1 : pick([0, 1, 1, 2, 3, 3, 4]);
	const encodings = [];
	const mode = pick(MODES);
	for (let i = 0; i < n; i++) {
		const e = {};
		if (chance(0.5)) e.rid = `r${i}`;
		if (chance(0.5)) e.ssrc = 1111 * (i + 1);
		if (chance(0.3)) e.rtx = { ssrc: 5000 + i };
		if (chance(0.8) && mode !== undefined) e.scalabilityMode = mode;
		if (chance(0.5)) e.maxBitrate = pick([0, 150000, 500000, 2500000]);
		if (chance(0.1)) Object.assign(e, { dtx: true, scaleResolutionDownBy: 2, codecPayloadType: 96, adaptivePtime: false });
		encodings.push(e);
	}
	const params = { codecs, headerExtensions, encodings, rtcp: pick([undefined, {}, { cname: '' }, { cname: 'abc', reducedSize: false }]) };
	if (chance(0.5)) params.mid = '0';
	if (chance(0.3)) params.msid = 'stream track';
	return [kind, params];
}

function capabilities(router) {
	const codecs = router.codecs.filter(() => chance(0.85)).map(c => {
		const v = /rtx$/.test(c.mimeType) ? clone(c) : vary(c);
		if (chance(0.1)) delete v.preferredPayloadType;
		return v;
	});
	if (chance(0.3)) codecs.reverse();
	for (let n = below(3); n > 0; n--) codecs.push({ ...vary(pick(MEDIA)), preferredPayloadType: 30 + n });
	const headerExtensions = clone(router.headerExtensions).filter(() => chance(0.8));
	if (chance(0.1) && headerExtensions.length) pick(headerExtensions).preferredId = 13;
	return { codecs, headerExtensions };
}

// One value somewhere is something else, or gone.
function spoil(value) {
	const places = [];
	const walk = v => {
		for (const k of Object.keys(v)) {
			places.push([v, k]);
			if (v[k] && typeof v[k] === 'object') walk(v[k]);
		}
	};
	walk(value);
	if (!places.length) return value;
	const [where, key] = pick(places);
	if (chance(0.3) && !Array.isArray(where)) delete where[key];
	else where[key] = clone(pick(ODD));
	return value;
}

const maybeSpoilt = v => {
	for (let n = pick([0, 0, 1, 1, 2]); n > 0; n--) spoil(v);
	return v;
};

// The spoilt value's answer, or that of the sound one when it is refused.
async function spoiltOrSound(name, value) {
	return await compare(name, maybeSpoilt(clone(value))) ?? compare(name, value);
}

async function round() {
	const router = await spoiltOrSound('router', mediaCodecs());
	if (!router) return;
	const caps = await spoiltOrSound('checkCaps', capabilities(router));
	const [kind, raw] = parameters(router);
	const params = await spoiltOrSound('checkParams', raw);
	if (!params) return;
	const mapped = await compare('mapping', params, router);
	if (!mapped) return;
	const consumable = await compare('consumable', kind, mapped[1], router, mapped[0]);
	if (!consumable) return;
	for (const enableRtx of [true, false]) {
		await compare('pipe', consumable, enableRtx);
		if (!caps) continue;
		await compare('consumer', consumable, caps, enableRtx, false);
		await compare('consumer', consumable, caps, enableRtx, true);
	}
	if (caps) await compare('canConsume', consumable, caps);
}

// Shapes that hardly come up by chance.
async function byHand() {
	for (const odd of [...ODD, undefined]) {
		if (odd === undefined) continue;
		await compare('checkCaps', clone(odd));
		await compare('checkParams', clone(odd));
		await compare('router', clone(odd));
	}
	for (const codec of MEDIA) await compare('router', [clone(codec)]);
	await compare('router', MEDIA.slice(0, 6));
	await compare('router', Array.from({ length: 20 }, () => clone(MEDIA[1])));
	await compare('router', [clone(MEDIA[1]), { ...MEDIA[1], preferredPayloadType: 100 }]);
	await compare('router', [clone(MEDIA[1]), { ...MEDIA[1], preferredPayloadType: 101 }]);
}

(async () => {
	await byHand();
	for (let i = 0; i < rounds; i++) await round();
	child.stdin.end();
	console.log(`seed ${seedText}: ${counts.same} same, ${counts.refused} refused by both, ${counts.deviated} by our bounds`);
	for (const [name, t] of Object.entries(perFunction)) console.log(`  ${name}: ${t.same} same, ${t.refused} refused, ${t.deviated} deviated`);
	for (const [reason, n] of reasons) console.log(`  ${n} ${reason}`);
})();
