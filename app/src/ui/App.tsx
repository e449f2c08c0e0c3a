import { useEffect } from 'react';

import { clientConfig } from '../config';
import { room, ui } from '../state/app';
import { settings } from '../state/settings';
import { t } from '../strings';
import { EndPage } from './EndPage';
import { LobbyPage } from './LobbyPage';
import { PreJoinPage } from './PreJoinPage';
import { RoomPage } from './RoomPage';
import { StartPage } from './StartPage';
import { useStore } from './useStore';

function Page() {
  const phase = useStore(room, (s) => s.phase);
  const roomId = useStore(room, (s) => s.roomId);
  const autoJoin = useStore(ui, (s) => s.autoJoin);
  if (!roomId) return <StartPage />;
  switch (phase) {
    case 'prejoin':
    case 'joining':
      return autoJoin && phase === 'joining' ? <RoomPage /> : <PreJoinPage key={roomId} />;
    case 'lobby':
      return <LobbyPage />;
    case 'room':
      return <RoomPage />;
    case 'ended':
      return <EndPage />;
  }
}

export function App() {
  const theme = useStore(settings, (s) => s.theme);
  const roomId = useStore(room, (s) => s.roomId);
  useEffect(() => {
    document.documentElement.dataset.theme = theme;
  }, [theme]);
  useEffect(() => {
    const name = clientConfig.title || t.appName;
    document.title = roomId ? `${roomId} – ${name}` : name;
  }, [roomId]);
  return <Page />;
}
