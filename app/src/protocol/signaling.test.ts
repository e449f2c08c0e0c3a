import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';

import { Disconnected, Refused, TimedOut } from './errors';
import { REQUEST_TIMEOUT_MS, Signaling, type SignalingEvents, type SocketLike } from './signaling';

type Ack = (error: unknown, result?: unknown) => void;

class FakeSocket implements SocketLike {
  connected = true;
  active = true;
  sent: { event: string; message: unknown; ack?: Ack }[] = [];
  engineClosed = 0;
  io = { engine: { close: () => this.engineClosed++ } };
  private listeners = new Map<string, (...args: unknown[]) => void>();

  on(event: string, listener: (...args: never[]) => void): void {
    this.listeners.set(event, listener as (...args: unknown[]) => void);
  }
  emit(event: string, message: unknown, ack?: Ack): void {
    this.sent.push({ event, message, ack });
  }
  connect(): void {}
  disconnect(): void {
    this.fire('disconnect', 'io client disconnect');
  }
  fire(event: string, ...args: unknown[]): void {
    this.listeners.get(event)?.(...args);
  }
}

function make() {
  const socket = new FakeSocket();
  const events = {
    opened: vi.fn(), closed: vi.fn(), unreachable: vi.fn(), notification: vi.fn(),
    request: vi.fn<SignalingEvents['request']>().mockResolvedValue({ ok: true }),
  };
  return { socket, events, signaling: new Signaling(socket, events) };
}

beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());

describe('requests', () => {
  it('resolve with the result of the answer', async () => {
    const { socket, signaling } = make();
    const answer = signaling.request('raisedHand', { raisedHand: true });
    expect(socket.sent[0]).toMatchObject({ event: 'request', message: { method: 'raisedHand', data: { raisedHand: true } } });
    socket.sent[0]!.ack!(null, {});
    await expect(answer).resolves.toEqual({});
  });

  it('are refused with the reason of the server', async () => {
    const { socket, signaling } = make();
    const answer = signaling.request('lockRoom', {});
    socket.sent[0]!.ack!('Server error', null);
    await expect(answer).rejects.toBeInstanceOf(Refused);
  });

  it('are sent three times with the same content, then given up', async () => {
    const { socket, signaling } = make();
    const answer = signaling.request('lockRoom', {});
    const failed = expect(answer).rejects.toBeInstanceOf(TimedOut);
    await vi.advanceTimersByTimeAsync(2 * REQUEST_TIMEOUT_MS);
    expect(socket.sent.map((s) => s.message)).toEqual(Array(3).fill({ method: 'lockRoom', data: {} }));
    await vi.advanceTimersByTimeAsync(REQUEST_TIMEOUT_MS);
    await failed;
    expect(socket.sent).toHaveLength(3);
  });

  it('take a late answer to an early try', async () => {
    const { socket, signaling } = make();
    const answer = signaling.request('lockRoom', {});
    await vi.advanceTimersByTimeAsync(REQUEST_TIMEOUT_MS);
    socket.sent[0]!.ack!(null, {});
    await expect(answer).resolves.toEqual({});
    await vi.advanceTimersByTimeAsync(10 * REQUEST_TIMEOUT_MS);
    expect(socket.sent).toHaveLength(2);
  });

  it('end with the connection, and are not made without one', async () => {
    const { socket, signaling } = make();
    const answer = signaling.request('lockRoom', {});
    socket.connected = false;
    socket.fire('disconnect', 'transport close');
    await expect(answer).rejects.toBeInstanceOf(Disconnected);
    await expect(signaling.request('lockRoom', {})).rejects.toBeInstanceOf(Disconnected);
    signaling.notify('closeProducer', { producerId: 'old' });
    expect(socket.sent).toHaveLength(1);
  });
});

describe('what comes from the server', () => {
  it('gives notifications on, with data in any case', () => {
    const { socket, events } = make();
    socket.fire('notification', { method: 'enteredLobby' }, 'offset');
    expect(events.notification).toHaveBeenCalledWith({ method: 'enteredLobby', data: {} });
  });

  it('answers requests with an object', async () => {
    const { socket } = make();
    const ack = vi.fn();
    socket.fire('request', { method: 'mediaConfiguration', data: {} }, ack);
    await vi.advanceTimersByTimeAsync(0);
    expect(ack).toHaveBeenCalledWith(null, { ok: true });
  });

  it('answers an error with its text', async () => {
    const { socket, events } = make();
    events.request.mockRejectedValue(new Error('unknown method x'));
    const ack = vi.fn();
    socket.fire('request', { method: 'x' }, ack);
    await vi.advanceTimersByTimeAsync(0);
    expect(ack).toHaveBeenCalledWith('unknown method x', null);
  });

  it.each([['io server disconnect', true], ['transport close', false], ['ping timeout', false]])(
    '%s ends the call: %s', (reason, ended) => {
      const { socket, events } = make();
      socket.fire('disconnect', reason);
      expect(events.closed).toHaveBeenCalledWith(ended);
    });

  it('says nothing after leave', () => {
    const { events, signaling } = make();
    signaling.leave();
    expect(events.closed).not.toHaveBeenCalled();
  });
});
