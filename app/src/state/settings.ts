// What a person chose, kept in the browser between visits; the page's parameters override it for this visit.

import { codecName, type CodecName } from '../media/encodings';
import { RESOLUTIONS, type Resolution } from '../media/devices';
import { createStore } from './store';

export type Theme = 'system' | 'light' | 'dark';

export interface Settings {
  displayName: string;
  micId: string;
  cameraId: string;
  speakerId: string;
  micOn: boolean;
  cameraOn: boolean;
  resolution: Resolution;
  /** '' is what the server says, else VP8. */
  codec: CodecName | '';
  theme: Theme;
}

export interface PageOptions {
  headless: boolean;
  joinAtOnce: boolean;
}

const KEY = 'althing.settings';

const DEFAULTS: Settings = {
  displayName: '',
  micId: '',
  cameraId: '',
  speakerId: '',
  micOn: true,
  cameraOn: true,
  resolution: 'high',
  codec: '',
  theme: 'system',
};

const flag = (value: string | null): boolean => value === '1' || value === 'true';

/** The part of the settings and options that the page's address gives. */
export function fromQuery(search: string): { settings: Partial<Settings>; options: PageOptions } {
  const query = new URLSearchParams(search);
  const settings: Partial<Settings> = {};
  const name = query.get('displayName')?.replace(/\p{Cc}/gu, ' ').trim();
  if (name) settings.displayName = name.slice(0, 64);
  const codec = codecName(query.get('codec'));
  if (codec) settings.codec = codec;
  const resolution = query.get('resolution');
  if (resolution && resolution in RESOLUTIONS) settings.resolution = resolution as Resolution;
  if (query.has('audio')) settings.micOn = flag(query.get('audio'));
  if (query.has('video')) settings.cameraOn = flag(query.get('video'));
  const headless = flag(query.get('headless'));
  if (headless) Object.assign(settings, { micOn: false, cameraOn: false });
  return { settings, options: { headless, joinAtOnce: headless || flag(query.get('join')) } };
}

/** Of what was stored, that which still has the right type. */
export function fromStored(text: string | null): Partial<Settings> {
  try {
    const stored = JSON.parse(text ?? '{}') as Record<string, unknown>;
    const same = ([key, value]: [string, unknown]) => typeof stored[key] === typeof value;
    return Object.fromEntries(
      Object.entries(DEFAULTS).filter(same).map(([key]) => [key, stored[key]]),
    ) as Partial<Settings>;
  } catch {
    return {};
  }
}

function load(): string | null {
  try {
    return localStorage.getItem(KEY);
  } catch {
    return null; // storage is blocked: settings last as long as the page
  }
}

const page = fromQuery(typeof location === 'undefined' ? '' : location.search);

export const pageOptions: PageOptions = page.options;
export const settings = createStore<Settings>({ ...DEFAULTS, ...fromStored(load()), ...page.settings });

/** Changes a setting and remembers it. What only the address said is not remembered. */
export function saveSettings(patch: Partial<Settings>): void {
  settings.set(patch);
  try {
    localStorage.setItem(KEY, JSON.stringify({ ...fromStored(load()), ...patch }));
  } catch {
    // as above
  }
}
