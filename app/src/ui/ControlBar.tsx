import { canShareScreen } from '../media/devices';
import { currentCall, room, toggleCamera, toggleFullScreen, toggleHand, toggleMic, togglePanel, toggleScreen, ui } from '../state/app';
import { t } from '../strings';
import { IconButton } from './IconButton';
import { useFullScreen } from './useFullScreen';
import { KEYS } from './useShortcuts';
import { useStore } from './useStore';

export function ControlBar() {
  return (
    <section className="control-bar" aria-label={t.controls}>
      <div className="controls">
        <MicButton />
        <CameraButton />
        <ScreenButton />
        <HandButton />
      </div>
      <div className="controls">
        <PanelButtons />
        <MoreButtons />
      </div>
      <IconButton
        icon="leave" label={t.leave} look="danger" className="leave" text={t.leave} testId="control-leave" onClick={() => currentCall()?.leave()}
      />
    </section>
  );
}

function MicButton() {
  const status = useStore(room, (s) => s.mic.status);
  const on = status === 'on';
  return (
    <IconButton
      icon={on ? 'mic' : 'micOff'} label={on ? t.mute : t.unmute} shortcut={KEYS.mic} look={on ? 'plain' : 'off'}
      pressed={on} testId="control-mic" disabled={status === 'starting'} onClick={toggleMic}
    />
  );
}

function CameraButton() {
  const status = useStore(room, (s) => s.webcam.status);
  const on = status === 'on';
  return (
    <IconButton
      icon={on ? 'camera' : 'cameraOff'} label={on ? t.cameraStop : t.cameraStart} shortcut={KEYS.camera}
      look={on ? 'plain' : 'off'} pressed={on} testId="control-camera" disabled={status === 'starting'} onClick={toggleCamera}
    />
  );
}

function ScreenButton() {
  const status = useStore(room, (s) => s.screen.status);
  const allowed = useStore(room, (s) => s.permissions.includes('SHARE_SCREEN'));
  const on = status === 'on';
  if (!canShareScreen() || !allowed) return null;
  return (
    <IconButton
      icon={on ? 'screenOff' : 'screen'} label={on ? t.stopSharing : t.shareScreen} shortcut={KEYS.screen}
      look={on ? 'active' : 'plain'} pressed={on} testId="control-screen" disabled={status === 'starting'} onClick={toggleScreen}
    />
  );
}

function HandButton() {
  const raised = useStore(room, (s) => s.raisedHand);
  const enabled = useStore(room, (s) => s.raiseHandEnabled);
  if (!enabled) return null;
  return (
    <IconButton
      icon="hand" label={raised ? t.lowerHand : t.raiseHand} shortcut={KEYS.hand} look={raised ? 'active' : 'plain'}
      pressed={raised} testId="control-hand" onClick={toggleHand}
    />
  );
}

function PanelButtons() {
  const panel = useStore(ui, (s) => s.panel);
  const unread = useStore(room, (s) => s.unread);
  const people = useStore(room, (s) => Object.keys(s.peers).length + 1);
  const waiting = useStore(room, (s) => s.lobby.length);
  const chatEnabled = useStore(room, (s) => s.chatEnabled);
  return (
    <>
      {chatEnabled && (
        <IconButton
          icon="chat" label={unread > 0 ? `${t.chat}, ${t.unreadCount(unread)}` : t.chat} shortcut={KEYS.chat}
          look={panel === 'chat' ? 'active' : 'plain'} expanded={panel === 'chat'} testId="control-chat"
          onClick={() => togglePanel('chat')}
        >
          {unread > 0 && <span className="badge" data-testid="chat-unread" aria-hidden="true">{unread > 99 ? '99+' : unread}</span>}
        </IconButton>
      )}
      <IconButton
        icon="people" label={`${t.people}, ${people}`} shortcut={KEYS.people} look={panel === 'people' ? 'active' : 'plain'}
        expanded={panel === 'people'} testId="control-people" onClick={() => togglePanel('people')}
      >
        <span className={waiting > 0 ? 'badge' : 'badge quiet'} aria-hidden="true">{waiting > 0 ? `+${waiting}` : people}</span>
      </IconButton>
    </>
  );
}

function MoreButtons() {
  const full = useFullScreen();
  return (
    <>
      <IconButton icon="settings" label={t.settings} testId="control-settings" onClick={() => ui.set({ settingsOpen: true })} />
      {document.fullscreenEnabled && (
        <IconButton
          icon="fullScreen" label={full ? t.exitFullScreen : t.fullScreen} shortcut={KEYS.fullScreen} pressed={full}
          className="wide-only" testId="control-fullscreen" onClick={toggleFullScreen}
        />
      )}
    </>
  );
}
