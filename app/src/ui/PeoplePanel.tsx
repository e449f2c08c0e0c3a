import { currentCall, room } from '../state/app';
import type { Peer } from '../state/roomState';
import { settings } from '../state/settings';
import { t } from '../strings';
import { Avatar } from './Avatar';
import { Icon } from './icons';
import { IconButton } from './IconButton';
import { Panel } from './Panel';
import { isMuted, nameOf, sortPeople, trackOf } from './people';
import { useStore } from './useStore';

export function PeoplePanel() {
  const peers = useStore(room, (s) => s.peers);
  const moderator = useStore(room, (s) => s.permissions.includes('MODERATE_ROOM'));
  const people = sortPeople(Object.values(peers));
  return (
    <Panel title={`${t.people} (${people.length + 1})`} testId="people-panel" actions={<LockButton />}>
      <Lobby />
      <ul className="people">
        <Me />
        {people.map((peer) => <Person key={peer.id} peer={peer} moderator={moderator} />)}
      </ul>
    </Panel>
  );
}

function LockButton() {
  const locked = useStore(room, (s) => s.locked);
  const allowed = useStore(room, (s) => s.permissions.includes('CHANGE_ROOM_LOCK'));
  if (!allowed) return null;
  return (
    <IconButton
      icon={locked ? 'lock' : 'unlock'} label={locked ? t.unlockRoom : t.lockRoom} look={locked ? 'active' : 'plain'}
      pressed={locked} testId="lock-room" onClick={() => void currentCall()?.setLocked(!locked)}
    />
  );
}

function Lobby() {
  const lobby = useStore(room, (s) => s.lobby);
  const allowed = useStore(room, (s) => s.permissions.includes('PROMOTE_PEER'));
  if (!allowed || lobby.length === 0) return null;
  return (
    <section className="lobby-list" aria-label={t.waiting} data-testid="lobby-list">
      <h3>{t.waiting}</h3>
      <ul className="people">
        {lobby.map((peer) => (
          <li key={peer.id} className="person">
            <Avatar id={peer.id} name={nameOf(peer)} small />
            <span className="person-name">{nameOf(peer)}</span>
            <button
              type="button" className="button small primary"
              onClick={() => void currentCall()?.ask('promotePeer', { peerId: peer.id })}
            >
              {t.letIn}
            </button>
          </li>
        ))}
      </ul>
      {lobby.length > 1 && (
        <button type="button" className="button small" onClick={() => void currentCall()?.ask('promoteAllPeers', {})}>{t.letAllIn}</button>
      )}
    </section>
  );
}

function Me() {
  const name = useStore(settings, (s) => s.displayName) || t.guest;
  const myId = useStore(room, (s) => s.myId);
  const muted = useStore(room, (s) => s.mic.status !== 'on');
  const camera = useStore(room, (s) => s.webcam.track !== null);
  const raised = useStore(room, (s) => s.raisedHand);
  return (
    <li className="person" data-testid="participant" data-self="true">
      <Avatar id={myId} name={name} small />
      <span className="person-name">{t.youName(name)}</span>
      <States muted={muted} camera={camera} raised={raised} />
    </li>
  );
}

function Person({ peer, moderator }: { peer: Peer; moderator: boolean }) {
  const muted = useStore(room, (s) => isMuted(s, peer.id));
  const camera = useStore(room, (s) => trackOf(s, peer.id, 'webcam') !== undefined);
  const name = nameOf(peer);
  const ask = (method: 'moderator:mute' | 'moderator:stopVideo' | 'moderator:lowerHand' | 'moderator:kickPeer') => () =>
    void currentCall()?.ask(method, { peerId: peer.id });
  return (
    <li className="person" data-testid="participant" data-peer-id={peer.id}>
      <Avatar id={peer.id} name={name} picture={peer.picture} small />
      <span className="person-name">{name}</span>
      <States muted={muted} camera={camera} raised={peer.raisedHand} />
      {moderator && (
        <span className="person-actions">
          {!muted && <IconButton icon="micOff" label={t.muteHim(name)} onClick={ask('moderator:mute')} />}
          {camera && <IconButton icon="cameraOff" label={t.stopHisVideo(name)} onClick={ask('moderator:stopVideo')} />}
          {peer.raisedHand && <IconButton icon="hand" label={t.lowerHisHand(name)} onClick={ask('moderator:lowerHand')} />}
          <IconButton icon="remove" label={t.remove(name)} onClick={ask('moderator:kickPeer')} />
        </span>
      )}
    </li>
  );
}

function States({ muted, camera, raised }: { muted: boolean; camera: boolean; raised: boolean }) {
  return (
    <span className="person-states">
      {raised && <span className="raised" role="img" aria-label={t.handRaised}><Icon name="hand" size={18} /></span>}
      {muted && <span role="img" aria-label={t.muted}><Icon name="micOff" size={18} /></span>}
      {!camera && <span role="img" aria-label={t.cameraOff}><Icon name="cameraOff" size={18} /></span>}
    </span>
  );
}
