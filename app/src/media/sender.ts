// Keeps one source as it is wanted: off, on or muted.
//
// What is wanted may change at any time, also while the last change is under way; the sender goes on until both agree. Muted before
// it was ever on, nothing is produced: no sound leaves by accident, and late joiners see the same as for a paused producer.

import type { types } from 'mediasoup-client';

import type { Source } from '../protocol/messages';
import type { Signals } from '../protocol/signaling';

export interface Wanted {
  track: MediaStreamTrack | null;
  muted: boolean;
}

export type ProduceFn = (source: Source, track: MediaStreamTrack) => Promise<types.Producer>;

export interface SenderEvents {
  failed(source: Source, error: unknown): void;
}

export class Sender {
  producer: types.Producer | null = null;
  private wanted: Wanted = { track: null, muted: false };
  private running = false;
  private closed = false;

  constructor(
    private readonly source: Source,
    private readonly produce: ProduceFn,
    private readonly signals: Pick<Signals, 'notify'>,
    private readonly events: SenderEvents,
  ) {}

  want(wanted: Wanted): void {
    this.wanted = wanted;
    void this.run();
  }

  /** The server closed the producer: what was wanted is off now, and there is nobody to tell. */
  closedByServer(): void {
    this.wanted = { track: null, muted: false };
    this.producer?.close();
    this.producer = null;
  }

  /** `living`: the producers that the server still has. It may have missed whether ours is muted. */
  resume(living: readonly string[]): void {
    if (!this.producer) return;
    if (!living.includes(this.producer.id)) {
      this.producer.close();
      this.producer = null;
    } else {
      const method = this.producer.paused ? 'pauseProducer' : 'resumeProducer';
      this.signals.notify(method, { producerId: this.producer.id });
    }
    void this.run();
  }

  close(): void {
    this.closed = true;
    this.producer?.close();
    this.producer = null;
  }

  private async run(): Promise<void> {
    if (this.running) return;
    this.running = true;
    try {
      while (!this.closed && (await this.step()));
    } catch (error) {
      if (!this.closed) {
        this.wanted = { track: null, muted: false };
        this.events.failed(this.source, error);
      }
    } finally {
      this.running = false;
    }
  }

  /** One change towards what is wanted; false when there is none to make. */
  private async step(): Promise<boolean> {
    const { track, muted } = this.wanted;
    const producer = this.producer;
    if (!producer) {
      if (!track || muted) return false;
      await this.start(track);
      return true;
    }
    if (!track) {
      this.stop(producer);
      return true;
    }
    if (producer.track !== track) {
      await producer.replaceTrack({ track });
      return true;
    }
    if (producer.paused !== muted) {
      this.setMuted(producer, muted);
      return true;
    }
    return false;
  }

  private async start(track: MediaStreamTrack): Promise<void> {
    const producer = await this.produce(this.source, track);
    if (this.closed) producer.close();
    else this.producer = producer;
  }

  private stop(producer: types.Producer): void {
    this.producer = null;
    producer.close();
    this.signals.notify('closeProducer', { producerId: producer.id });
  }

  private setMuted(producer: types.Producer, muted: boolean): void {
    if (muted) producer.pause();
    else producer.resume();
    this.signals.notify(muted ? 'pauseProducer' : 'resumeProducer', { producerId: producer.id });
  }
}
