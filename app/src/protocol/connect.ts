// How the socket of a call is made.

import { io } from 'socket.io-client';

import type { SocketLike } from './signaling';

export interface Identity {
  peerId: string;
  roomId: string;
  /** Proves, after a lost connection, that the peer is the one that was there before. */
  reconnectKey: string;
}

/** `resume` is asked at each attempt: whether the media of before is still there. */
export function makeSocket(url: string, id: Identity, tenantFqdn: string, resume: () => boolean): SocketLike {
  return io(url, {
    autoConnect: false,
    forceNew: true,
    query: {
      peerId: id.peerId,
      roomId: id.roomId,
      reconnectKey: id.reconnectKey,
      tenantFqdn,
      get resume() {
        return resume() ? '1' : '0';
      },
    },
    transports: ['websocket', 'polling'],
    tryAllTransports: true,
    reconnectionDelay: 500,
    reconnectionDelayMax: 5000,
    randomizationFactor: 0.5,
    timeout: 10000,
  }) as unknown as SocketLike;
}
