// Everything that the call's pages show, as one value; and how the server's notifications change it. Pure.

import type { DeviceProblem } from '../media/devices';
import type { Quality } from '../media/quality';
import type { RemoteTrack } from '../media/receivers';
import type { ChatMessage, PeerInfo, Permission, RoomReady, RoomSnapshot, ServerNotification } from '../protocol/messages';

export type Phase = 'prejoin' | 'joining' | 'lobby' | 'room' | 'ended';
export type EndReason = 'left' | 'kicked' | 'closed' | 'escaped' | 'refused' | 'unsupported';
export type Link = 'connecting' | 'up' | 'lost';
export type MediaLink = 'waiting' | 'up' | 'rebuilding' | 'lost' | 'blocked' | 'none';
export type LocalStatus = 'off' | 'starting' | 'on' | 'muted';

export interface Local {
  status: LocalStatus;
  track: MediaStreamTrack | null;
  problem: DeviceProblem | null;
}

export interface Peer {
  id: string;
  displayName: string;
  picture?: string;
  raisedHand: boolean;
  raisedHandTimestamp?: number;
}

export interface ShownMessage {
  id: number;
  peerId: string;
  displayName: string;
  text: string;
  timestamp: number;
  mine: boolean;
}

export interface RoomState {
  phase: Phase;
  endReason: EndReason | null;
  roomId: string;
  myId: string;
  sessionId: string;
  link: Link;
  media: MediaLink;
  permissions: readonly Permission[];
  /** Those that came since the connection was made. */
  freshPermissions: readonly Permission[];
  peers: Readonly<Record<string, Peer>>;
  tracks: Readonly<Record<string, RemoteTrack>>;
  scores: Readonly<Record<string, number>>;
  chat: readonly ShownMessage[];
  unread: number;
  locked: boolean;
  lobby: readonly Peer[];
  maxActiveVideos: number;
  /** What the server prefers. */
  videoCodec?: string;
  chatEnabled: boolean;
  raiseHandEnabled: boolean;
  raisedHand: boolean;
  mic: Local;
  webcam: Local;
  screen: Local;
  /** Who speaks, as shown; null in silence. */
  speaker: string | null;
  /** Who spoke most lately, as the server says. */
  dominant: string | null;
  lastSpoke: Readonly<Record<string, number>>;
  mutedTalking: boolean;
  quality: Quality;
  audioBlocked: boolean;
  /** Said once, for screen readers and as a passing note. */
  notes: readonly Note[];
}

export interface Note {
  id: number;
  kind: 'joined' | 'left' | 'hand' | 'mutedByModerator' | 'stoppedByModerator' | 'chatFailed' | 'refused' | 'sourceFailed' | 'linkCopied';
  name?: string;
}

const CHAT_MAX = 1000;
const NOTES_MAX = 5;
const LOBBY_MAX = 500;

export const LOCAL_OFF: Local = { status: 'off', track: null, problem: null };

export function emptyRoom(roomId: string): RoomState {
  return {
    phase: 'prejoin', endReason: null, roomId, myId: '', sessionId: '', link: 'connecting', media: 'waiting',
    permissions: [], freshPermissions: [], peers: {}, tracks: {}, scores: {}, chat: [], unread: 0, locked: false, lobby: [],
    maxActiveVideos: 12, chatEnabled: true, raiseHandEnabled: true, raisedHand: false,
    mic: LOCAL_OFF, webcam: LOCAL_OFF, screen: LOCAL_OFF,
    speaker: null, dominant: null, lastSpoke: {}, mutedTalking: false, quality: 'good', audioBlocked: false, notes: [],
  };
}

let nextId = 1;

export function toPeer(info: PeerInfo): Peer {
  return {
    id: info.id,
    displayName: typeof info.displayName === 'string' ? info.displayName : '',
    picture: info.picture?.startsWith('data:image/') ? info.picture : undefined,
    raisedHand: info.raisedHand === true,
    raisedHandTimestamp: info.raisedHandTimestamp,
  };
}

