import { useEffect, type RefObject } from 'react';

import { currentCall } from '../state/app';

const SETTLE_MS = 200;

/** Tells the call how wide a remote video is on the screen, as long as it is there. */
export function useVideoView(consumerId: string | undefined, ref: RefObject<HTMLElement | null>): void {
  useEffect(() => {
    const element = ref.current;
    if (!consumerId || !element) return;
    const show = (width: number) => currentCall()?.session?.receivers.show(consumerId, width);
    show(element.clientWidth);
    let timer: ReturnType<typeof setTimeout>;
    const observer = new ResizeObserver(() => {
      clearTimeout(timer);
      timer = setTimeout(() => show(element.clientWidth), SETTLE_MS);
    });
    observer.observe(element);
    return () => {
      clearTimeout(timer);
      observer.disconnect();
      show(0);
    };
  }, [consumerId, ref]);
}
