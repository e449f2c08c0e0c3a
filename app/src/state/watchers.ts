// What is read again and again during a call: levels (who speaks) five times a second, statistics (how good the link is) every three.

import { meterOf, receivedLevel, type Meter } from '../media/levels';
import { judge, QualityReader } from '../media/quality';
import { SpeakerDetector } from '../media/speaker';
import type { Call } from './call';
import type { RoomState } from './roomState';
import type { Store } from './store';

const LEVELS_MS = 200;
const QUALITY_MS = 3000;
const TALKING = 0.03;
const TALKING_READS = 4;
const TALKING_SHOWN_MS = 4000;

/** Starts both; the result ends them. */
export function watchCall(call: Call, room: Store<RoomState>): () => void {
  const levels = new LevelWatch(call, room);
  const quality = new QualityReader();
  const timers = [
    setInterval(() => levels.read(), LEVELS_MS),
    setInterval(() => {
      const reports = call.session?.stats();
      reports?.then((r) => room.set({ quality: judge(quality.read(r)) })).catch(() => undefined);
    }, QUALITY_MS),
  ];
  return () => {
    timers.forEach(clearInterval);
    levels.close();
  };
}

class LevelWatch {
  private readonly detector = new SpeakerDetector();
  private meter: { track: MediaStreamTrack; meter: Meter | null } | null = null;
  private talkingReads = 0;
  private talkingUntilMs = 0;

  constructor(private readonly call: Call, private readonly room: Store<RoomState>) {}

  read(): void {
    const s = this.room.get();
    const nowMs = Date.now();
    const levels = new Map<string, number>();
    for (const id of Object.keys(s.peers)) levels.set(id, 0);
    for (const track of Object.values(s.tracks)) {
      if (track.source !== 'mic' || !levels.has(track.peerId) || track.paused) continue;
      levels.set(track.peerId, receivedLevel(this.call.session?.receivers.get(track.consumerId)?.rtpReceiver));
    }
    const own = this.ownLevel(s);
    levels.set(s.myId, s.mic.status === 'on' ? own : 0);
    const loudest = this.detector.update(levels, nowMs);
    // Of those who speak the one whom the server hears most; in silence nobody.
    const speaker = loudest && s.dominant && this.detector.speaking(s.dominant) ? s.dominant : loudest;
    const mutedTalking = this.talkingWhileMuted(s, own, nowMs);
    if (speaker !== s.speaker && speaker !== null)
      this.room.set({ speaker, mutedTalking, lastSpoke: { ...s.lastSpoke, [speaker]: nowMs } });
    else this.room.set({ speaker, mutedTalking });
  }

  close(): void {
    this.meter?.meter?.close();
    this.meter = null;
  }

  private ownLevel(s: RoomState): number {
    const track = s.mic.track;
    if (track !== (this.meter?.track ?? null)) {
      this.close();
      this.meter = track && { track, meter: meterOf(track) };
    }
    return this.meter?.meter?.read() ?? 0;
  }

  private talkingWhileMuted(s: RoomState, own: number, nowMs: number): boolean {
    this.talkingReads = s.mic.status === 'muted' && own > TALKING ? this.talkingReads + 1 : 0;
    if (this.talkingReads >= TALKING_READS) this.talkingUntilMs = nowMs + TALKING_SHOWN_MS;
    return s.mic.status === 'muted' && nowMs < this.talkingUntilMs;
  }
}
