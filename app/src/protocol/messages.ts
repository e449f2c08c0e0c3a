// The messages between browser and server: names and data as they are on the wire.

import type { types } from 'mediasoup-client';

export type Source = 'mic' | 'webcam' | 'screen' | 'screenaudio' | 'extravideo' | 'extraaudio';

export type Permission =
  | 'BYPASS_ROOM_LOCK' | 'CHANGE_ROOM_LOCK' | 'PROMOTE_PEER' | 'MODIFY_ROLE' | 'SEND_CHAT' | 'MODERATE_CHAT'
  | 'SHARE_AUDIO' | 'SHARE_VIDEO' | 'SHARE_SCREEN' | 'SHARE_EXTRA_VIDEO' | 'SHARE_FILE' | 'MODERATE_FILES'
  | 'MODERATE_ROOM' | 'LOCAL_RECORD_ROOM' | 'CREATE_ROOM' | 'CHANGE_ROOM';

export interface PeerInfo {
  id: string;
  displayName?: string;
  picture?: string;
  raisedHand?: boolean;
  raisedHandTimestamp?: number;
  sessionId?: string;
}

export interface ChatMessage {
  text: string;
  peerId: string;
  displayName?: string;
  timestamp: number;
  sessionId?: string;
}

/** What a joined peer is told of its room, by `join` and by `peerReconnected`. */
export interface RoomSnapshot {
  peers: PeerInfo[];
  chatHistory: ChatMessage[];
  lobbyPeers: PeerInfo[];
  locked: boolean;
}

export interface RoomReady {
  sessionId: string;
  creationTimestamp?: number;
  maxActiveVideos?: number;
  chatEnabled?: boolean;
  raiseHandEnabled?: boolean;
  settings?: { videoCodec?: string; logo?: string };
}

/** Ids of what lives of our media after a reconnect. */
export interface KeptMedia {
  transports: string[];
  producers: string[];
  consumers: string[];
}

export interface MediaConfiguration {
  routerRtpCapabilities: types.RtpCapabilities;
  iceServers?: RTCIceServer[];
}

export interface TransportParameters {
  id: string;
  iceParameters: types.IceParameters;
  iceCandidates: types.IceCandidate[];
  dtlsParameters: types.DtlsParameters;
  sctpParameters?: types.SctpParameters;
}

export interface NewConsumer {
  peerId: string;
  producerId: string;
  id: string;
  kind: types.MediaKind;
  rtpParameters: types.RtpParameters;
  producerPaused: boolean;
  paused: boolean;
  appData: { source: Source; peerId?: string };
}

type Empty = Record<string, never>;

/** Client → server, answered: method → [data, result]. */
export interface Requests {
  join: [{ displayName: string }, RoomSnapshot];
  createWebRtcTransport: [
    { forceTcp: boolean; producing: boolean; consuming: boolean; enableSctp: boolean }, TransportParameters];
  connectWebRtcTransport: [{ transportId: string; dtlsParameters: types.DtlsParameters }, Empty];
  restartIce: [{ transportId: string }, { iceParameters: types.IceParameters }];
  produce: [
    { transportId: string; kind: types.MediaKind; rtpParameters: types.RtpParameters; appData: { source: Source } },
    { id: string }];
  chatMessage: [{ text: string; sessionId: string }, Empty];
  changeDisplayName: [{ displayName: string }, Empty];
  raisedHand: [{ raisedHand: boolean }, Empty];
  lockRoom: [Empty, Empty];
  unlockRoom: [Empty, Empty];
  promotePeer: [{ peerId: string }, Empty];
  promoteAllPeers: [Empty, Empty];
  'moderator:mute': [{ peerId: string }, Empty];
  'moderator:stopVideo': [{ peerId: string }, Empty];
  'moderator:lowerHand': [{ peerId: string }, Empty];
  'moderator:kickPeer': [{ peerId: string }, Empty];
  'moderator:clearChat': [Empty, Empty];
}

/** Client → server, not answered. */
export interface Notifications {
  pauseProducer: { producerId: string };
  resumeProducer: { producerId: string };
  closeProducer: { producerId: string };
  pauseConsumer: { consumerId: string };
  resumeConsumer: { consumerId: string };
  setConsumerPreferredLayers: { consumerId: string; spatialLayer: number; temporalLayer: number };
}

/** Server → client, not answered. Those that this client has no use for are left out, and ignored when they come. */
export interface ServerNotifications {
  permissionAdded: { permission: Permission };
  permissionRemoved: { permission: Permission };
  roomReady: RoomReady;
  roomUpdate: Partial<RoomReady> & { locked?: boolean };
  peerReconnected: RoomReady & RoomSnapshot & { media?: KeptMedia };
  enteredLobby: unknown;
  newPeer: PeerInfo;
  peerClosed: { peerId: string };
  newConsumer: NewConsumer;
  consumerClosed: { consumerId: string };
  consumerPaused: { consumerId: string };
  consumerResumed: { consumerId: string };
  consumerScore: { consumerId: string; score: { score?: number; producerScore?: number } | number };
  activeSpeaker: { peerId: string | null; sessionId?: string };
  producerClosed: { producerId: string };
  newProducerLayer: { producerId: string; spatialLayer: number };
  transportClosed: { transportId: string };
  lostMediaServer: unknown;
  noMediaServer: unknown;
  turnCredentials: { iceServers: RTCIceServer[] };
  changeDisplayName: { peerId: string; displayName: string };
  raisedHand: { peerId: string; raisedHand: boolean; raisedHandTimestamp?: number };
  chatMessage: { peerId: string; chatMessage: ChatMessage };
  'moderator:clearChat': unknown;
  lockRoom: { peerId: string };
  unlockRoom: { peerId: string };
  parkedPeer: { peerId: string };
  parkedPeers: { lobbyPeers: PeerInfo[] };
  'lobby:peerClosed': { peerId: string };
  'lobby:promotedPeer': { peerId: string };
  'lobby:changeDisplayName': { peerId: string; displayName: string };
  'moderator:mute': unknown;
  'moderator:stopVideo': unknown;
  'moderator:stopScreenSharing': unknown;
  'moderator:lowerHand': unknown;
  'moderator:kick': unknown;
  escapeMeeting: unknown;
}

export type ServerNotification = {
  [M in keyof ServerNotifications]: { method: M; data: ServerNotifications[M] };
}[keyof ServerNotifications];
