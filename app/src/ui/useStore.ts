import { useSyncExternalStore } from 'react';

import type { Store } from '../state/store';

/** What `select` picks must be the same object as long as it has not changed. */
export function useStore<T extends object, R>(store: Store<T>, select: (value: T) => R): R {
  return useSyncExternalStore(store.subscribe, () => select(store.get()));
}