export function toShown(message: ChatMessage, myId: string): ShownMessage {
  return {
    id: nextId++,
    peerId: message.peerId,
    displayName: message.displayName ?? '',
    text: String(message.text ?? ''),
    timestamp: Number(message.timestamp) || Date.now(),
    mine: message.peerId === myId,
  };
}

export function addNote(s: RoomState, kind: Note['kind'], name?: string): Partial<RoomState> {
  return { notes: [...s.notes, { id: nextId++, kind, name }].slice(-NOTES_MAX) };
}

export function addChat(s: RoomState, message: ChatMessage): Partial<RoomState> {
  const shown = toShown(message, s.myId);
  return { chat: [...s.chat, shown].slice(-CHAT_MAX), unread: shown.mine ? s.unread : s.unread + 1 };
}

const SAME_MS = 15_000;

/** Adds what was said while the connection was away. Our own copy of a message has our clock's time, the server's copy its own. */
function mergeChat(s: RoomState, history: readonly ChatMessage[]): Partial<RoomState> {
  const known = (m: ChatMessage) =>
    s.chat.some((c) => c.peerId === m.peerId && c.text === m.text && Math.abs(c.timestamp - m.timestamp) < SAME_MS);
  const fresh = history.filter((m) => !known(m)).map((m) => toShown(m, s.myId));
  if (fresh.length === 0) return {};
  const chat = [...s.chat, ...fresh].sort((a, b) => a.timestamp - b.timestamp).slice(-CHAT_MAX);
  // At the first join the history is no news.
  const unread = s.phase === 'room' ? s.unread + fresh.filter((m) => !m.mine).length : s.unread;
  return { chat, unread };
}

function without<V>(record: Readonly<Record<string, V>>, drop: (key: string, value: V) => boolean): Record<string, V> {
  return Object.fromEntries(Object.entries(record).filter(([key, value]) => !drop(key, value)));
}

function withPeer(s: RoomState, id: string, patch: Partial<Peer>): Partial<RoomState> {
  const peer = s.peers[id];
  return peer ? { peers: { ...s.peers, [id]: { ...peer, ...patch } } } : {};
}

function withTrack(s: RoomState, id: string, patch: Partial<RemoteTrack>): Partial<RoomState> {
  const track = s.tracks[id];
  return track ? { tracks: { ...s.tracks, [id]: { ...track, ...patch } } } : {};
}

export const addTrack = (s: RoomState, track: RemoteTrack): Partial<RoomState> => ({
  tracks: { ...s.tracks, [track.consumerId]: track },
});

export const pauseTrack = (s: RoomState, id: string, paused: boolean): Partial<RoomState> => withTrack(s, id, { paused });

export const removeTrack = (s: RoomState, id: string): Partial<RoomState> => ({
  tracks: without(s.tracks, (key) => key === id),
  scores: without(s.scores, (key) => key === id),
});

/** The room as the server tells it at the join, or after a reconnect. */
export function applySnapshot(s: RoomState, snapshot: Partial<RoomSnapshot>): Partial<RoomState> {
  const peers: Record<string, Peer> = {};
  for (const info of snapshot.peers ?? []) if (info.id !== s.myId) peers[info.id] = toPeer(info);
  return {
    peers,
    ...mergeChat(s, snapshot.chatHistory ?? []),
    locked: snapshot.locked === true,
    lobby: (snapshot.lobbyPeers ?? []).slice(0, LOBBY_MAX).map(toPeer),
  };
}

export function applyRoomReady(s: RoomState, ready: Partial<RoomReady>): Partial<RoomState> {
  return {
    sessionId: ready.sessionId ?? s.sessionId,
    maxActiveVideos: Math.max(1, ready.maxActiveVideos ?? s.maxActiveVideos),
    chatEnabled: ready.chatEnabled ?? s.chatEnabled,
    raiseHandEnabled: ready.raiseHandEnabled ?? s.raiseHandEnabled,
    videoCodec: ready.settings?.videoCodec ?? s.videoCodec,
  };
}

