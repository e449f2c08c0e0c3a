import type { ReactNode } from 'react';

import { clientConfig } from '../config';
import { openRoom } from '../state/app';
import { t } from '../strings';
import { Logo } from './icons';
import { ThemeToggle } from './ThemeToggle';

/** What is around every page but the call itself. */
export function PageFrame({ children, aside }: { children: ReactNode; aside?: string }) {
  return (
    <div className="page">
      <header className="page-header">
        <a
          className="brand" href="/"
          onClick={(event) => {
            event.preventDefault();
            openRoom('');
          }}
        >
          <Logo size={36} />
          <span>{clientConfig.title || t.appName}</span>
        </a>
        {aside && <span className="page-aside">{aside}</span>}
        <ThemeToggle />
      </header>
      <main className="page-main">{children}</main>
    </div>
  );
}
