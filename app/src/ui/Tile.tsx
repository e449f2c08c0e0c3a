import { memo, useRef } from 'react';

import { room } from '../state/app';
import { settings } from '../state/settings';
import { t } from '../strings';
import { Avatar } from './Avatar';
import { Icon } from './icons';
import { IconButton } from './IconButton';
import { isMuted, nameOf, trackOf } from './people';
import { useStore } from './useStore';
import { useVideoView } from './useVideoView';
import { Video } from './Video';

const WEAK_SCORE = 4;

interface TileProps {
  peerId: string;
  /** More people than videos may be shown. */
  withVideo: boolean;
  pinned?: boolean;
  onPin?: (peerId: string | null) => void;
}

export const Tile = memo(function Tile({ peerId, withVideo, pinned, onPin }: TileProps) {
  const ref = useRef<HTMLElement>(null);
  const peer = useStore(room, (s) => s.peers[peerId]);
  const muted = useStore(room, (s) => isMuted(s, peerId));
  const webcam = useStore(room, (s) => trackOf(s, peerId, 'webcam'));
  const speaking = useStore(room, (s) => s.speaker === peerId);
  const weak = useStore(room, (s) => (s.scores[webcam?.consumerId ?? ''] ?? 10) <= WEAK_SCORE);
  const video = withVideo && webcam && !webcam.paused ? webcam : undefined;
  useVideoView(video?.consumerId, ref);
  const name = nameOf(peer);
  const state = [muted && t.muted, speaking && t.speaking, peer?.raisedHand && t.handRaised].filter(Boolean).join(', ');
  return (
    <article
      ref={ref} className={speaking ? 'tile speaking' : 'tile'} data-testid="tile" data-peer-id={peerId} data-muted={muted}
      data-active={speaking} aria-label={state ? `${name}: ${state}` : name} onDoubleClick={() => onPin?.(pinned ? null : peerId)}
    >
      <Avatar id={peerId} name={name} picture={peer?.picture} />
      {video && <Video track={video.track} testId="tile-video" />}
      {speaking && <span className="speaking-ring" data-testid="active-speaker" aria-hidden="true" />}
      {peer?.raisedHand && <span className="tile-hand" title={t.handRaised}><Icon name="hand" size={20} /></span>}
      <TileName name={name} muted={muted} weak={weak && video !== undefined} />
      {onPin && (
        <IconButton
          className="tile-pin" icon={pinned ? 'grid' : 'pin'} label={pinned ? t.unpin : t.pin(name)} pressed={pinned}
          onClick={() => onPin(pinned ? null : peerId)}
        />
      )}
    </article>
  );
});

export function TileName({ name, muted, weak }: { name: string; muted: boolean; weak?: boolean }) {
  return (
    <div className="tile-name" aria-hidden="true">
      {muted && <span className="tile-muted" data-testid="tile-muted"><Icon name="micOff" size={16} /></span>}
      <span className="tile-text">{name}</span>
      {weak && <span className="tile-weak" title={t.weakLink}><Icon name="weak" size={16} /></span>}
    </div>
  );
}

export function SelfTile({ small }: { small?: boolean }) {
  const webcam = useStore(room, (s) => s.webcam.track);
  const muted = useStore(room, (s) => s.mic.status !== 'on');
  const myId = useStore(room, (s) => s.myId);
  const speaking = useStore(room, (s) => s.speaker === s.myId);
  const raised = useStore(room, (s) => s.raisedHand);
  const name = useStore(settings, (s) => s.displayName);
  const classes = ['tile', speaking && 'speaking', small && 'small'].filter(Boolean).join(' ');
  return (
    <article className={classes} data-testid="self-tile" data-muted={muted} data-active={speaking} aria-label={t.you}>
      <Avatar id={myId} name={name || t.you} />
      {webcam && <Video track={webcam} mirrored testId="self-video" />}
      {speaking && <span className="speaking-ring" aria-hidden="true" />}
      {raised && <span className="tile-hand" title={t.handRaised}><Icon name="hand" size={20} /></span>}
      <TileName name={t.you} muted={muted} />
    </article>
  );
}

/** A shared screen: shown whole. */
export function ScreenTile({ peerId }: { peerId: string }) {
  const ref = useRef<HTMLElement>(null);
  const peer = useStore(room, (s) => s.peers[peerId]);
  const screen = useStore(room, (s) => trackOf(s, peerId, 'screen'));
  useVideoView(screen?.consumerId, ref);
  const words = t.screenOf(nameOf(peer));
  return (
    <article ref={ref} className="tile screen" data-testid="screen-tile" data-peer-id={peerId} aria-label={words}>
      {screen && <Video track={screen.track} whole testId="screen-video" />}
      <TileName name={words} muted={false} />
    </article>
  );
}
