import { useEffect, useRef } from 'react';

import { openRoom, room } from '../state/app';
import { t } from '../strings';
import { PageFrame } from './PageFrame';
import { useStore } from './useStore';

export function EndPage() {
  const reason = useStore(room, (s) => s.endReason) ?? 'left';
  const roomId = useStore(room, (s) => s.roomId);
  const title = useRef<HTMLHeadingElement>(null);
  useEffect(() => title.current?.focus(), []);
  const [words, more] = t.ended[reason];
  return (
    <PageFrame aside={roomId}>
      <section className="card message" data-testid="ended" data-reason={reason}>
        <h1 ref={title} tabIndex={-1}>{words}</h1>
        <p>{more}</p>
        <div className="button-row">
          {reason !== 'unsupported' && (
            <button type="button" className="button primary" data-testid="ended-rejoin" onClick={() => openRoom(roomId, false)}>
              {t.rejoin}
            </button>
          )}
          <button type="button" className="button" onClick={() => openRoom('')}>{t.toStart}</button>
        </div>
      </section>
    </PageFrame>
  );
}
