import { useEffect } from 'react';

export const KEYS = { mic: 'M', camera: 'V', screen: 'S', chat: 'C', people: 'P', hand: 'H', fullScreen: 'F' } as const;

export type Shortcut = keyof typeof KEYS;

/** Not while a person writes, chooses from a list, or is in a dialog. */
export function isTyping(target: EventTarget | null): boolean {
  const element = target as Partial<HTMLElement> | null;
  if (!element?.closest) return false;
  return element.isContentEditable === true || element.closest('input, textarea, select, dialog') !== null;
}

export function shortcutOf(event: Pick<KeyboardEvent, 'key' | 'ctrlKey' | 'metaKey' | 'altKey' | 'repeat'>): Shortcut | undefined {
  if (event.ctrlKey || event.metaKey || event.altKey || event.repeat) return undefined;
  const key = event.key.toUpperCase();
  return (Object.keys(KEYS) as Shortcut[]).find((name) => KEYS[name] === key);
}

export function useShortcuts(actions: Record<Shortcut, () => void>): void {
  useEffect(() => {
    const onKey = (event: KeyboardEvent) => {
      const name = isTyping(event.target) ? undefined : shortcutOf(event);
      if (!name) return;
      event.preventDefault();
      actions[name]();
    };
    document.addEventListener('keydown', onKey);
    return () => document.removeEventListener('keydown', onKey);
  }, [actions]);
}
