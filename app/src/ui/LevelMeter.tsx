import { useEffect, useRef } from 'react';

import { levelToBar, meterOf } from '../media/levels';
import { t } from '../strings';

/** Moves without rendering: it is drawn on every frame. */
export function LevelMeter({ track }: { track: MediaStreamTrack | null }) {
  const bar = useRef<HTMLSpanElement>(null);
  useEffect(() => {
    const meter = track && meterOf(track);
    if (!meter) return;
    let frame = 0;
    const draw = () => {
      if (bar.current) bar.current.style.transform = `scaleX(${levelToBar(meter.read()).toFixed(3)})`;
      frame = requestAnimationFrame(draw);
    };
    draw();
    return () => {
      cancelAnimationFrame(frame);
      meter.close();
    };
  }, [track]);
  return (
    <div className="meter" role="img" aria-label={track ? t.micLevel : t.micOffHint} data-testid="level-meter">
      <span ref={bar} />
    </div>
  );
}
