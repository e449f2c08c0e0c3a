import { expect, it } from 'vitest';

import { serverUrl } from '../config';
import { pathOfRoom, roomOfPath, suggestRoom, toRoomName } from './address';
import { fromQuery, fromStored } from './settings';

it.each([
  ['/Team-Meeting', 'team-meeting'], ['/', ''], ['/%C3%9Cber', 'über'], ['/a/b', 'a'], ['/%', ''],
])('the path %s is the room "%s"', (path, name) => expect(roomOfPath(path)).toBe(name));

it.each([
  ['  Team  Meeting ', 'team-meeting'], ['Ærø!', 'ærø'], ['../x', 'x'], ['---', ''], ['a/b?c#d', 'a-b-c-d'],
])('"%s" is called "%s"', (text, name) => expect(toRoomName(text)).toBe(name));

it('gives a room an address that leads back to it', () => {
  for (const name of ['a-room', 'über', suggestRoom()]) expect(roomOfPath(pathOfRoom(name))).toBe(name);
});

it('keeps a name within what the server takes', () => {
  for (const name of [toRoomName('x'.repeat(500)), toRoomName('ü'.repeat(500)), roomOfPath(`/${'%F0%9F%98%80'.repeat(100)}`)]) {
    expect(pathOfRoom(name).length).toBeLessThanOrEqual(129);
    expect(pathOfRoom(name).length).toBeGreaterThan(100);
  }
});

it('takes settings from the address', () => {
  expect(fromQuery('?displayName=Anna&video=0&codec=VP9&join=1')).toEqual({
    settings: { displayName: 'Anna', cameraOn: false, codec: 'vp9' }, options: { headless: false, joinAtOnce: true },
  });
  expect(fromQuery('?headless=1').settings).toEqual({ micOn: false, cameraOn: false });
  expect(fromQuery('?codec=nope&resolution=huge').settings).toEqual({});
});

it('takes from storage only what has the right type', () => {
  expect(fromStored('{"displayName":"Anna","micOn":"yes","other":1}')).toEqual({ displayName: 'Anna' });
  expect(fromStored('broken')).toEqual({});
  expect(fromStored(null)).toEqual({});
});

it('finds the server', () => {
  const page = { protocol: 'https:', hostname: 'meet.example.org', port: '8443' };
  expect(serverUrl({}, page, false)).toBe('https://meet.example.org:8443');
  expect(serverUrl({ productionPort: 443, serverHostname: 'sig.example.org' }, page, false)).toBe('https://sig.example.org:443');
  expect(serverUrl({ productionPort: 443 }, page, true)).toBe('https://meet.example.org:8443');
});
