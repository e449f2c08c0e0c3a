// How good our own connection is, from the statistics of the transports. Pure but for the counters of the last reading.

export type Quality = 'good' | 'fair' | 'poor';

export interface Reading {
  /** Share of the packets to us that were lost since the last reading, 0 to 1. */
  lossIn: number;
  /** Share of ours that the server reports lost, 0 to 1. */
  lossOut: number;
  rttMs: number | null;
  /** Our video is made smaller because of the network. */
  limited: boolean;
}

interface Stat {
  id: string;
  type: string;
  [key: string]: unknown;
}

const num = (value: unknown): number => (typeof value === 'number' ? value : 0);

export class QualityReader {
  private last = new Map<string, { lost: number; received: number }>();

  read(reports: Iterable<{ values(): Iterable<unknown> }>): Reading {
    const reading: Reading = { lossIn: 0, lossOut: 0, rttMs: null, limited: false };
    const next = new Map<string, { lost: number; received: number }>();
    let lost = 0;
    let received = 0;
    let index = 0;
    for (const report of reports) {
      for (const stat of report.values() as Iterable<Stat>) {
        if (stat.type === 'inbound-rtp') {
          const key = `${index}/${stat.id}`;
          const now = { lost: num(stat.packetsLost), received: num(stat.packetsReceived) };
          const old = this.last.get(key) ?? now;
          next.set(key, now);
          lost += Math.max(0, now.lost - old.lost);
          received += Math.max(0, now.received - old.received);
        } else if (stat.type === 'remote-inbound-rtp') {
          reading.lossOut = Math.max(reading.lossOut, num(stat.fractionLost));
        } else if (stat.type === 'candidate-pair' && stat.nominated && typeof stat.currentRoundTripTime === 'number') {
          reading.rttMs = Math.max(reading.rttMs ?? 0, stat.currentRoundTripTime * 1000);
        } else if (stat.type === 'outbound-rtp' && stat.qualityLimitationReason === 'bandwidth') {
          reading.limited = true;
        }
      }
      index++;
    }
    this.last = next;
    reading.lossIn = lost + received >= 20 ? lost / (lost + received) : 0;
    return reading;
  }
}

export function judge(r: Reading): Quality {
  const loss = Math.max(r.lossIn, r.lossOut);
  if (loss > 0.1 || (r.rttMs ?? 0) > 600) return 'poor';
  if (loss > 0.03 || (r.rttMs ?? 0) > 300) return 'fair';
  return 'good';
}
