import type { types } from 'mediasoup-client';
import { describe, expect, it, vi } from 'vitest';

import { Sender } from './sender';

const settle = () => new Promise((done) => setTimeout(done, 0));
const trackNamed = (id: string) => ({ id, kind: 'audio' }) as MediaStreamTrack;

function fakeProducer(track: MediaStreamTrack, id: string) {
  const producer = {
    id, track, paused: false, closed: false,
    pause: () => void (producer.paused = true),
    resume: () => void (producer.paused = false),
    close: () => void (producer.closed = true),
    replaceTrack: async ({ track: next }: { track: MediaStreamTrack }) => void (producer.track = next),
  };
  return producer;
}

function make() {
  const producers: ReturnType<typeof fakeProducer>[] = [];
  const produce = vi.fn(async (_source: string, track: MediaStreamTrack) => {
    await settle();
    producers.push(fakeProducer(track, `p${producers.length}`));
    return producers[producers.length - 1] as unknown as types.Producer;
  });
  const notify = vi.fn();
  const failed = vi.fn();
  return { producers, produce, notify, failed, sender: new Sender('mic', produce, { notify }, { failed }) };
}

const quiet = async () => {
  for (let i = 0; i < 5; i++) await settle();
};

describe('Sender', () => {
  it('produces nothing while muted', async () => {
    const { produce, sender } = make();
    sender.want({ track: trackNamed('a'), muted: true });
    await quiet();
    expect(produce).not.toHaveBeenCalled();
  });

  it('produces once, then pauses and resumes', async () => {
    const { produce, notify, sender } = make();
    const track = trackNamed('a');
    sender.want({ track, muted: false });
    await quiet();
    sender.want({ track, muted: true });
    sender.want({ track, muted: false });
    await quiet();
    expect(produce).toHaveBeenCalledTimes(1);
    expect(notify.mock.calls.map(([method]) => method)).toEqual(['pauseProducer', 'resumeProducer']);
  });

  it('closes what was turned off while it was being made', async () => {
    const { producers, notify, sender } = make();
    sender.want({ track: trackNamed('a'), muted: false });
    sender.want({ track: null, muted: false });
    await quiet();
    expect(producers[0]!.closed).toBe(true);
    expect(notify).toHaveBeenCalledWith('closeProducer', { producerId: 'p0' });
  });

  it('replaces the track without a new producer', async () => {
    const { producers, produce, sender } = make();
    sender.want({ track: trackNamed('a'), muted: false });
    await quiet();
    sender.want({ track: trackNamed('b'), muted: false });
    await quiet();
    expect(produce).toHaveBeenCalledTimes(1);
    expect(producers[0]!.track.id).toBe('b');
  });

  it('says that it failed, and can be asked again', async () => {
    const { produce, failed, sender, producers } = make();
    produce.mockRejectedValueOnce(new Error('no'));
    const track = trackNamed('a');
    sender.want({ track, muted: false });
    await quiet();
    expect(failed).toHaveBeenCalledTimes(1);
    sender.want({ track, muted: false });
    await quiet();
    expect(producers).toHaveLength(1);
  });

  it('tells nobody when the session ends', async () => {
    const { producers, notify, sender } = make();
    sender.want({ track: trackNamed('a'), muted: false });
    await quiet();
    sender.close();
    expect(producers[0]!.closed).toBe(true);
    expect(notify).not.toHaveBeenCalled();
  });
});
