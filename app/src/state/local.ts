// Our own microphone, camera and screen: opening, muting, switching, and what goes wrong with them.
//
// Mute keeps the microphone open (it comes back at once, and talking while muted can be noticed); camera off closes the camera, so that
// its light goes out. The tracks live here and outlast any media session.

import {
  openBoth, openDevice, openScreen, problemOf, type LocalSource, type Opened,
} from '../media/devices';
import type { Wanted } from '../media/sender';
import type { Source } from '../protocol/messages';
import { LOCAL_OFF, type Local, type RoomState } from './roomState';
import type { Settings } from './settings';
import type { Store } from './store';

export class LocalMedia {
  private readonly serial: Record<LocalSource, number> = { mic: 0, webcam: 0 };
  private screenAudio: MediaStreamTrack | null = null;
  /** Called whenever what should be sent has changed. */
  onChange: (source: Source) => void = () => undefined;

  constructor(
    private readonly room: Store<RoomState>,
    private readonly settings: Store<Settings>,
  ) {}

  wanted(source: Source): Wanted {
    const { mic, webcam, screen } = this.room.get();
    switch (source) {
      case 'mic':
        return { track: mic.track, muted: mic.status !== 'on' };
      case 'webcam':
        return { track: webcam.track, muted: false };
      case 'screen':
        return { track: screen.track, muted: false };
      case 'screenaudio':
        return { track: this.screenAudio, muted: false };
      default:
        return { track: null, muted: false };
    }
  }

  /** For the page before the call: both at once. */
  async start(micOn: boolean, cameraOn: boolean): Promise<void> {
    if (micOn && cameraOn) {
      const mine = { mic: ++this.serial.mic, webcam: ++this.serial.webcam };
      this.room.set({ mic: { ...LOCAL_OFF, status: 'starting' }, webcam: { ...LOCAL_OFF, status: 'starting' } });
      const { micId, cameraId, resolution } = this.settings.get();
      const opened = await openBoth(micId, cameraId, resolution);
      this.take('mic', opened.mic, mine.mic);
      this.take('webcam', opened.webcam, mine.webcam);
    } else {
      await Promise.all([micOn && this.open('mic'), cameraOn && this.open('webcam')]);
    }
  }

  async setMic(on: boolean): Promise<void> {
    const { mic } = this.room.get();
    if (on && !mic.track) return this.open('mic');
    if (mic.track) this.put('mic', { ...mic, status: on ? 'on' : 'muted' });
    else if (!on) this.drop('mic');
  }

  async setCamera(on: boolean): Promise<void> {
    if (on) return this.room.get().webcam.track ? undefined : this.open('webcam');
    this.drop('webcam');
  }

  /** A device or resolution was chosen: what is running is replaced. */
  async reopen(source: LocalSource): Promise<void> {
    const old = this.room.get()[source];
    if (!old.track) return old.problem ? this.open(source) : undefined;
    const muted = old.status === 'muted';
    // Many cameras can be opened once only, so the old track goes first.
    if (source === 'webcam') old.track.stop();
    await this.open(source, muted);
    if (source === 'mic') old.track.stop();
  }

  async startScreen(): Promise<void> {
    if (this.room.get().screen.status !== 'off') return;
    this.room.set({ screen: { ...LOCAL_OFF, status: 'starting' } });
    try {
      const tracks = await openScreen();
      if (!tracks) return this.room.set({ screen: LOCAL_OFF });
      this.screenAudio = tracks.audio;
      tracks.video.addEventListener('ended', () => this.stopScreen());
      this.put('screen', { status: 'on', track: tracks.video, problem: null });
      this.onChange('screenaudio');
    } catch (error) {
      this.room.set({ screen: { ...LOCAL_OFF, problem: problemOf(error) } });
    }
  }

  stopScreen(): void {
    this.room.get().screen.track?.stop();
    this.screenAudio?.stop();
    this.screenAudio = null;
    this.put('screen', LOCAL_OFF);
    this.onChange('screenaudio');
  }

  /** Off, whatever it is. */
  stop(source: Source): void {
    if (source === 'mic' || source === 'webcam') this.drop(source);
    else if (source === 'screen' && this.room.get().screen.track) this.stopScreen();
  }

  stopAll(): void {
    this.drop('mic');
    this.drop('webcam');
    this.stop('screen');
  }

  dismiss(source: 'mic' | 'webcam' | 'screen'): void {
    this.room.set((s) => ({ [source]: { ...s[source], problem: null } }));
  }

  private async open(source: LocalSource, muted = false): Promise<void> {
    const mine = ++this.serial[source];
    this.room.set((s) => ({ [source]: { status: 'starting', track: s[source].track, problem: null } }));
    const { micId, cameraId, resolution } = this.settings.get();
    const opened = await openDevice(source, source === 'mic' ? micId : cameraId, resolution).then(
      (track): Opened => ({ track, problem: null }),
      (error): Opened => ({ track: null, problem: problemOf(error) }),
    );
    this.take(source, opened, mine, muted);
  }

  private take(source: LocalSource, opened: Opened, mine: number, muted = false): void {
    if (mine !== this.serial[source]) return opened.track?.stop();
    const { track, problem } = opened;
    if (!track) return this.put(source, { status: 'off', track: null, problem });
    track.addEventListener('ended', () => this.unplugged(source, track));
    if (source === 'webcam') track.contentHint = 'motion';
    this.put(source, { status: muted ? 'muted' : 'on', track, problem: null });
  }

  private unplugged(source: LocalSource, track: MediaStreamTrack): void {
    const local = this.room.get()[source];
    if (local.track !== track) return;
    const { micId, cameraId } = this.settings.get();
    this.put(source, { status: 'off', track: null, problem: 'unplugged' });
    // A chosen device went: the default one takes over. Otherwise the person is asked to do something.
    if (source === 'mic' ? micId : cameraId) void this.open(source, local.status === 'muted');
  }

  private drop(source: LocalSource): void {
    this.serial[source]++;
    this.room.get()[source].track?.stop();
    this.put(source, LOCAL_OFF);
  }

  private put(source: 'mic' | 'webcam' | 'screen', local: Local): void {
    this.room.set({ [source]: local });
    this.onChange(source);
  }
}
