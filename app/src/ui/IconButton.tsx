import type { ReactNode, Ref } from 'react';

import { t } from '../strings';
import { Icon, type IconName } from './icons';

interface Props {
  icon: IconName;
  label: string;
  onClick: () => void;
  shortcut?: string;
  /** For switches: whether it is on. */
  pressed?: boolean;
  expanded?: boolean;
  look?: 'plain' | 'off' | 'active' | 'danger';
  /** Shown beside the icon where there is room. */
  text?: string;
  testId?: string;
  disabled?: boolean;
  className?: string;
  children?: ReactNode;
  ref?: Ref<HTMLButtonElement>;
}

export function IconButton(p: Props) {
  const title = p.shortcut ? t.withKey(p.label, p.shortcut) : p.label;
  return (
    <button
      ref={p.ref} type="button" className={`icon-button ${p.look ?? 'plain'} ${p.className ?? ''}`} title={title}
      aria-label={p.label} aria-keyshortcuts={p.shortcut} aria-pressed={p.pressed} aria-expanded={p.expanded}
      disabled={p.disabled} data-testid={p.testId} onClick={p.onClick}
    >
      <Icon name={p.icon} />
      {p.text && <span className="icon-button-text">{p.text}</span>}
      {p.children}
    </button>
  );
}
