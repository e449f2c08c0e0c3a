import type { types } from 'mediasoup-client';
import { describe, expect, it, vi } from 'vitest';

import type { NewConsumer } from '../protocol/messages';
import { Receivers } from './receivers';

const data = (id: string, kind: 'audio' | 'video', producerPaused = false): NewConsumer => ({
  id, kind, peerId: 'anna', producerId: `p-${id}`, producerPaused, paused: kind === 'video',
  rtpParameters: {} as types.RtpParameters, appData: { source: kind === 'audio' ? 'mic' : 'webcam' },
});

function make() {
  const consume = vi.fn(async ({ id, kind }: NewConsumer) => {
    const consumer = { id, kind, track: { id }, closed: false, close: () => void (consumer.closed = true), pause: vi.fn(), resume: vi.fn() };
    return consumer as unknown as types.Consumer;
  });
  const notify = vi.fn();
  const events = { added: vi.fn(), paused: vi.fn(), removed: vi.fn() };
  return { consume, notify, events, receivers: new Receivers(consume, { notify }, events) };
}

describe('Receivers', () => {
  it('leaves a video paused until it is shown, then asks for its layer, once', async () => {
    const { notify, receivers } = make();
    await receivers.add(data('v', 'video'));
    expect(notify).not.toHaveBeenCalled();
    receivers.show('v', 500);
    receivers.show('v', 520);
    receivers.show('v', 1000);
    receivers.show('v', 0);
    expect(notify.mock.calls).toEqual([
      ['setConsumerPreferredLayers', { consumerId: 'v', spatialLayer: 1, temporalLayer: 2 }],
      ['resumeConsumer', { consumerId: 'v' }],
      ['setConsumerPreferredLayers', { consumerId: 'v', spatialLayer: 2, temporalLayer: 2 }],
      ['pauseConsumer', { consumerId: 'v' }],
    ]);
  });

  it('needs no one to look at a voice', async () => {
    const { notify, events, receivers } = make();
    await receivers.add(data('a', 'audio', true));
    expect(notify).not.toHaveBeenCalled();
    expect(events.added).toHaveBeenCalledWith(expect.objectContaining({ consumerId: 'a', peerId: 'anna', paused: true }));
  });

  it('heeds what is said of a consumer that is still being made', async () => {
    const { events, receivers } = make();
    const first = receivers.add(data('v', 'video'));
    receivers.remove('v');
    await first;
    expect(events.added).not.toHaveBeenCalled();
    const second = receivers.add(data('a', 'audio'));
    receivers.setPaused('a', true);
    await second;
    expect(events.added).toHaveBeenCalledWith(expect.objectContaining({ paused: true }));
  });

  it('tries twice', async () => {
    vi.spyOn(console, 'warn').mockReturnValue();
    const { consume, events, receivers } = make();
    consume.mockRejectedValueOnce(new Error('not yet'));
    await receivers.add(data('a', 'audio'));
    expect(consume).toHaveBeenCalledTimes(2);
    expect(events.added).toHaveBeenCalledTimes(1);
  });

  it('ignores ids that it does not know, and repeated ones', async () => {
    const { consume, receivers } = make();
    receivers.remove('x');
    receivers.setPaused('x', true);
    await receivers.add(data('a', 'audio'));
    await receivers.add(data('a', 'audio'));
    expect(consume).toHaveBeenCalledTimes(1);
  });

  it('goes on after a reconnect with what the server still has, and says again what is shown', async () => {
    const { notify, events, receivers } = make();
    for (const id of ['v', 'hidden', 'gone']) await receivers.add(data(id, 'video'));
    await receivers.add(data('a', 'audio'));
    receivers.show('v', 500);
    receivers.show('gone', 500);
    notify.mockClear();
    receivers.resume(['v', 'hidden', 'a', 'unknown']);
    expect(events.removed.mock.calls).toEqual([['gone']]);
    expect(notify.mock.calls).toEqual([
      ['setConsumerPreferredLayers', { consumerId: 'v', spatialLayer: 1, temporalLayer: 2 }],
      ['resumeConsumer', { consumerId: 'v' }],
      ['pauseConsumer', { consumerId: 'hidden' }],
    ]);
    await receivers.add(data('a', 'audio', true)); // said again, with what has changed
    expect(events.paused).toHaveBeenCalledWith('a', true);
  });

  it('takes all away at the end', async () => {
    const { events, receivers } = make();
    await receivers.add(data('a', 'audio'));
    receivers.close();
    expect(events.removed).toHaveBeenCalledWith('a');
    expect(receivers.consumers()).toEqual([]);
  });
});
