import { useEffect, useId, useRef, useState } from 'react';

import { CODEC_NAMES, type CodecName } from '../media/encodings';
import type { Resolution } from '../media/devices';
import { chooseResolution, currentCall, room, ui } from '../state/app';
import { saveSettings, settings, type Theme } from '../state/settings';
import { t } from '../strings';
import { DevicePicker } from './DevicePicker';
import { IconButton } from './IconButton';
import { LevelMeter } from './LevelMeter';
import { useStore } from './useStore';

export function SettingsDialog() {
  const ref = useRef<HTMLDialogElement>(null);
  const mic = useStore(room, (s) => s.mic);
  useEffect(() => ref.current?.showModal(), []);
  const close = () => ui.set({ settingsOpen: false });
  return (
    <dialog
      ref={ref} className="dialog" aria-label={t.settings} data-testid="settings" onClose={close}
      onClick={(event) => event.target === ref.current && ref.current.close()}
    >
      <div className="dialog-body">
        <header className="panel-header">
          <h2>{t.settings}</h2>
          <IconButton icon="close" label={t.close} onClick={() => ref.current?.close()} />
        </header>
        <NameField />
        <DevicePicker />
        <LevelMeter track={mic.status === 'on' ? mic.track : null} />
        <MoreSettings />
        <button type="button" className="button primary" onClick={() => ref.current?.close()}>{t.done}</button>
      </div>
    </dialog>
  );
}

function NameField() {
  const id = useId();
  const [name, setName] = useState(settings.get().displayName);
  const save = () => {
    const trimmed = name.trim();
    if (!trimmed) return setName(settings.get().displayName);
    saveSettings({ displayName: trimmed });
    void currentCall()?.rename(trimmed);
  };
  return (
    <div className="field">
      <label htmlFor={id}>{t.yourName}</label>
      <input
        id={id} value={name} maxLength={64} autoComplete="name" data-testid="settings-name" onBlur={save}
        onChange={(event) => setName(event.target.value)}
        onKeyDown={(event) => event.key === 'Enter' && event.currentTarget.blur()}
      />
    </div>
  );
}

function MoreSettings() {
  const { resolution, codec, theme } = useStore(settings, (s) => s);
  return (
    <div className="devices">
      <Choice<Resolution> label={t.resolution} value={resolution} words={t.resolutions} onChoose={chooseResolution} />
      <Choice<CodecName | 'auto'>
        label={t.codec} hint={t.codecHint} value={codec || 'auto'} testId="settings-codec"
        words={{ auto: t.codecAuto, ...Object.fromEntries(CODEC_NAMES.map((c) => [c, c.toUpperCase()])) } as Record<CodecName | 'auto', string>}
        onChoose={(value) => saveSettings({ codec: value === 'auto' ? '' : value })}
      />
      <Choice<Theme> label={t.theme} value={theme} words={t.themes} onChoose={(value) => saveSettings({ theme: value })} />
    </div>
  );
}

interface ChoiceProps<T extends string> {
  label: string;
  hint?: string;
  value: T;
  words: Record<T, string>;
  testId?: string;
  onChoose: (value: T) => void;
}

function Choice<T extends string>({ label, hint, value, words, testId, onChoose }: ChoiceProps<T>) {
  const id = useId();
  return (
    <div className="device">
      <label htmlFor={id}><span>{label}</span></label>
      <select id={id} value={value} data-testid={testId} onChange={(event) => onChoose(event.target.value as T)}>
        {(Object.entries(words) as [T, string][]).map(([key, text]) => <option key={key} value={key}>{text}</option>)}
      </select>
      {hint && <p className="hint">{hint}</p>}
    </div>
  );
}
