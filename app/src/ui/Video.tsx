import { useEffect, useRef, useState } from 'react';

interface Props {
  track: MediaStreamTrack;
  mirrored?: boolean;
  /** Nothing is cropped: for screens. */
  whole?: boolean;
  testId?: string;
}

/** Fades in with the first picture; until then what is behind it is seen. */
export function Video({ track, mirrored, whole, testId }: Props) {
  const ref = useRef<HTMLVideoElement>(null);
  const [started, setStarted] = useState(false);
  useEffect(() => {
    const video = ref.current;
    if (!video) return;
    setStarted(false);
    video.srcObject = new MediaStream([track]);
    video.play().catch(() => undefined);
    return () => {
      video.srcObject = null;
    };
  }, [track]);
  const classes = ['video', mirrored && 'mirrored', whole && 'whole', started && 'started'].filter(Boolean).join(' ');
  return (
    <video ref={ref} className={classes} data-testid={testId} autoPlay playsInline muted onLoadedData={() => setStarted(true)} />
  );
}
