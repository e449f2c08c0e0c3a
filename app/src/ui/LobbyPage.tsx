import { openRoom, room } from '../state/app';
import { t } from '../strings';
import { PageFrame } from './PageFrame';
import { useStore } from './useStore';

export function LobbyPage() {
  const lost = useStore(room, (s) => s.link === 'lost');
  return (
    <PageFrame aside={room.get().roomId}>
      <section className="card message" data-testid="lobby" role="status">
        <div className="spinner" aria-hidden="true" />
        <h1>{t.lobbyTitle}</h1>
        <p>{lost ? t.linkLost : t.lobbyText}</p>
        <button type="button" className="button" onClick={() => openRoom('')}>{t.leave}</button>
      </section>
    </PageFrame>
  );
}
