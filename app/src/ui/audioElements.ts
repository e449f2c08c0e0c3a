// The elements that play what others say, and the browser's leave to play them.

import { room } from '../state/app';

const elements = new Set<HTMLAudioElement>();

async function play(element: HTMLAudioElement): Promise<void> {
  try {
    await element.play();
  } catch (error) {
    if ((error as DOMException).name !== 'NotAllowedError') return;
    room.set({ audioBlocked: true });
    // Any click or key is leave enough.
    for (const event of ['click', 'keydown']) document.addEventListener(event, unlockAudio);
  }
}

export function addAudio(element: HTMLAudioElement): () => void {
  elements.add(element);
  void play(element);
  return () => elements.delete(element);
}

/** To be called from a click. */
export function unlockAudio(): void {
  for (const event of ['click', 'keydown']) document.removeEventListener(event, unlockAudio);
  room.set({ audioBlocked: false });
  for (const element of elements) void play(element);
}
