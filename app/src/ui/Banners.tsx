import type { ReactNode } from 'react';

import { local, room, toggleCamera, toggleMic, toggleScreen } from '../state/app';
import type { RoomState } from '../state/roomState';
import { problemText, t } from '../strings';
import { unlockAudio } from './audioElements';
import { Icon, type IconName } from './icons';
import { useStore } from './useStore';

function linkText(s: RoomState): string | null {
  if (s.link === 'lost') return s.phase === 'joining' ? t.linkUnreachable : t.linkLost;
  if (s.link === 'connecting' || s.phase === 'joining') return t.linkConnecting;
  switch (s.media) {
    case 'rebuilding': return t.mediaRebuilding;
    case 'lost': return t.mediaLost;
    case 'blocked': return t.mediaBlocked;
    case 'none': return t.mediaNone;
    default: return null;
  }
}

interface BannerProps {
  kind: string;
  icon?: IconName;
  look?: 'warn' | 'info';
  text: string;
  children?: ReactNode;
}

function Banner({ kind, icon = 'warning', look = 'warn', text, children }: BannerProps) {
  return (
    <div className={`banner ${look}`} data-testid="banner" data-banner={kind}>
      <Icon name={icon} size={18} />
      <span>{text}</span>
      {children}
    </div>
  );
}

const RETRY = { mic: toggleMic, webcam: toggleCamera, screen: toggleScreen };

function DeviceBanner({ source }: { source: 'mic' | 'webcam' | 'screen' }) {
  const problem = useStore(room, (s) => s[source].problem);
  if (!problem) return null;
  return (
    <Banner kind={source} text={problemText(source, problem)}>
      <button type="button" className="button small" onClick={RETRY[source]}>{t.tryAgain}</button>
      <button type="button" className="button small" onClick={() => local.dismiss(source)}>{t.dismiss}</button>
    </Banner>
  );
}

export function Banners() {
  const link = useStore(room, linkText);
  const blocked = useStore(room, (s) => s.audioBlocked);
  const talking = useStore(room, (s) => s.mutedTalking);
  const poor = useStore(room, (s) => s.quality === 'poor' && s.link === 'up' && s.media === 'up');
  return (
    <div className="banners" role="status" aria-live="polite">
      {link && <Banner kind="link" text={link} />}
      {blocked && (
        <Banner kind="audio" icon="speaker" look="info" text={t.audioBlocked}>
          <button type="button" className="button small primary" data-testid="unlock-audio" onClick={unlockAudio}>{t.tapToHear}</button>
        </Banner>
      )}
      <DeviceBanner source="mic" />
      <DeviceBanner source="webcam" />
      <DeviceBanner source="screen" />
      {talking && (
        <Banner kind="muted" icon="micOff" look="info" text={t.mutedTalking}>
          <button type="button" className="button small primary" onClick={toggleMic}>{t.unmute}</button>
        </Banner>
      )}
      {poor && <Banner kind="quality" icon="weak" text={t.qualityPoor} />}
    </div>
  );
}
