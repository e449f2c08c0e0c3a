// Who is speaking. Pure: levels and the time in, the speaker out.
//
// Levels are smoothed, so that a cough does not take the floor, and the speaker keeps it for a moment of silence. Nobody is the
// speaker when all are quiet for longer.

const SPEAKING = 0.01;
const ATTACK = 0.5;
const RELEASE = 0.2;
const LOUDER = 1.5;
const HOLD_MS = 1200;

export class SpeakerDetector {
  private readonly smooth = new Map<string, number>();
  private current: string | null = null;
  private lastHeardMs = 0;

  /** `levels`: peer → 0 to 1. Peers that are not in it are gone. */
  update(levels: ReadonlyMap<string, number>, nowMs: number): string | null {
    for (const id of this.smooth.keys()) if (!levels.has(id)) this.smooth.delete(id);
    let loudest: string | null = null;
    for (const [id, level] of levels) {
      const old = this.smooth.get(id) ?? 0;
      const value = old + (level - old) * (level > old ? ATTACK : RELEASE);
      this.smooth.set(id, value);
      if (value >= SPEAKING && (loudest === null || value > this.smooth.get(loudest)!)) loudest = id;
    }
    this.choose(loudest, nowMs);
    return this.current;
  }

  speaking(id: string): boolean {
    return (this.smooth.get(id) ?? 0) >= SPEAKING;
  }

  private choose(loudest: string | null, nowMs: number): void {
    const held = this.current === null ? 0 : (this.smooth.get(this.current) ?? -1);
    if (held >= SPEAKING) this.lastHeardMs = nowMs;
    if (held < 0) this.current = null;
    if (loudest !== null && loudest !== this.current) {
      const takes = this.current === null || held < SPEAKING || this.smooth.get(loudest)! > held * LOUDER;
      if (takes) {
        this.current = loudest;
        this.lastHeardMs = nowMs;
      }
    } else if (loudest === null && nowMs - this.lastHeardMs > HOLD_MS) {
      this.current = null;
    }
  }
}
