import { memo, useEffect, useRef } from 'react';

import { room } from '../state/app';
import { settings } from '../state/settings';
import { addAudio } from './audioElements';
import { useStore } from './useStore';

type WithSink = HTMLAudioElement & { setSinkId?: (id: string) => Promise<void> };

const AudioSink = memo(function AudioSink({ track, peerId }: { track: MediaStreamTrack; peerId: string }) {
  const ref = useRef<HTMLAudioElement>(null);
  const speakerId = useStore(settings, (s) => s.speakerId);
  useEffect(() => {
    const audio = ref.current;
    if (!audio) return;
    audio.srcObject = new MediaStream([track]);
    const remove = addAudio(audio);
    return () => {
      remove();
      audio.srcObject = null;
    };
  }, [track]);
  useEffect(() => {
    (ref.current as WithSink | null)?.setSinkId?.(speakerId).catch(() => undefined);
  }, [speakerId]);
  return <audio ref={ref} data-testid="audio" data-peer-id={peerId} autoPlay />;
});

/** Every voice, on the screen or not. */
export function AudioSinks() {
  const tracks = useStore(room, (s) => s.tracks);
  return (
    <div hidden>
      {Object.values(tracks).filter((track) => track.kind === 'audio').map((track) => (
        <AudioSink key={track.consumerId} track={track.track} peerId={track.peerId} />
      ))}
    </div>
  );
}
