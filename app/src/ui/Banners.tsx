import type { ReactNode } from 'react';

import type { DeviceProblem } from '../media/devices';
import { local, room, toggleCamera, toggleMic, toggleScreen } from '../state/app';
import type { RoomState } from '../state/roomState';
import { problemText, t, type Device } from '../strings';
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

const RETRY: Record<Device, () => void> = {
  mic: toggleMic,
  webcam: toggleCamera,
  screen: toggleScreen,
  both: () => {
    toggleMic();
    toggleCamera();
  },
};

function DeviceBanner({ device, problem }: { device: Device; problem: DeviceProblem | null }) {
  if (!problem) return null;
  const dismiss = () => (device === 'both' ? (['mic', 'webcam'] as const) : [device]).forEach((d) => local.dismiss(d));
  return (
    <Banner kind={device} text={problemText(device, problem)}>
      <button type="button" className="button small" onClick={RETRY[device]}>{t.tryAgain}</button>
      <button type="button" className="button small" onClick={dismiss}>{t.dismiss}</button>
    </Banner>
  );
}

/** What is wrong with both is said once. */
function DeviceBanners() {
  const mic = useStore(room, (s) => s.mic.problem);
  const webcam = useStore(room, (s) => s.webcam.problem);
  const screen = useStore(room, (s) => s.screen.problem);
  const both = mic !== null && mic === webcam;
  return (
    <>
      <DeviceBanner device={both ? 'both' : 'mic'} problem={mic} />
      {!both && <DeviceBanner device="webcam" problem={webcam} />}
      <DeviceBanner device="screen" problem={screen} />
    </>
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
      <DeviceBanners />
      {talking && (
        <Banner kind="muted" icon="micOff" look="info" text={t.mutedTalking}>
          <button type="button" className="button small primary" onClick={toggleMic}>{t.unmute}</button>
        </Banner>
      )}
      {poor && <Banner kind="quality" icon="weak" text={t.qualityPoor} />}
    </div>
  );
}
