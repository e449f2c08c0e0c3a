import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';

import { problemOf } from './devices';
import { codecName, pickCodec, simulcastEncodings, videoEncodings } from './encodings';
import { spatialLayerFor } from './layers';
import { levelToBar } from './levels';
import { FIRST_MS, LinkWatch, PATIENCE_MS, RESTART_MS } from './linkWatch';
import { judge, QualityReader } from './quality';
import { SpeakerDetector } from './speaker';

describe('encodings', () => {
  it.each([[320, 2], [640, 2], [1280, 3], [1920, 3]])('a camera of %i has %i layers', (width, layers) => {
    const encodings = simulcastEncodings(width);
    expect(encodings.map((e) => e.rid)).toEqual(['r0', 'r1', 'r2'].slice(0, layers));
    expect(encodings[layers - 1]!.scaleResolutionDownBy).toBe(1);
    expect(encodings[0]!.scaleResolutionDownBy).toBe(2 ** (layers - 1));
  });
  it('cameras have layers with every codec', () => {
    expect(videoEncodings('webcam', 'vp8', 1280)).toHaveLength(3);
    expect(videoEncodings('webcam', 'h264', 640)).toHaveLength(2);
    expect(videoEncodings('webcam', 'vp9', 1280).map((e) => e.scalabilityMode)).toEqual(['L3T3_KEY']);
    expect(videoEncodings('webcam', 'av1', 640).map((e) => e.scalabilityMode)).toEqual(['L1T3']);
    expect(videoEncodings('screen', 'vp8', 1920)).toHaveLength(1);
  });
  it('falls back to VP8', () => {
    const codecs = ['audio/opus', 'video/H264', 'video/rtx', 'video/VP8'].map((mimeType) => ({
      kind: mimeType.startsWith('audio') ? 'audio' : 'video', mimeType, clockRate: 90000,
    })) as unknown as Parameters<typeof pickCodec>[0];
    expect(pickCodec(codecs, 'h264')?.mimeType).toBe('video/H264');
    expect(pickCodec(codecs, 'av1')?.mimeType).toBe('video/VP8');
  });
  it('knows codecs by both spellings', () => {
    expect(codecName('video/VP9')).toBe('vp9');
    expect(codecName('AV1')).toBe('av1');
    expect(codecName('h265')).toBeUndefined();
    expect(codecName(null)).toBeUndefined();
  });
});

it.each([[100, 0], [479, 0], [480, 1], [959, 1], [960, 2]])('a width of %i needs layer %i', (width, layer) => {
  expect(spatialLayerFor(width)).toBe(layer);
});

it.each([['NotAllowedError', 'denied'], ['NotFoundError', 'none'], ['NotReadableError', 'busy'], ['Whatever', 'failed']])(
  '%s is "%s"', (name, problem) => expect(problemOf({ name })).toBe(problem));

it('a bar moves within its bounds', () => {
  expect(levelToBar(0)).toBe(0);
  expect(levelToBar(1)).toBe(1);
  expect(levelToBar(0.01)).toBeGreaterThan(0.3);
});

describe('SpeakerDetector', () => {
  const run = (detector: SpeakerDetector, levels: Record<string, number>, fromMs: number, times: number) => {
    let speaker: string | null = null;
    for (let i = 0; i < times; i++) speaker = detector.update(new Map(Object.entries(levels)), fromMs + i * 200);
    return speaker;
  };
  it('hears nobody in silence', () => expect(run(new SpeakerDetector(), { a: 0, b: 0.001 }, 0, 5)).toBeNull());
  it('follows the one who talks', () => {
    const d = new SpeakerDetector();
    expect(run(d, { a: 0.2, b: 0 }, 0, 3)).toBe('a');
    expect(run(d, { a: 0, b: 0.2 }, 600, 6)).toBe('b');
  });
  it('leaves the floor to who has it when another is as loud', () => {
    const d = new SpeakerDetector();
    run(d, { a: 0.2, b: 0 }, 0, 5);
    expect(run(d, { a: 0.2, b: 0.22 }, 1000, 20)).toBe('a');
  });
  it('holds it for a moment of silence, not longer', () => {
    const d = new SpeakerDetector();
    run(d, { a: 0.05 }, 0, 5);
    expect(run(d, { a: 0 }, 1000, 3)).toBe('a');
    expect(run(d, { a: 0 }, 1600, 40)).toBeNull();
  });
  it('forgets who left', () => {
    const d = new SpeakerDetector();
    run(d, { a: 0.2 }, 0, 3);
    expect(run(d, { b: 0 }, 600, 1)).toBeNull();
  });
});

describe('quality', () => {
  const inbound = (lost: number, received: number) =>
    [new Map([['i', { id: 'i', type: 'inbound-rtp', packetsLost: lost, packetsReceived: received }]])];
  it('is of what came since the last reading', () => {
    const reader = new QualityReader();
    expect(reader.read(inbound(50, 100)).lossIn).toBe(0);
    expect(reader.read(inbound(50, 300)).lossIn).toBe(0);
    expect(reader.read(inbound(100, 350)).lossIn).toBe(0.5);
  });
  it('is judged by loss and delay', () => {
    const r = { lossIn: 0, lossOut: 0, rttMs: 40, limited: false };
    expect(judge(r)).toBe('good');
    expect(judge({ ...r, lossOut: 0.05 })).toBe('fair');
    expect(judge({ ...r, rttMs: 900 })).toBe('poor');
  });
});

describe('LinkWatch', () => {
  beforeEach(() => void vi.useFakeTimers());
  afterEach(() => void vi.useRealTimers());
  const make = () => {
    const actions = { up: vi.fn(), lost: vi.fn(), reopen: vi.fn(), restart: vi.fn().mockResolvedValue(undefined) };
    return { actions, watch: new LinkWatch(actions) };
  };
  it('is up when all known transports are', () => {
    const { actions, watch } = make();
    watch.update('send', 'connecting');
    watch.update('send', 'connected');
    expect(actions.up).toHaveBeenCalledTimes(1);
  });
  it('has patience with a short loss', async () => {
    const { actions, watch } = make();
    watch.update('send', 'connected');
    watch.update('send', 'disconnected');
    await vi.advanceTimersByTimeAsync(PATIENCE_MS - 100);
    watch.update('send', 'connected');
    await vi.advanceTimersByTimeAsync(RESTART_MS * 3);
    expect(actions.lost).not.toHaveBeenCalled();
  });
  it('restarts ICE, then opens the connection again', async () => {
    const { actions, watch } = make();
    watch.update('recv', 'failed');
    expect(actions.restart).toHaveBeenCalledTimes(1);
    await vi.advanceTimersByTimeAsync(RESTART_MS);
    expect(actions.reopen).toHaveBeenCalledTimes(1);
  });
  it('does not wait when the server will not restart', async () => {
    const { actions, watch } = make();
    actions.restart.mockRejectedValue(new Error('no'));
    watch.update('recv', 'failed');
    await vi.advanceTimersByTimeAsync(1);
    expect(actions.reopen).toHaveBeenCalledTimes(1);
    await vi.advanceTimersByTimeAsync(RESTART_MS * 2);
    expect(actions.reopen).toHaveBeenCalledTimes(1);
  });
  it('gives a first connection its time', async () => {
    const { actions, watch } = make();
    watch.update('send', 'connecting');
    await vi.advanceTimersByTimeAsync(FIRST_MS);
    expect(actions.lost).toHaveBeenCalledTimes(1);
    watch.close();
    await vi.advanceTimersByTimeAsync(RESTART_MS * 2);
    expect(actions.reopen).not.toHaveBeenCalled();
  });
});
