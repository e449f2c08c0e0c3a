// The elements that play what others say, and the browser's leave to play them.

import { room } from '../state/app';

const elements = new Set<HTMLAudioElement>();

async function play(element: HTMLAudioElement): Promise<void> {
  try {
    await element.play();
  } catch (error) {
    if ((error as DOMException).name === 'NotAllowedError') room.set({ audioBlocked: true });
  }
}

export function addAudio(element: HTMLAudioElement): () => void {
  elements.add(element);
  void play(element);
  return () => elements.delete(element);
}

/** To be called from a click. */
export function unlockAudio(): void {
  room.set({ audioBlocked: false });
  for (const element of elements) void play(element);
}
