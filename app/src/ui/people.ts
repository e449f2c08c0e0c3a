// Names, initials and colours of people. Pure.

import type { RemoteTrack } from '../media/receivers';
import type { Source } from '../protocol/messages';
import { t } from '../strings';
import type { Peer, RoomState } from '../state/roomState';

export function initialsOf(name: string): string {
  const words = name.trim().split(/\s+/).filter(Boolean);
  const first = (word: string | undefined) => [...(word ?? '')][0] ?? '';
  const letters = first(words[0]) + (words.length > 1 ? first(words[words.length - 1]) : '');
  return letters.toUpperCase() || '?';
}

/** 0 to 359, the same for the same person in every browser. */
export function hueOf(id: string): number {
  let hash = 0;
  for (const c of id) hash = (hash * 31 + c.codePointAt(0)!) >>> 0;
  // Neighbours in the alphabet get colours far apart.
  return Math.floor(((hash * 0.6180339887) % 1) * 360);
}

export const nameOf = (peer: Peer | undefined): string => peer?.displayName || t.guest;

export function trackOf(s: RoomState, peerId: string, source: Source): RemoteTrack | undefined {
  return Object.values(s.tracks).find((track) => track.peerId === peerId && track.source === source);
}

/** No microphone is as silent as a muted one. */
export function isMuted(s: RoomState, peerId: string): boolean {
  return trackOf(s, peerId, 'mic')?.paused ?? true;
}

/** Hands first, the longest raised on top; the others by name. */
export function sortPeople(peers: readonly Peer[]): Peer[] {
  return [...peers].sort((a, b) => {
    if (a.raisedHand !== b.raisedHand) return a.raisedHand ? -1 : 1;
    if (a.raisedHand) return (a.raisedHandTimestamp ?? 0) - (b.raisedHandTimestamp ?? 0);
    return nameOf(a).localeCompare(nameOf(b));
  });
}
