// One Socket.IO connection to the server, typed: two events in both directions, `request` (answered) and `notification`.
//
// A request is sent up to three times, three seconds apart, with the same content; the first answer to any of them counts. What is
// asked or told while there is no connection is refused or dropped, never kept: after a reconnect the old ids mean nothing.

import { Disconnected, Refused, TimedOut } from './errors';
import type { Notifications, Requests, ServerNotification } from './messages';

export const REQUEST_TIMEOUT_MS = 3000;
export const REQUEST_TRIES = 3;

type Ack = (error: unknown, result?: unknown) => void;

/** What is used of socket.io-client's Socket. */
export interface SocketLike {
  connected: boolean;
  /** It will try again by itself. */
  active: boolean;
  on(event: string, listener: (...args: never[]) => void): unknown;
  emit(event: string, ...args: unknown[]): unknown;
  connect(): unknown;
  disconnect(): unknown;
  io: { engine: { close(): unknown } };
}

export interface SignalingEvents {
  opened(): void;
  /** `ended`: the server said goodbye, and there will be no reconnect. */
  closed(ended: boolean): void;
  unreachable(): void;
  notification(message: ServerNotification): void;
  /** The result, or a rejection, is sent back. */
  request(method: string, data: unknown): Promise<unknown>;
}

/** The part of Signaling that media needs. */
export interface Signals {
  request<M extends keyof Requests>(method: M, data: Requests[M][0]): Promise<Requests[M][1]>;
  notify<M extends keyof Notifications>(method: M, data: Notifications[M]): void;
}

export class Signaling implements Signals {
  private readonly pending = new Set<() => void>();
  private left = false;

  constructor(private readonly socket: SocketLike, private readonly events: SignalingEvents) {
    socket.on('connect', () => this.events.opened());
    socket.on('connect_error', () => this.onConnectError());
    socket.on('disconnect', (reason: string) => this.onDisconnect(reason));
    socket.on('notification', (message: ServerNotification) => {
      if (message && typeof message.method === 'string')
        this.events.notification({ ...message, data: message.data ?? {} } as ServerNotification);
    });
    socket.on('request', (message: { method: string; data: unknown }, ack?: Ack) => void this.onRequest(message, ack));
  }

  get connected(): boolean {
    return this.socket.connected;
  }

  open(): void {
    this.socket.connect();
  }

  request<M extends keyof Requests>(method: M, data: Requests[M][0]): Promise<Requests[M][1]> {
    if (!this.socket.connected) return Promise.reject(new Disconnected(method));
    return new Promise((resolve, reject) => {
      let timer: ReturnType<typeof setTimeout>;
      let tries = 0;
      const settle = (end: () => void) => {
        clearTimeout(timer);
        this.pending.delete(drop);
        end();
      };
      const drop = () => settle(() => reject(new Disconnected(method)));
      const answered: Ack = (error, result) =>
        settle(() => (error ? reject(new Refused(method, String(error))) : resolve(result as Requests[M][1])));
      const send = () => {
        if (tries === REQUEST_TRIES) return settle(() => reject(new TimedOut(method)));
        tries++;
        timer = setTimeout(send, REQUEST_TIMEOUT_MS);
        this.socket.emit('request', { method, data }, answered);
      };
      this.pending.add(drop);
      send();
    });
  }

  notify<M extends keyof Notifications>(method: M, data: Notifications[M]): void {
    if (this.socket.connected) this.socket.emit('notification', { method, data });
  }

  /** Drops the connection without a goodbye: the client then reconnects by itself and gets new media. */
  reopen(): void {
    if (this.socket.connected) this.socket.io.engine.close();
  }

  /** Says goodbye. No event comes after it. */
  leave(): void {
    this.left = true;
    this.socket.disconnect();
    this.dropPending();
  }

  private onConnectError(): void {
    if (this.left) return;
    if (this.socket.active) this.events.unreachable();
    else this.events.closed(true);
  }

  private onDisconnect(reason: string): void {
    this.dropPending();
    if (!this.left) this.events.closed(reason === 'io server disconnect');
  }

  private dropPending(): void {
    for (const drop of [...this.pending]) drop();
  }

  private async onRequest(message: { method: string; data: unknown }, ack?: Ack): Promise<void> {
    try {
      const result = await this.events.request(message?.method, message?.data ?? {});
      ack?.(null, result ?? {});
    } catch (error) {
      ack?.(error instanceof Error ? error.message || 'error' : 'error', null);
    }
  }
}
