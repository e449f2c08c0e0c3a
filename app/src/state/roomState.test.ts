import { describe, expect, it } from 'vitest';

import type { ServerNotification } from '../protocol/messages';
import { addChat, applySnapshot, emptyRoom, reduce, type RoomState } from './roomState';

const me = (): RoomState => ({ ...emptyRoom('r'), myId: 'me', phase: 'room' });
const apply = (s: RoomState, ...messages: ServerNotification[]): RoomState =>
  messages.reduce((state, m) => ({ ...state, ...reduce(state, m) }), s);
const newPeer = (id: string, displayName: string): ServerNotification => ({ method: 'newPeer', data: { id, displayName } });

describe('people', () => {
  it('come, change and go', () => {
    let s = apply(me(), newPeer('a', 'Anna'));
    expect(s.peers.a).toMatchObject({ displayName: 'Anna', raisedHand: false });
    expect(s.notes.map((n) => n.kind)).toEqual(['joined']);
    s = apply(s, { method: 'changeDisplayName', data: { peerId: 'a', displayName: 'Ann' } },
      { method: 'raisedHand', data: { peerId: 'a', raisedHand: true } }, { method: 'peerClosed', data: { peerId: 'a' } });
    expect(s.peers).toEqual({});
    expect(s.notes.map((n) => [n.kind, n.name])).toEqual([['joined', 'Anna'], ['hand', 'Ann'], ['left', 'Ann']]);
  });
  it('are not invented by late messages', () => {
    const s = apply(me(), { method: 'peerClosed', data: { peerId: 'x' } }, { method: 'raisedHand', data: { peerId: 'x', raisedHand: true } });
    expect(s.peers).toEqual({});
    expect(s.notes).toEqual([]);
  });
  it('take their tracks with them', () => {
    const s = apply(me(), newPeer('a', 'Anna'));
    const track = { consumerId: 'c', producerId: 'p', peerId: 'a', source: 'mic', kind: 'audio', paused: false } as RoomState['tracks'][string];
    expect(apply({ ...s, tracks: { c: track } }, { method: 'peerClosed', data: { peerId: 'a' } }).tracks).toEqual({});
  });
  it('have no pictures from elsewhere', () => {
    const s = apply(me(), { method: 'newPeer', data: { id: 'a', picture: 'https://evil.example/x.png' } });
    expect(s.peers.a!.picture).toBeUndefined();
  });
});

describe('permissions', () => {
  const added = (permission: 'SEND_CHAT' | 'SHARE_AUDIO'): ServerNotification => ({ method: 'permissionAdded', data: { permission } });
  it('are those of the new connection after a new admission', () => {
    let s = apply(me(), added('SEND_CHAT'), added('SHARE_AUDIO'));
    s = { ...s, freshPermissions: [] };
    s = apply(s, added('SEND_CHAT'), { method: 'roomReady', data: { sessionId: '1', settings: {} } });
    expect(s.permissions).toEqual(['SEND_CHAT']);
  });
  it('stay when the server knew us', () => {
    const s = apply({ ...me(), permissions: ['SEND_CHAT'] },
      { method: 'peerReconnected', data: { sessionId: '1', peers: [], chatHistory: [], lobbyPeers: [], locked: false } });
    expect(s.permissions).toEqual(['SEND_CHAT']);
  });
  it('can be taken', () => {
    const s = apply(me(), added('SEND_CHAT'), { method: 'permissionRemoved', data: { permission: 'SEND_CHAT' } });
    expect(s.permissions).toEqual([]);
  });
});

describe('chat', () => {
  const said = (peerId: string, text: string, timestamp: number) => ({ peerId, text, timestamp, displayName: peerId });
  it('counts what others said', () => {
    let s = me();
    s = { ...s, ...addChat(s, said('a', 'hi', 1)) };
    s = { ...s, ...addChat(s, said('me', 'hello', 2)) };
    expect(s.unread).toBe(1);
    expect(s.chat.map((m) => m.mine)).toEqual([false, true]);
  });
  it('gets what was missed while the connection was away, once', () => {
    let s = me();
    s = { ...s, ...addChat(s, said('me', 'one', 1000)) };
    const snapshot = { chatHistory: [said('me', 'one', 1400), said('a', 'two', 5000)] };
    s = { ...s, ...applySnapshot(s, snapshot) };
    s = { ...s, ...applySnapshot(s, snapshot) };
    expect(s.chat.map((m) => m.text)).toEqual(['one', 'two']);
    expect(s.unread).toBe(1);
  });
  it('has no news at the first join', () => {
    const s = { ...me(), phase: 'joining' as const };
    expect({ ...s, ...applySnapshot(s, { chatHistory: [said('a', 'old', 1)] }) }.unread).toBe(0);
  });
  it('is bounded', () => {
    let s = me();
    for (let i = 0; i < 1100; i++) s = { ...s, ...addChat(s, said('a', `${i}`, i)) };
    expect(s.chat).toHaveLength(1000);
  });
});

it('keeps the lobby', () => {
  let s = apply(me(), { method: 'parkedPeer', data: { peerId: 'l' } }, { method: 'parkedPeer', data: { peerId: 'l' } },
    { method: 'lobby:changeDisplayName', data: { peerId: 'l', displayName: 'Lea' } });
  expect(s.lobby.map((p) => p.displayName)).toEqual(['Lea']);
  s = apply(s, { method: 'lobby:promotedPeer', data: { peerId: 'l' } });
  expect(s.lobby).toEqual([]);
});

it('ignores what it does not know', () => {
  expect(reduce(me(), { method: 'drawing', data: {} } as unknown as ServerNotification)).toEqual({});
});
