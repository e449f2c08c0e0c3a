import { renderToStaticMarkup } from 'react-dom/server';
import { describe, expect, it } from 'vitest';

import { ChatText } from './ChatText';
import { bestGrid, pickVisible, tilesThatFit } from './grid';
import { linkify } from './linkify';
import { hueOf, initialsOf, sortPeople } from './people';
import { isTyping, shortcutOf } from './useShortcuts';

describe('bestGrid', () => {
  it.each([
    [1, 1280, 600, 1, 1], [2, 1280, 600, 2, 1], [4, 1280, 600, 2, 2], [9, 1280, 720, 3, 3], [2, 390, 700, 1, 2], [4, 390, 700, 1, 4], [8, 390, 700, 2, 4],
  ])('%i tiles in %i×%i: %i columns, %i rows', (count, width, height, columns, rows) => {
    expect(bestGrid(count, width, height, 10)).toMatchObject({ columns, rows });
  });
  it('always fits', () => {
    for (let count = 1; count <= 49; count++)
      for (const [width, height] of [[1280, 600], [390, 650], [1920, 900], [800, 300], [320, 480]] as const) {
        const g = bestGrid(count, width, height, 10);
        expect(g.columns * g.rows).toBeGreaterThanOrEqual(count);
        expect(g.columns * g.tileWidth + (g.columns - 1) * 10).toBeLessThanOrEqual(width);
        expect(g.rows * g.tileHeight + (g.rows - 1) * 10).toBeLessThanOrEqual(height);
      }
  });
  it('survives no room at all', () => expect(bestGrid(3, 0, 0, 10).tileWidth).toBe(0));
});

it('shows fewer where there is little room', () => {
  expect(tilesThatFit(1280, 600)).toBeGreaterThan(tilesThatFit(390, 600));
  expect(tilesThatFit(10, 10)).toBe(1);
});

it('shows who spoke last, in their old places', () => {
  expect(pickVisible(['a', 'b', 'c', 'd'], { d: 2, b: 1 }, 3)).toEqual(['a', 'b', 'd']);
  expect(pickVisible(['a', 'b'], {}, 3)).toEqual(['a', 'b']);
});

describe('linkify', () => {
  it.each([
    ['see https://a.example/x?y=1.', ['see ', 'https://a.example/x?y=1', '.']],
    ['(https://a.example/b_(c))', ['(', 'https://a.example/b_(c)', ')']],
    ['no link', ['no link']],
    ['javascript:alert(1)', ['javascript:alert(1)']],
    ['', []],
  ])('%s', (text, parts) => expect(linkify(text).map((p) => p.text)).toEqual(parts));
  it('links http and https only', () => {
    expect(linkify('javascript:alert(1) data:text/html,x http://b.example').filter((p) => p.href).map((p) => p.href)).toEqual(['http://b.example']);
  });
});

it('shows markup in a message as text', () => {
  const html = renderToStaticMarkup(<ChatText text={'<img src=x onerror=alert(1)> https://a.example/"><script>'} />);
  expect(html).not.toContain('<img');
  expect(html).not.toContain('<script');
  expect(html).toContain('href="https://a.example/"');
  expect(html).toContain('rel="noopener noreferrer nofollow"');
});

it.each([['Anna Berg', 'AB'], ['anna', 'A'], ['', '?'], ['  ', '?'], ['Åsa von Öst', 'ÅÖ'], ['😀 x', '😀X']])('%s is %s', (name, initials) =>
  expect(initialsOf(name)).toBe(initials));

it('gives a person one colour', () => {
  expect(hueOf('abc')).toBe(hueOf('abc'));
  expect(hueOf('abc')).toBeLessThan(360);
});

it('puts raised hands on top, the first one first', () => {
  const p = (id: string, at?: number) => ({ id, displayName: id, raisedHand: at !== undefined, raisedHandTimestamp: at });
  expect(sortPeople([p('c'), p('b', 2), p('a'), p('d', 1)]).map((x) => x.id)).toEqual(['d', 'b', 'a', 'c']);
});

describe('shortcuts', () => {
  const key = (k: string, more = {}) => ({ key: k, ctrlKey: false, metaKey: false, altKey: false, repeat: false, ...more });
  it('are single keys', () => {
    expect(shortcutOf(key('m'))).toBe('mic');
    expect(shortcutOf(key('V'))).toBe('camera');
    expect(shortcutOf(key('v', { ctrlKey: true }))).toBeUndefined();
    expect(shortcutOf(key('m', { repeat: true }))).toBeUndefined();
    expect(shortcutOf(key('x'))).toBeUndefined();
  });
  it('are not taken from who writes', () => {
    const target = (inside: boolean) => ({ closest: () => (inside ? {} : null) }) as unknown as EventTarget;
    expect(isTyping(target(true))).toBe(true);
    expect(isTyping(target(false))).toBe(false);
    expect(isTyping(null)).toBe(false);
  });
});
