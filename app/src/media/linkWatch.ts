// Watches the two transports of a session, and mends them.
//
// Lost for three seconds, or failed: new ICE credentials are asked for; when that does not help within eight seconds, or the server will
// not, the signalling connection is opened again, upon which the server makes new transports.

import type { LinkState } from './session';

export const PATIENCE_MS = 3000;
export const RESTART_MS = 8000;
export const FIRST_MS = 15000;

export interface LinkActions {
  up(): void;
  lost(): void;
  restart(): Promise<void>;
  reopen(): void;
}

export class LinkWatch {
  private readonly states = new Map<string, LinkState>();
  private timer: ReturnType<typeof setTimeout> | undefined;
  private mending = false;

  constructor(private readonly actions: LinkActions) {}

  update(direction: string, state: LinkState): void {
    this.states.set(direction, state);
    const states = [...this.states.values()];
    if (states.includes('failed')) this.mend();
    else if (states.includes('disconnected')) this.wait(PATIENCE_MS, () => this.mend());
    else if (states.includes('connecting')) this.wait(FIRST_MS, () => this.mend());
    else if (states.every((s) => s === 'connected')) {
      this.stop();
      this.actions.up();
    }
  }

  close(): void {
    this.stop();
  }

  private stop(): void {
    clearTimeout(this.timer);
    this.timer = undefined;
    this.mending = false;
  }

  private wait(ms: number, then: () => void): void {
    if (this.timer !== undefined) return;
    this.timer = setTimeout(() => {
      this.timer = undefined;
      then();
    }, ms);
  }

  private mend(): void {
    if (this.mending) return;
    this.stop();
    this.mending = true;
    this.actions.lost();
    this.wait(RESTART_MS, () => this.actions.reopen());
    this.actions.restart().catch(() => {
      if (!this.mending) return;
      this.stop();
      this.actions.reopen();
    });
  }
}
