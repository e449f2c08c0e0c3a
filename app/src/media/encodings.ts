// How each source is encoded when it is sent.

import type { types } from 'mediasoup-client';

import type { Source } from '../protocol/messages';

export type CodecName = 'vp8' | 'vp9' | 'h264' | 'av1';
export const CODEC_NAMES: readonly CodecName[] = ['vp8', 'vp9', 'h264', 'av1'];

export function codecName(text: string | null | undefined): CodecName | undefined {
  const name = text?.toLowerCase().replace(/^video\//, '');
  return CODEC_NAMES.find((known) => known === name);
}

/** The wanted codec if both sides have it, else VP8, else whatever comes first. */
export function pickCodec(
  codecs: readonly types.RtpCodecCapability[],
  wanted: CodecName,
): types.RtpCodecCapability | undefined {
  const find = (name: string) => codecs.find((c) => c.mimeType.toLowerCase() === `video/${name}`);
  return find(wanted) ?? find('vp8') ?? codecs.find((c) => c.kind === 'video' && !/\/rtx$/i.test(c.mimeType));
}

const LAYER_BITRATES = [150_000, 500_000, 1_500_000];
const SCREEN_BITRATE = 2_500_000;

/** Simulcast layers of a camera, the smallest first; `width` is the captured one. */
export function simulcastEncodings(width: number): types.RtpEncodingParameters[] {
  const layers = width >= 960 ? 3 : 2;
  return Array.from({ length: layers }, (_, i) => ({
    rid: `r${i}`,
    active: true,
    scaleResolutionDownBy: 2 ** (layers - 1 - i),
    maxBitrate: LAYER_BITRATES[i],
    scalabilityMode: 'L1T3',
  }));
}

/**
 * VP8 and H264 have no spatial layers: several streams. VP9 has: one stream, of which viewers are sent the layer that they have use
 * for. AV1's could not be told apart by browsers, which get no dependency descriptor: frame rates only.
 */
export function videoEncodings(source: Source, codec: CodecName, width: number): types.RtpEncodingParameters[] {
  if (source === 'screen') return [{ maxBitrate: SCREEN_BITRATE }];
  if (codec === 'vp8' || codec === 'h264') return simulcastEncodings(width);
  if (codec === 'vp9')
    return width >= 960
      ? [{ maxBitrate: 1_800_000, scalabilityMode: 'L3T3_KEY' }]
      : [{ maxBitrate: 550_000, scalabilityMode: 'L2T3_KEY' }];
  return [{ maxBitrate: Math.min(1_000_000, Math.max(300_000, Math.round(width * 1200))), scalabilityMode: 'L1T3' }];
}

export const MIC_CODEC_OPTIONS: types.ProducerCodecOptions = {
  opusStereo: false,
  opusDtx: true,
  opusFec: true,
  opusPtime: 20,
};

export const SCREEN_AUDIO_CODEC_OPTIONS: types.ProducerCodecOptions = { opusStereo: true, opusDtx: false, opusFec: true };

export const VIDEO_CODEC_OPTIONS: types.ProducerCodecOptions = { videoGoogleStartBitrate: 500 };
