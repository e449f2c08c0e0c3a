import { useEffect, useState, type FormEvent } from 'react';

import { join, local, room, startPreview, toggleCamera, toggleMic, ui } from '../state/app';
import { saveSettings, settings } from '../state/settings';
import { problemText, t } from '../strings';
import { Avatar } from './Avatar';
import { DevicePicker } from './DevicePicker';
import { Icon } from './icons';
import { IconButton } from './IconButton';
import { LevelMeter } from './LevelMeter';
import { PageFrame } from './PageFrame';
import { useStore } from './useStore';
import { Video } from './Video';

export function PreJoinPage() {
  const roomId = useStore(room, (s) => s.roomId);
  const joining = useStore(room, (s) => s.phase === 'joining');
  const lost = useStore(room, (s) => s.phase === 'joining' && s.link === 'lost');
  const nothing = useStore(room, (s) => !s.mic.track && !s.webcam.track && (s.mic.problem ?? s.webcam.problem) !== null);
  const [name, setName] = useState(settings.get().displayName);
  const [wide] = useState(() => window.innerWidth > 820);
  const [missing, setMissing] = useState(false);

  useEffect(startPreviewOnce, []);

  const submit = (event: FormEvent) => {
    event.preventDefault();
    const trimmed = name.trim();
    setMissing(!trimmed);
    if (!trimmed) return;
    saveSettings({ displayName: trimmed });
    // They have been read here.
    local.dismiss('mic');
    local.dismiss('webcam');
    join(trimmed);
  };

  return (
    <PageFrame aside={roomId}>
      <form className="prejoin" onSubmit={submit}>
        <Preview name={name} />
        <div className="card prejoin-side">
          <h1>{t.ready}</h1>
          <div className="field">
            <label htmlFor="display-name">{t.yourName}</label>
            <input
              id="display-name" data-testid="prejoin-name" value={name} placeholder={t.namePlaceholder} maxLength={64}
              autoComplete="name" autoFocus={!name} aria-invalid={missing} aria-describedby={missing ? 'name-needed' : undefined}
              onChange={(event) => setName(event.target.value)}
            />
            {missing && <p id="name-needed" className="problem" role="alert">{t.nameNeeded}</p>}
          </div>
          <details open={wide}>
            <summary>{t.devices}</summary>
            <DevicePicker />
          </details>
          <button type="submit" className="button primary" data-testid="prejoin-join" disabled={joining}>
            {joining ? t.joining : nothing ? t.joinWithout : t.join}
          </button>
          {lost && <p className="problem" role="alert" data-testid="banner" data-banner="link">{t.linkUnreachable}</p>}
        </div>
      </form>
    </PageFrame>
  );
}

/** The page may be shown again while the devices are still open. */
function startPreviewOnce(): void {
  const { mic, webcam } = room.get();
  const untouched = mic.status === 'off' && webcam.status === 'off' && !mic.problem && !webcam.problem;
  if (untouched && !ui.get().autoJoin) startPreview();
}

function Preview({ name }: { name: string }) {
  const mic = useStore(room, (s) => s.mic);
  const webcam = useStore(room, (s) => s.webcam);
  const micOn = mic.status === 'on' || mic.status === 'starting';
  const cameraOn = webcam.status !== 'off';
  const both = mic.problem !== null && mic.problem === webcam.problem;
  return (
    <div className="preview-column">
      <div className="preview" data-testid="prejoin-preview">
        {webcam.track ? (
          <Video track={webcam.track} mirrored testId="prejoin-video" />
        ) : (
          <div className="preview-off">
            <Avatar id="me" name={name} />
            <span>{webcam.status === 'starting' ? t.cameraStarting : t.cameraOff}</span>
          </div>
        )}
        <div className="preview-controls">
          <IconButton
            icon={micOn ? 'mic' : 'micOff'} label={micOn ? t.mute : t.unmute} look={micOn ? 'plain' : 'off'} pressed={!micOn}
            testId="prejoin-mic" onClick={toggleMic}
          />
          <IconButton
            icon={cameraOn ? 'camera' : 'cameraOff'} label={cameraOn ? t.cameraStop : t.cameraStart}
            look={cameraOn ? 'plain' : 'off'} pressed={!cameraOn} testId="prejoin-camera" onClick={toggleCamera}
          />
        </div>
      </div>
      <div className="meter-row">
        <Icon name={micOn ? 'mic' : 'micOff'} size={18} />
        <LevelMeter track={mic.status === 'on' ? mic.track : null} />
      </div>
      <div aria-live="polite">
        {mic.problem && (
          <Problem
            text={problemText(both ? 'both' : 'mic', mic.problem)} testId="problem-mic"
            retry={() => {
              toggleMic();
              if (both) toggleCamera();
            }}
          />
        )}
        {webcam.problem && !both && <Problem text={problemText('webcam', webcam.problem)} retry={toggleCamera} testId="problem-camera" />}
      </div>
    </div>
  );
}

function Problem({ text, retry, testId }: { text: string; retry: () => void; testId: string }) {
  return (
    <p className="problem-box" data-testid={testId}>
      <Icon name="warning" size={18} />
      <span>{text}</span>
      <button type="button" className="button link" onClick={retry}>{t.tryAgain}</button>
    </p>
  );
}
