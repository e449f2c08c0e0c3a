import { useId } from 'react';

import { chooseDevice, ui } from '../state/app';
import { saveSettings, settings } from '../state/settings';
import { t } from '../strings';
import { Icon, type IconName } from './icons';
import { playTestSound } from './testSound';
import { useStore } from './useStore';

interface SelectProps {
  label: string;
  icon: IconName;
  devices: MediaDeviceInfo[];
  value: string;
  testId: string;
  onChoose: (deviceId: string) => void;
}

function DeviceSelect({ label, icon, devices, value, testId, onChoose }: SelectProps) {
  const id = useId();
  const known = devices.some((d) => d.deviceId === value);
  return (
    <div className="device">
      <label htmlFor={id}>
        <Icon name={icon} size={18} />
        <span>{label}</span>
      </label>
      <select
        id={id} data-testid={testId} value={known ? value : ''} disabled={devices.length === 0}
        onChange={(event) => onChoose(event.target.value)}
      >
        <option value="">{devices.length === 0 ? t.noDevices : t.defaultDevice}</option>
        {devices.filter((d) => d.deviceId !== 'default').map((d, i) => (
          <option key={d.deviceId} value={d.deviceId}>{d.label || `${label} ${i + 1}`}</option>
        ))}
      </select>
    </div>
  );
}

const canChooseSpeaker = 'setSinkId' in HTMLMediaElement.prototype;

export function DevicePicker() {
  const { mics, cameras, speakers } = useStore(ui, (s) => s.devices);
  const { micId, cameraId, speakerId } = useStore(settings, (s) => s);
  return (
    <div className="devices">
      <DeviceSelect
        label={t.microphone} icon="mic" devices={mics} value={micId} testId="device-mic"
        onChoose={(id) => chooseDevice('mic', id)}
      />
      <DeviceSelect
        label={t.camera} icon="camera" devices={cameras} value={cameraId} testId="device-camera"
        onChoose={(id) => chooseDevice('webcam', id)}
      />
      {canChooseSpeaker && (
        <DeviceSelect
          label={t.speaker} icon="speaker" devices={speakers} value={speakerId} testId="device-speaker"
          onChoose={(id) => saveSettings({ speakerId: id })}
        />
      )}
      <button type="button" className="button link" onClick={() => playTestSound(speakerId)}>{t.testSpeaker}</button>
    </div>
  );
}
