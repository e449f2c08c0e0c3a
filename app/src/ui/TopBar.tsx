import { useEffect, useState } from 'react';

import { copyLink, room } from '../state/app';
import { t } from '../strings';
import { Icon, Logo } from './icons';
import { IconButton } from './IconButton';
import { ThemeToggle } from './ThemeToggle';
import { useStore } from './useStore';

export function TopBar() {
  const roomId = useStore(room, (s) => s.roomId);
  const locked = useStore(room, (s) => s.locked);
  const quality = useStore(room, (s) => s.quality);
  return (
    <header className="top-bar">
      <Logo size={28} />
      <h1 className="top-room" title={roomId}>{roomId}</h1>
      {locked && <span className="chip" title={t.lockedHint}><Icon name="lock" size={14} /></span>}
      <IconButton icon="link" label={t.copyLink} testId="copy-link" onClick={copyLink} />
      <span className="spacer" />
      <span className={`quality ${quality}`} role="img" aria-label={t.qualities[quality]} title={t.qualities[quality]}>
        <Icon name="signal" size={18} />
      </span>
      <Clock />
      <ThemeToggle />
    </header>
  );
}

function Clock() {
  const now = () => new Date().toLocaleTimeString([], { hour: '2-digit', minute: '2-digit' });
  const [text, setText] = useState(now);
  useEffect(() => {
    const timer = setInterval(() => setText(now()), 5000);
    return () => clearInterval(timer);
  }, []);
  return <span className="clock">{text}</span>;
}
