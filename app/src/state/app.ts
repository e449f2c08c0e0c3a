// The one application of this page: its stores, and what its pages can do.

import { clientConfig, serverUrl } from '../config';
import { preloadDevice } from '../media/device';
import { listDevices, onDevicesChanged, type DeviceLists, type LocalSource } from '../media/devices';
import { pathOfRoom, roomOfPath } from './address';
import { Call } from './call';
import { LocalMedia } from './local';
import { addNote, emptyRoom, type RoomState } from './roomState';
import { pageOptions, saveSettings, settings, type Settings } from './settings';
import { createStore } from './store';
import { watchCall } from './watchers';

export type Panel = 'chat' | 'people' | null;

export interface UiState {
  panel: Panel;
  settingsOpen: boolean;
  /** The address said to join without asking; true until that call ends. */
  autoJoin: boolean;
  devices: DeviceLists;
}

export const room = createStore<RoomState>(emptyRoom(roomOfPath(location.pathname)));
export const ui = createStore<UiState>({
  panel: null,
  settingsOpen: false,
  autoJoin: pageOptions.joinAtOnce,
  devices: { mics: [], cameras: [], speakers: [] },
});
export const local = new LocalMedia(room, settings);

let call: Call | null = null;
let stopWatching: (() => void) | null = null;

export const currentCall = (): Call | null => call;

export function refreshDevices(): void {
  void listDevices().then((devices) => ui.set({ devices }));
}

/** Once, when the page is loaded. */
export function startApp(): void {
  refreshDevices();
  onDevicesChanged(refreshDevices);
  window.addEventListener('popstate', () => openRoom(roomOfPath(location.pathname), false));
  window.addEventListener('pagehide', (event) => !event.persisted && call?.leave());
  room.subscribe(() => {
    if (room.get().phase !== 'ended' || !call) return;
    stopWatching?.();
    call = stopWatching = null;
  });
  if (room.get().roomId && ui.get().autoJoin) void joinAtOnce();
}

async function joinAtOnce(): Promise<void> {
  const { micOn, cameraOn, displayName } = settings.get();
  await local.start(micOn, cameraOn);
  refreshDevices();
  join(displayName);
}

/** The page before the call, or with '' the start page. */
export function openRoom(roomId: string, push = true): void {
  call?.leave();
  if (push) history.pushState(null, '', roomId ? pathOfRoom(roomId) : '/');
  local.stopAll();
  ui.set({ panel: null, settingsOpen: false, autoJoin: false });
  room.set(emptyRoom(roomId));
}

export function startPreview(): void {
  preloadDevice().catch(() => undefined);
  const { micOn, cameraOn } = settings.get();
  void local.start(micOn, cameraOn).then(refreshDevices);
}

export function join(displayName: string): void {
  if (call) return;
  call = new Call(room, local, {
    url: serverUrl(clientConfig, location, import.meta.env.DEV),
    tenantFqdn: location.hostname,
    displayName: displayName.trim() || 'Guest',
    codec: settings.get().codec,
  });
  stopWatching = watchCall(call, room);
}

export function toggleMic(): void {
  const on = room.get().mic.status !== 'on';
  if (!pageOptions.headless) saveSettings({ micOn: on });
  void local.setMic(on).then(refreshDevices);
}

export function toggleCamera(): void {
  const on = room.get().webcam.status === 'off';
  if (!pageOptions.headless) saveSettings({ cameraOn: on });
  void local.setCamera(on).then(refreshDevices);
}

export function toggleScreen(): void {
  if (room.get().screen.track) local.stopScreen();
  else void local.startScreen();
}

export function togglePanel(panel: Exclude<Panel, null>): void {
  ui.set((s) => ({ panel: s.panel === panel ? null : panel }));
}

export function toggleHand(): void {
  void call?.raiseHand(!room.get().raisedHand);
}

export function chooseDevice(source: LocalSource, deviceId: string): void {
  saveSettings(source === 'mic' ? { micId: deviceId } : { cameraId: deviceId });
  void local.reopen(source).then(refreshDevices);
}

export function chooseResolution(resolution: Settings['resolution']): void {
  saveSettings({ resolution });
  void local.reopen('webcam');
}

export function copyLink(): void {
  void navigator.clipboard
    ?.writeText(location.origin + pathOfRoom(room.get().roomId))
    .then(() => room.set((s) => addNote(s, 'linkCopied')))
    .catch(() => undefined);
}

export function toggleFullScreen(): void {
  if (document.fullscreenElement) void document.exitFullscreen();
  else void document.documentElement.requestFullscreen?.().catch(() => undefined);
}
