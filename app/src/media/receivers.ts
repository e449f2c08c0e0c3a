// The consumers of one receiving transport, and how much of each video is wanted.
//
// A video consumer starts paused at the server. It is resumed when its tile is on the screen, with the layer that the tile's width
// needs, and paused again when it is not.

import type { types } from 'mediasoup-client';

import type { NewConsumer, Source } from '../protocol/messages';
import type { Signals } from '../protocol/signaling';
import { spatialLayerFor, TEMPORAL_LAYER } from './layers';

export interface RemoteTrack {
  consumerId: string;
  producerId: string;
  peerId: string;
  source: Source;
  kind: types.MediaKind;
  track: MediaStreamTrack;
  /** The sender muted it or holds it. */
  paused: boolean;
}

export interface ReceiverEvents {
  added(track: RemoteTrack): void;
  paused(consumerId: string, paused: boolean): void;
  removed(consumerId: string): void;
}

interface Receiver {
  consumer: types.Consumer;
  shown: boolean;
  layer: number;
}

type ConsumeFn = (data: NewConsumer) => Promise<types.Consumer>;

const RETRY_MS = 500;

export class Receivers {
  private readonly all = new Map<string, Receiver>();
  private readonly widths = new Map<string, number>();
  /** Said of consumers that are still being made: false, or true for paused, or gone. */
  private readonly early = new Map<string, boolean | 'gone'>();
  private closed = false;

  constructor(
    private readonly consume: ConsumeFn,
    private readonly signals: Pick<Signals, 'notify'>,
    private readonly events: ReceiverEvents,
  ) {}

  async add(data: NewConsumer): Promise<void> {
    if (this.closed) return;
    if (this.all.has(data.id) || this.early.has(data.id)) return this.setPaused(data.id, data.producerPaused);
    this.early.set(data.id, data.producerPaused);
    const consumer = await this.tryConsume(data);
    const said = this.early.get(data.id);
    this.early.delete(data.id);
    if (!consumer) return;
    if (this.closed || said === 'gone') return consumer.close();
    this.all.set(data.id, { consumer, shown: data.kind === 'audio', layer: -1 });
    this.events.added({
      consumerId: data.id,
      producerId: data.producerId,
      peerId: data.peerId,
      source: data.appData.source,
      kind: data.kind,
      track: consumer.track,
      paused: said === true,
    });
    this.apply(data.id);
  }

  remove(consumerId: string): void {
    if (this.early.has(consumerId)) this.early.set(consumerId, 'gone');
    const receiver = this.all.get(consumerId);
    if (!receiver) return;
    this.all.delete(consumerId);
    receiver.consumer.close();
    this.events.removed(consumerId);
  }

  setPaused(consumerId: string, paused: boolean): void {
    if (this.early.has(consumerId)) this.early.set(consumerId, paused);
    if (this.all.has(consumerId)) this.events.paused(consumerId, paused);
  }

  /** `living`: the consumers that the server still has. It may have missed what is shown of them. */
  resume(living: readonly string[]): void {
    for (const id of [...this.all.keys()]) if (!living.includes(id)) this.remove(id);
    for (const [id, receiver] of this.all) {
      if (receiver.consumer.kind !== 'video') continue;
      receiver.layer = -1;
      receiver.shown = !((this.widths.get(id) ?? 0) > 0);
      this.apply(id);
    }
  }

  /** The width, in CSS pixels, in which a video is on the screen; 0 when it is not. May come before the consumer exists. */
  show(consumerId: string, width: number): void {
    if (width > 0) this.widths.set(consumerId, width);
    else this.widths.delete(consumerId);
    this.apply(consumerId);
  }

  get(consumerId: string): types.Consumer | undefined {
    return this.all.get(consumerId)?.consumer;
  }

  consumers(): types.Consumer[] {
    return [...this.all.values()].map((r) => r.consumer);
  }

  close(): void {
    this.closed = true;
    for (const [id, { consumer }] of this.all) {
      consumer.close();
      this.events.removed(id);
    }
    this.all.clear();
    this.widths.clear();
  }

  private async tryConsume(data: NewConsumer): Promise<types.Consumer | null> {
    for (let tries = 0; tries < 2 && !this.closed; tries++) {
      try {
        return await this.consume(data);
      } catch (error) {
        console.warn('consume', data.id, error);
        await new Promise((done) => setTimeout(done, RETRY_MS));
      }
    }
    return null;
  }

  private apply(consumerId: string): void {
    const receiver = this.all.get(consumerId);
    if (!receiver || receiver.consumer.kind !== 'video') return;
    const width = this.widths.get(consumerId) ?? 0;
    const shown = width > 0;
    const layer = spatialLayerFor(width);
    // Before the resume, so that the first picture is in the right layer.
    if (shown && layer !== receiver.layer) {
      receiver.layer = layer;
      this.signals.notify('setConsumerPreferredLayers', {
        consumerId,
        spatialLayer: layer,
        temporalLayer: TEMPORAL_LAYER,
      });
    }
    if (shown !== receiver.shown) {
      receiver.shown = shown;
      if (shown) receiver.consumer.resume();
      else receiver.consumer.pause();
      this.signals.notify(shown ? 'resumeConsumer' : 'pauseConsumer', { consumerId });
    }
  }
}
