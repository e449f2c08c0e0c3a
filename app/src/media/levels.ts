// How loud: a track of our own, by Web Audio; a remote one, from what its packets say.

let context: AudioContext | undefined;

export interface Meter {
  /** 0 to 1, root mean square. */
  read(): number;
  close(): void;
}

/** null where there is no Web Audio. */
export function meterOf(track: MediaStreamTrack): Meter | null {
  try {
    context ??= new AudioContext();
    if (context.state === 'suspended') void context.resume();
    const source = context.createMediaStreamSource(new MediaStream([track]));
    const analyser = context.createAnalyser();
    analyser.fftSize = 512;
    source.connect(analyser);
    const samples = new Float32Array(analyser.fftSize);
    return {
      read() {
        analyser.getFloatTimeDomainData(samples);
        let sum = 0;
        for (const s of samples) sum += s * s;
        return Math.sqrt(sum / samples.length);
      },
      close: () => source.disconnect(),
    };
  } catch {
    return null;
  }
}

const OLD_MS = 500;

/** The level in the newest packet of a remote source; 0 when there was none lately (silence is not sent). */
export function receivedLevel(receiver: RTCRtpReceiver | undefined): number {
  const source = receiver?.getSynchronizationSources?.()[0];
  if (!source) return 0;
  const age = performance.timeOrigin + performance.now() - source.timestamp;
  // Browsers disagree about the clock of `timestamp`; an age that makes no sense is not used.
  return age > OLD_MS && age < 60_000 ? 0 : (source.audioLevel ?? 0);
}

/** For a bar: quiet speech is a third of it, not a hundredth. */
export function levelToBar(rms: number): number {
  if (rms <= 0.0005) return 0;
  const db = 20 * Math.log10(rms);
  return Math.min(1, Math.max(0, (db + 60) / 50));
}
