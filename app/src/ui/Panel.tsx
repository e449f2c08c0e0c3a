import { useEffect, useId, useState, type ReactNode } from 'react';

import { ui } from '../state/app';
import { t } from '../strings';
import { IconButton } from './IconButton';

/** Beside the tiles; over them on a phone. Escape closes it. */
export function Panel({ title, testId, actions, children }: { title: string; testId: string; actions?: ReactNode; children: ReactNode }) {
  const id = useId();
  // What opened it gets the focus back.
  const [opener] = useState(() => document.activeElement);
  useEffect(() => () => (opener as HTMLElement | null)?.focus?.(), [opener]);
  return (
    <aside
      className="panel" aria-labelledby={id} data-testid={testId}
      onKeyDown={(event) => event.key === 'Escape' && ui.set({ panel: null })}
    >
      <header className="panel-header">
        <h2 id={id}>{title}</h2>
        {actions}
        <IconButton icon="close" label={t.close} onClick={() => ui.set({ panel: null })} />
      </header>
      {children}
    </aside>
  );
}
