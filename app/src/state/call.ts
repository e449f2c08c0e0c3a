// One stay in one room: binds the connection to the server, the media session, our own devices and the store.

import { loadDevice, preloadDevice } from '../media/device';
import type { CodecName } from '../media/encodings';
import { codecName } from '../media/encodings';
import { LinkWatch } from '../media/linkWatch';
import { MediaSession } from '../media/session';
import { makeSocket, type Identity } from '../protocol/connect';
import { Disconnected, Refused } from '../protocol/errors';
import { uuid } from '../protocol/ids';
import type { MediaConfiguration, Permission, Requests, ServerNotification, Source } from '../protocol/messages';
import { Signaling, type SocketLike } from '../protocol/signaling';
import { idOfRoom } from './address';
import type { LocalMedia } from './local';
import {
  addChat, addNote, addTrack, applySnapshot, pauseTrack, reduce, removeTrack, type EndReason, type Note, type RoomState,
} from './roomState';
import type { Store } from './store';

const NEEDS: Partial<Record<Source, Permission>> = {
  mic: 'SHARE_AUDIO',
  webcam: 'SHARE_VIDEO',
  screen: 'SHARE_SCREEN',
  screenaudio: 'SHARE_AUDIO',
};
const SOURCES: readonly Source[] = ['mic', 'webcam', 'screen', 'screenaudio'];
const REOPEN_MIN_MS = 1000;
const REOPEN_MAX_MS = 30_000;
/** The server asks again for 9 s when our answer is late; that is the same configuration, not a new one. */
const SAME_CONFIGURATION_MS = 9500;

/** The server refuses text with them. */
const withoutControls = (text: string): string => text.replace(/[^\P{Cc}\t\n\r]/gu, '');

export interface CallOptions {
  url: string;
  tenantFqdn: string;
  displayName: string;
  codec: CodecName | '';
  makeSocket?: (url: string, id: Identity, tenantFqdn: string, resume: () => boolean) => SocketLike;
}

export class Call {
  session: MediaSession | null = null;
  private readonly signaling: Signaling;
  private watch: LinkWatch | null = null;
  private configuration = { key: '', atMs: 0 };
  private generation = 0;
  private everUp = false;
  /** The media of now is given up: the next connection brings new ones. */
  private renew = false;
  private reopenMs = REOPEN_MIN_MS;
  private reopenTimer: ReturnType<typeof setTimeout> | undefined;
  private kicked = false;
  private over = false;
  /** On this connection: before it, the server takes nothing of ours. */
  private joined = false;
  private displayName: string;

  constructor(
    private readonly room: Store<RoomState>,
    private readonly local: LocalMedia,
    private readonly options: CallOptions,
  ) {
    this.displayName = options.displayName;
    const id: Identity = { peerId: uuid(), roomId: idOfRoom(room.get().roomId), reconnectKey: uuid() };
    room.set({ myId: id.peerId, phase: 'joining', link: 'connecting', media: 'waiting' });
    const resume = () => !this.renew && this.session?.resumable === true;
    const socket = (options.makeSocket ?? makeSocket)(options.url, id, options.tenantFqdn, resume);
    this.signaling = new Signaling(socket, {
      opened: () => this.onOpened(),
      closed: (ended) => (ended ? this.end(this.kicked ? 'kicked' : 'closed') : room.set({ link: 'lost' })),
      unreachable: () => room.set({ link: 'lost' }),
      notification: (message) => this.onNotification(message),
      request: (method, data) => this.onRequest(method, data),
    });
    local.onChange = (source) => this.push(source);
    preloadDevice().catch(() => undefined);
    this.signaling.open();
  }

  leave(): void {
    this.end('left');
  }

  async sendChat(text: string): Promise<boolean> {
    const { myId, sessionId } = this.room.get();
    text = withoutControls(text);
    if (!(await this.ask('chatMessage', { text, sessionId }, 'chatFailed'))) return false;
    const message = { text, peerId: myId, displayName: this.displayName, timestamp: Date.now(), sessionId };
    this.room.set((s) => addChat(s, message));
    return true;
  }

  async raiseHand(raisedHand: boolean): Promise<void> {
    if (await this.ask('raisedHand', { raisedHand })) this.room.set({ raisedHand });
  }

  async rename(displayName: string): Promise<void> {
    if (displayName === this.displayName) return;
    if (await this.ask('changeDisplayName', { displayName })) this.displayName = displayName;
  }

