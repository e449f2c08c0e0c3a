// Everything that one `mediaConfiguration` of the server stands for: a device, two transports, senders and receivers.
//
// When the server sends a new configuration (its media worker was replaced, or after a reconnect nothing was left), the old session is
// closed and a new one is made, which produces again whatever is wanted. A session whose transports work outlives its signalling
// connection: after a reconnect both sides compare what they have (resume).

import type { types } from 'mediasoup-client';

import type { KeptMedia, MediaConfiguration, NewConsumer, Source } from '../protocol/messages';
import type { Signals } from '../protocol/signaling';
import {
  codecName, MIC_CODEC_OPTIONS, pickCodec, SCREEN_AUDIO_CODEC_OPTIONS, VIDEO_CODEC_OPTIONS, videoEncodings, type CodecName,
} from './encodings';
import { Receivers, type ReceiverEvents } from './receivers';
import { Sender, type SenderEvents, type Wanted } from './sender';

export type LinkState = 'new' | 'connecting' | 'connected' | 'disconnected' | 'failed';

export interface SessionEvents extends ReceiverEvents, SenderEvents {
  /** Of one of the two transports. */
  link(direction: 'send' | 'recv', state: LinkState): void;
}

const CAMERA_SOURCES: readonly Source[] = ['webcam', 'extravideo'];

export class MediaSession {
  readonly receivers: Receivers;
  private readonly senders = new Map<Source, Sender>();
  private readonly transports: Partial<Record<'send' | 'recv', types.Transport>> = {};
  private readonly ready: Promise<void>;
  private markReady!: () => void;
  private closed = false;

  constructor(
    private readonly device: types.Device,
    private readonly conf: MediaConfiguration,
    private readonly signals: Signals,
    private readonly events: SessionEvents,
    private readonly codec: CodecName,
  ) {
    this.ready = new Promise((done) => (this.markReady = done));
    this.receivers = new Receivers((data) => this.consume(data), signals, events);
  }

  /** Makes the transports: the sending one first. Throws when the server does not answer. */
  async open(): Promise<void> {
    this.transports.send ??= await this.makeTransport('send');
    this.transports.recv ??= await this.makeTransport('recv');
    if (!this.closed) this.markReady();
  }

  want(source: Source, wanted: Wanted): void {
    let sender = this.senders.get(source);
    if (!sender) {
      if (!wanted.track) return;
      sender = new Sender(source, (s, track) => this.produce(s, track), this.signals, this.events);
      this.senders.set(source, sender);
    }
    sender.want(wanted);
  }

  /** The server closed a producer of ours: which source it was. */
  producerClosed(producerId: string): Source | undefined {
    for (const [source, sender] of this.senders) {
      if (sender.producer?.id !== producerId) continue;
      sender.closedByServer();
      return source;
    }
    return undefined;
  }

  /** Nobody wants more than this layer: the ones above need not be encoded. */
  limitLayer(producerId: string, spatialLayer: number): void {
    for (const { producer } of this.senders.values()) {
      const layers = producer?.rtpParameters.encodings?.length ?? 0;
      if (producer?.id === producerId && producer.kind === 'video' && layers > 1)
        producer.setMaxSpatialLayer(Math.min(spatialLayer, layers - 1)).catch(() => undefined);
    }
  }

  /** Its transports work, as far as they were needed: it can go on without the signalling connection that it was made over. */
  get resumable(): boolean {
    const transports = Object.values(this.transports);
    return !this.closed && transports.length === 2
      && transports.every((t) => t.connectionState === 'connected' || t.connectionState === 'new');
  }

  /** After a reconnect: what the server has closed meanwhile goes, and it is told again what it may have missed. False: it has not got
   * what this session stands on. */
  resume(kept: KeptMedia): boolean {
    if (!Object.values(this.transports).every((t) => kept.transports.includes(t.id))) return false;
    for (const sender of this.senders.values()) sender.resume(kept.producers);
    this.receivers.resume(kept.consumers);
    return true;
  }

  has(transportId: string): boolean {
    return Object.values(this.transports).some((t) => t.id === transportId);
  }

  setIceServers(iceServers: RTCIceServer[]): void {
    for (const transport of Object.values(this.transports))
      transport.updateIceServers({ iceServers }).catch(() => undefined);
  }

  /** New ICE credentials for both transports; throws when the server will not. */
  async restartIce(): Promise<void> {
    for (const transport of Object.values(this.transports)) {
      const { iceParameters } = await this.signals.request('restartIce', { transportId: transport.id });
      await transport.restartIce({ iceParameters });
    }
  }

  stats(): Promise<RTCStatsReport[]> {
    return Promise.all(Object.values(this.transports).map((t) => t.getStats()));
  }

  close(): void {
    this.closed = true;
    for (const sender of this.senders.values()) sender.close();
    this.receivers.close();
    for (const transport of Object.values(this.transports)) transport.close();
  }

  private async makeTransport(direction: 'send' | 'recv'): Promise<types.Transport> {
    const params = await this.signals.request('createWebRtcTransport', {
      forceTcp: false,
      producing: direction === 'send',
      consuming: direction === 'recv',
      enableSctp: true,
    });
    const options = { ...params, iceServers: this.conf.iceServers ?? [] };
    const transport =
      direction === 'send' ? this.device.createSendTransport(options) : this.device.createRecvTransport(options);
    transport.on('connect', ({ dtlsParameters }, done, failed) => {
      this.signals.request('connectWebRtcTransport', { transportId: transport.id, dtlsParameters }).then(done, failed);
    });
    transport.on('connectionstatechange', (state) => {
      if (!this.closed && state !== 'closed') this.events.link(direction, state);
    });
    if (direction === 'send')
      transport.on('produce', ({ kind, rtpParameters, appData }, done, failed) => {
        const source = appData.source as Source;
        this.signals
          .request('produce', { transportId: transport.id, kind, rtpParameters, appData: { source } })
          .then(done, failed);
      });
    if (this.closed) transport.close();
    return transport;
  }

  private async produce(source: Source, track: MediaStreamTrack): Promise<types.Producer> {
    await this.ready;
    const common = { track, stopTracks: false, disableTrackOnPause: false, zeroRtpOnPause: true, appData: { source } };
    const send = this.transports.send!;
    if (track.kind === 'audio') {
      const codecOptions = source === 'mic' ? MIC_CODEC_OPTIONS : SCREEN_AUDIO_CODEC_OPTIONS;
      return send.produce({ ...common, codecOptions });
    }
    const codec = pickCodec(this.device.sendRtpCapabilities.codecs ?? [], this.codec);
    const name = codecName(codec?.mimeType) ?? 'vp8';
    const width = track.getSettings().width ?? (CAMERA_SOURCES.includes(source) ? 640 : 1920);
    const encodings = videoEncodings(source, name, width);
    return send.produce({ ...common, codec, encodings, codecOptions: VIDEO_CODEC_OPTIONS });
  }

  private async consume(data: NewConsumer): Promise<types.Consumer> {
    await this.ready;
    return this.transports.recv!.consume({
      id: data.id,
      producerId: data.producerId,
      kind: data.kind,
      rtpParameters: data.rtpParameters,
      // One person's voice and face are kept in step; a shared screen is a stream of its own.
      streamId: `${data.peerId}-${data.appData.source.startsWith('screen') ? 'screen' : 'cam'}`,
      appData: { ...data.appData, peerId: data.peerId },
    });
  }
}