const union = (a: readonly Permission[], b: readonly Permission[]): Permission[] => [...new Set([...a, ...b])];

/** What a notification changes; those that ask for something to be done (media, moderation) change nothing here. */
export function reduce(s: RoomState, message: ServerNotification): Partial<RoomState> {
  const { method, data } = message;
  switch (method) {
    case 'permissionAdded':
      return {
        permissions: union(s.permissions, [data.permission]),
        freshPermissions: union(s.freshPermissions, [data.permission]),
      };
    case 'permissionRemoved':
      return {
        permissions: s.permissions.filter((p) => p !== data.permission),
        freshPermissions: s.freshPermissions.filter((p) => p !== data.permission),
      };
    case 'enteredLobby':
      return { phase: 'lobby' };
    case 'roomReady':
      return { ...applyRoomReady(s, data), permissions: s.freshPermissions };
    case 'roomUpdate':
      return { ...applyRoomReady(s, data), locked: data.locked ?? s.locked };
    case 'peerReconnected':
      return { ...applyRoomReady(s, data), ...applySnapshot(s, data), phase: 'room' };
    case 'newPeer':
      if (data.id === s.myId || s.peers[data.id]) return withPeer(s, data.id, toPeer(data));
      return { peers: { ...s.peers, [data.id]: toPeer(data) }, ...addNote(s, 'joined', data.displayName) };
    case 'peerClosed':
      return peerClosed(s, data.peerId);
    case 'changeDisplayName':
      return withPeer(s, data.peerId, { displayName: data.displayName });
    case 'raisedHand':
      return raisedHand(s, data.peerId, data.raisedHand, data.raisedHandTimestamp);
    case 'chatMessage':
      return addChat(s, data.chatMessage);
    case 'moderator:clearChat':
      return { chat: [], unread: 0 };
    case 'consumerScore': {
      const score = typeof data.score === 'number' ? data.score : data.score?.score;
      return typeof score === 'number' ? { scores: { ...s.scores, [data.consumerId]: score } } : {};
    }
    case 'activeSpeaker':
      return { dominant: typeof data.peerId === 'string' ? data.peerId : null };
    case 'lockRoom':
      return { locked: true };
    case 'unlockRoom':
      return { locked: false };
    default:
      return reduceLobby(s, message);
  }
}

function reduceLobby(s: RoomState, { method, data }: ServerNotification): Partial<RoomState> {
  switch (method) {
    case 'parkedPeers':
      return { lobby: data.lobbyPeers.slice(0, LOBBY_MAX).map(toPeer) };
    case 'parkedPeer':
      if (s.lobby.length >= LOBBY_MAX || s.lobby.some((p) => p.id === data.peerId)) return {};
      return { lobby: [...s.lobby, toPeer({ id: data.peerId })] };
    case 'lobby:changeDisplayName':
      return { lobby: s.lobby.map((p) => (p.id === data.peerId ? { ...p, displayName: data.displayName } : p)) };
    case 'lobby:peerClosed':
    case 'lobby:promotedPeer':
      return { lobby: s.lobby.filter((p) => p.id !== data.peerId) };
    default:
      return {};
  }
}

function peerClosed(s: RoomState, id: string): Partial<RoomState> {
  const peer = s.peers[id];
  if (!peer) return {};
  return {
    peers: without(s.peers, (key) => key === id),
    tracks: without(s.tracks, (_, track) => track.peerId === id),
    lastSpoke: without(s.lastSpoke, (key) => key === id),
    speaker: s.speaker === id ? null : s.speaker,
    dominant: s.dominant === id ? null : s.dominant,
    ...addNote(s, 'left', peer.displayName),
  };
}

function raisedHand(s: RoomState, id: string, raised: boolean, timestamp?: number): Partial<RoomState> {
  const peer = s.peers[id];
  if (!peer) return {};
  const note = raised && !peer.raisedHand ? addNote(s, 'hand', peer.displayName) : {};
  return { ...withPeer(s, id, { raisedHand: raised, raisedHandTimestamp: timestamp }), ...note };
}
