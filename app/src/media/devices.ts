// Microphones, cameras, speakers and screens: asking for them, and what went wrong, by name.

export type DeviceProblem = 'denied' | 'none' | 'busy' | 'insecure' | 'unplugged' | 'failed';
export type LocalSource = 'mic' | 'webcam';
export type Resolution = 'low' | 'medium' | 'high';

export const RESOLUTIONS: Record<Resolution, { width: number; height: number }> = {
  low: { width: 320, height: 180 },
  medium: { width: 640, height: 360 },
  high: { width: 1280, height: 720 },
};

export class DeviceError extends Error {
  constructor(readonly problem: DeviceProblem) {
    super(problem);
  }
}

export function problemOf(error: unknown): DeviceProblem {
  if (error instanceof DeviceError) return error.problem;
  switch ((error as { name?: string } | null)?.name) {
    case 'NotAllowedError':
    case 'SecurityError':
    case 'PermissionDeniedError':
      return 'denied';
    case 'NotFoundError':
    case 'DevicesNotFoundError':
      return 'none';
    case 'NotReadableError':
    case 'TrackStartError':
    case 'AbortError':
      return 'busy';
    default:
      return 'failed';
  }
}

export interface DeviceLists {
  mics: MediaDeviceInfo[];
  cameras: MediaDeviceInfo[];
  speakers: MediaDeviceInfo[];
}

export async function listDevices(): Promise<DeviceLists> {
  const all = (await navigator.mediaDevices?.enumerateDevices().catch(() => [])) ?? [];
  const of = (kind: MediaDeviceKind) => all.filter((d) => d.kind === kind && d.deviceId !== '');
  return { mics: of('audioinput'), cameras: of('videoinput'), speakers: of('audiooutput') };
}

export function onDevicesChanged(changed: () => void): () => void {
  navigator.mediaDevices?.addEventListener?.('devicechange', changed);
  return () => navigator.mediaDevices?.removeEventListener?.('devicechange', changed);
}

export function audioConstraints(deviceId: string): MediaTrackConstraints {
  const device = deviceId ? { deviceId: { exact: deviceId } } : {};
  return { ...device, echoCancellation: true, noiseSuppression: true, autoGainControl: true };
}

export function videoConstraints(deviceId: string, resolution: Resolution): MediaTrackConstraints {
  const { width, height } = RESOLUTIONS[resolution];
  const device = deviceId ? { deviceId: { exact: deviceId } } : { facingMode: 'user' };
  return { ...device, width: { ideal: width }, height: { ideal: height }, frameRate: { ideal: 30 } };
}

async function getTrack(constraints: MediaStreamConstraints): Promise<MediaStreamTrack> {
  if (!navigator.mediaDevices?.getUserMedia) throw new DeviceError('insecure');
  const stream = await navigator.mediaDevices.getUserMedia(constraints);
  return stream.getTracks()[0]!;
}

/** A device that is no longer there is replaced by the default one. */
export async function openDevice(
  source: LocalSource,
  deviceId: string,
  resolution: Resolution,
): Promise<MediaStreamTrack> {
  const constraints = (id: string): MediaStreamConstraints =>
    source === 'mic' ? { audio: audioConstraints(id) } : { video: videoConstraints(id, resolution) };
  try {
    return await getTrack(constraints(deviceId));
  } catch (error) {
    const name = (error as { name?: string }).name;
    if (deviceId && (name === 'OverconstrainedError' || name === 'NotFoundError')) return getTrack(constraints(''));
    throw new DeviceError(problemOf(error));
  }
}

export interface Opened {
  track: MediaStreamTrack | null;
  problem: DeviceProblem | null;
}

/** Both with one question to the person where that is possible; else each by itself, so that one works without the other. */
export async function openBoth(
  micId: string,
  cameraId: string,
  resolution: Resolution,
): Promise<Record<LocalSource, Opened>> {
  try {
    if (!navigator.mediaDevices?.getUserMedia) throw new DeviceError('insecure');
    const stream = await navigator.mediaDevices.getUserMedia({
      audio: audioConstraints(micId),
      video: videoConstraints(cameraId, resolution),
    });
    return {
      mic: { track: stream.getAudioTracks()[0]!, problem: null },
      webcam: { track: stream.getVideoTracks()[0]!, problem: null },
    };
  } catch (error) {
    if (problemOf(error) === 'insecure') {
      const insecure: Opened = { track: null, problem: 'insecure' };
      return { mic: insecure, webcam: insecure };
    }
    return { mic: await tryOpen('mic', micId, resolution), webcam: await tryOpen('webcam', cameraId, resolution) };
  }
}

async function tryOpen(source: LocalSource, deviceId: string, resolution: Resolution): Promise<Opened> {
  try {
    return { track: await openDevice(source, deviceId, resolution), problem: null };
  } catch (error) {
    return { track: null, problem: problemOf(error) };
  }
}

export interface ScreenTracks {
  video: MediaStreamTrack;
  audio: MediaStreamTrack | null;
}

export function canShareScreen(): boolean {
  return typeof navigator.mediaDevices?.getDisplayMedia === 'function';
}

/** null when the person chose nothing. */
export async function openScreen(): Promise<ScreenTracks | null> {
  try {
    const stream = await navigator.mediaDevices.getDisplayMedia({
      video: { frameRate: { ideal: 15, max: 30 } },
      audio: { echoCancellation: false, noiseSuppression: false, autoGainControl: false },
    });
    const video = stream.getVideoTracks()[0]!;
    video.contentHint = 'detail';
    return { video, audio: stream.getAudioTracks()[0] ?? null };
  } catch (error) {
    const problem = problemOf(error);
    if (problem === 'denied') return null;
    throw new DeviceError(problem);
  }
}