  async setLocked(locked: boolean): Promise<void> {
    if (await this.ask(locked ? 'lockRoom' : 'unlockRoom', {})) this.room.set(locked ? { locked } : { locked, lobby: [] });
  }

  /** Any request that changes nothing on our side. False when it was refused, which has been said then. */
  async ask<M extends keyof Requests>(method: M, data: Requests[M][0], note: Note['kind'] = 'refused'): Promise<boolean> {
    try {
      await this.signaling.request(method, data);
      return true;
    } catch (error) {
      console.warn(method, error);
      if (!this.over) this.room.set((s) => addNote(s, note));
      return false;
    }
  }

  private onOpened(): void {
    this.configuration.key = '';
    this.joined = false;
    this.room.set({ link: 'up', freshPermissions: [] });
  }

  private onNotification(message: ServerNotification): void {
    if (this.over) return;
    if (message.method === 'peerClosed') this.dropPeer(message.data.peerId);
    this.room.set((s) => reduce(s, message));
    this.act(message);
  }

  private act(message: ServerNotification): void {
    const { method, data } = message;
    const receivers = this.session?.receivers;
    switch (method) {
      case 'roomReady':
        return void this.join();
      case 'enteredLobby':
        // Those who may let us in see who is waiting.
        return void this.ask('changeDisplayName', { displayName: this.displayName });
      case 'permissionAdded':
      case 'permissionRemoved':
        return this.pushAll();
      case 'peerReconnected':
        this.joined = true;
        if (data.media && !this.session?.resume(data.media)) this.reopen();
        return this.pushAll();
      case 'newConsumer':
        return void receivers?.add(data);
      case 'consumerClosed':
        return receivers?.remove(data.consumerId);
      case 'consumerPaused':
        return receivers?.setPaused(data.consumerId, true);
      case 'consumerResumed':
        return receivers?.setPaused(data.consumerId, false);
      case 'producerClosed':
        return this.onProducerClosed(data.producerId);
      case 'newProducerLayer':
        return this.session?.limitLayer(data.producerId, data.spatialLayer);
      case 'transportClosed':
        return this.session?.has(data.transportId) ? this.reopen() : undefined;
      case 'turnCredentials':
        return this.session?.setIceServers(data.iceServers);
      case 'lostMediaServer':
        return this.dropSession('rebuilding');
      case 'noMediaServer':
        return this.dropSession('none');
      default:
        return this.obey(method);
    }
  }

  /** What a moderator asks of us. */
  private obey(method: ServerNotification['method']): void {
    const { mic, webcam, screen, raisedHand } = this.room.get();
    switch (method) {
      case 'moderator:mute':
        if (mic.status === 'on') this.note('mutedByModerator');
        return void this.local.setMic(false);
      case 'moderator:stopVideo':
        if (webcam.track) this.note('stoppedByModerator');
        return this.local.stop('webcam');
      case 'moderator:stopScreenSharing':
        if (screen.track) this.note('stoppedByModerator');
        return this.local.stop('screen');
      case 'moderator:lowerHand':
        return raisedHand ? void this.raiseHand(false) : undefined;
      case 'moderator:kick':
        this.kicked = true;
        return;
      case 'escapeMeeting':
        return this.end('escaped');
      default:
    }
  }

  private async join(): Promise<void> {
    try {
      const snapshot = await this.signaling.request('join', { displayName: this.displayName });
      this.joined = true;
      this.room.set((s) => ({ ...applySnapshot(s, snapshot), phase: 'room' }));
      if (this.room.get().raisedHand) void this.ask('raisedHand', { raisedHand: true });
      this.pushAll();
    } catch (error) {
      console.warn('join', error);
      if (error instanceof Refused) this.end('refused');
      else if (!(error instanceof Disconnected)) this.signaling.reopen();
    }
  }

  private async onRequest(method: string, data: unknown): Promise<unknown> {
    if (method !== 'mediaConfiguration') throw new Error(`unknown method ${method}`);
    return this.onMediaConfiguration(data as MediaConfiguration);
  }

