// How the socket of a call is made.

import { io } from 'socket.io-client';

import type { SocketLike } from './signaling';

export interface Identity {
  peerId: string;
  roomId: string;
  /** Proves, after a lost connection, that the peer is the one that was there before. */
  reconnectKey: string;
}

export function makeSocket(url: string, id: Identity, tenantFqdn: string): SocketLike {
  return io(url, {
    autoConnect: false,
    forceNew: true,
    query: { peerId: id.peerId, roomId: id.roomId, reconnectKey: id.reconnectKey, tenantFqdn },
    transports: ['websocket', 'polling'],
    tryAllTransports: true,
    reconnectionDelay: 500,
    reconnectionDelayMax: 5000,
    randomizationFactor: 0.5,
    timeout: 10000,
  }) as unknown as SocketLike;
}
