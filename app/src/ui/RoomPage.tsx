import { useMemo } from 'react';

import { toggleCamera, toggleFullScreen, toggleHand, toggleMic, togglePanel, toggleScreen, ui } from '../state/app';
import { AudioSinks } from './AudioSinks';
import { Banners } from './Banners';
import { ChatPanel } from './ChatPanel';
import { ControlBar } from './ControlBar';
import { Notes } from './Notes';
import { PeoplePanel } from './PeoplePanel';
import { SettingsDialog } from './SettingsDialog';
import { Stage } from './Stage';
import { TopBar } from './TopBar';
import { useShortcuts } from './useShortcuts';
import { useStore } from './useStore';

export function RoomPage() {
  const panel = useStore(ui, (s) => s.panel);
  const settingsOpen = useStore(ui, (s) => s.settingsOpen);
  useShortcuts(useMemo(() => ({
    mic: toggleMic,
    camera: toggleCamera,
    screen: toggleScreen,
    chat: () => togglePanel('chat'),
    people: () => togglePanel('people'),
    hand: toggleHand,
    fullScreen: toggleFullScreen,
  }), []));
  return (
    <div className={panel ? 'room with-panel' : 'room'} data-testid="room">
      <TopBar />
      <main className="room-main">
        <Banners />
        <Stage />
        <Notes />
      </main>
      {panel === 'chat' && <ChatPanel />}
      {panel === 'people' && <PeoplePanel />}
      <ControlBar />
      <AudioSinks />
      {settingsOpen && <SettingsDialog />}
    </div>
  );
}