  private async onMediaConfiguration(conf: MediaConfiguration): Promise<unknown> {
    const key = JSON.stringify(conf);
    const repeated = key === this.configuration.key && Date.now() - this.configuration.atMs < SAME_CONFIGURATION_MS;
    if (!repeated) this.configuration = { key, atMs: Date.now() };
    const mine = repeated ? this.generation : ++this.generation;
    const device = await loadDevice(conf.routerRtpCapabilities).catch((error: unknown) => {
      if (error instanceof Error && error.name === 'UnsupportedError') this.end('unsupported');
      throw error;
    });
    // After the answer has left: the server takes requests for transports in its turn.
    if (!repeated) setTimeout(() => mine === this.generation && this.startSession(device, conf), 0);
    return { rtpCapabilities: device.recvRtpCapabilities };
  }

  private startSession(device: Awaited<ReturnType<typeof loadDevice>>, conf: MediaConfiguration): void {
    if (this.over) return;
    this.renew = false;
    this.dropSession(this.everUp ? 'rebuilding' : 'waiting', false);
    const watch = new LinkWatch({
      up: () => this.onMediaUp(),
      lost: () => this.room.set({ media: this.everUp ? 'lost' : 'blocked' }),
      restart: () => session.restartIce(),
      reopen: () => this.reopen(),
    });
    const session = new MediaSession(device, conf, this.signaling, {
      added: (track) => this.room.set((s) => addTrack(s, track)),
      paused: (id, paused) => this.room.set((s) => pauseTrack(s, id, paused)),
      removed: (id) => this.room.set((s) => removeTrack(s, id)),
      failed: (source, error) => this.onSendFailed(source, error),
      link: (direction, state) => watch.update(direction, state),
    }, this.options.codec || (codecName(this.serverCodec) ?? 'vp8'));
    this.watch = watch;
    this.session = session;
    void this.openSession(session);
  }

  private async openSession(session: MediaSession): Promise<void> {
    try {
      await session.open();
      if (session !== this.session) return;
      this.pushAll();
      // Nothing to send and nobody there: no link is made before it is needed.
      this.room.set((s) => (s.media === 'waiting' || s.media === 'rebuilding' || s.media === 'none' ? { media: 'up' } : {}));
    } catch (error) {
      console.warn('transports', error);
      // A connection that was lost comes back by itself, and brings a new configuration.
      if (session === this.session && !(error instanceof Disconnected)) this.reopen();
    }
  }

  private onMediaUp(): void {
    this.everUp = true;
    this.reopenMs = REOPEN_MIN_MS;
    this.room.set({ media: 'up' });
  }

  private onSendFailed(source: Source, error: unknown): void {
    console.warn('produce', source, error);
    // Without a connection it is no failure of the source: it is produced again with the next session.
    if (!this.signaling.connected || this.room.get().media !== 'up') return;
    this.local.stop(source);
    this.note('sourceFailed');
  }

  private onProducerClosed(producerId: string): void {
    const source = this.session?.producerClosed(producerId);
    if (!source) return;
    this.local.stop(source);
    this.note('stoppedByModerator');
  }

  private push(source: Source): void {
    if (!this.joined) return;
    const need = NEEDS[source];
    const allowed = need !== undefined && this.room.get().permissions.includes(need);
    this.session?.want(source, allowed ? this.local.wanted(source) : { track: null, muted: false });
  }

  private pushAll(): void {
    for (const source of SOURCES) this.push(source);
  }

  private dropPeer(peerId: string): void {
    for (const track of Object.values(this.room.get().tracks))
      if (track.peerId === peerId) this.session?.receivers.remove(track.consumerId);
  }

  private dropSession(media: RoomState['media'], forget = true): void {
    if (forget) {
      this.generation++;
      this.configuration.key = '';
    }
    clearTimeout(this.reopenTimer);
    this.watch?.close();
    this.session?.close();
    this.session = null;
    this.room.set({ media });
  }

  /** Later each time, so that a network that lets no media through is not hammered. */
  private reopen(): void {
    clearTimeout(this.reopenTimer);
    this.renew = true;
    this.reopenTimer = setTimeout(() => this.signaling.reopen(), this.reopenMs);
    this.reopenMs = Math.min(REOPEN_MAX_MS, this.reopenMs * 2);
  }

  private note(kind: Note['kind']): void {
    this.room.set((s) => addNote(s, kind));
  }

  private end(reason: EndReason): void {
    if (this.over) return;
    this.over = true;
    this.signaling.leave();
    this.dropSession('waiting');
    this.local.onChange = () => undefined;
    this.local.stopAll();
    this.room.set({ phase: 'ended', endReason: reason });
  }

  private get serverCodec(): string | undefined {
    return this.room.get().videoCodec;
  }
}
