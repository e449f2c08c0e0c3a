import { useState, type FormEvent } from 'react';

import { pathOfRoom, suggestRoom, toRoomName } from '../state/address';
import { openRoom } from '../state/app';
import { t } from '../strings';
import { Icon } from './icons';
import { IconButton } from './IconButton';
import { PageFrame } from './PageFrame';

export function StartPage() {
  const [text, setText] = useState('');
  const [suggestion, setSuggestion] = useState(suggestRoom);
  const name = toRoomName(text) || suggestion;
  const submit = (event: FormEvent) => {
    event.preventDefault();
    openRoom(name);
  };
  return (
    <PageFrame>
      <section className="start">
        <div className="start-words">
          <h1>{t.tagline}</h1>
          <p>{t.taglineMore}</p>
        </div>
        <form className="card start-form" onSubmit={submit}>
          <label htmlFor="room-name">{t.roomName}</label>
          <div className="field-row">
            <input
              id="room-name" data-testid="start-room" value={text} placeholder={suggestion} maxLength={100} autoFocus
              autoComplete="off" autoCapitalize="none" spellCheck={false} aria-describedby="room-hint"
              onChange={(event) => setText(event.target.value)}
            />
            <IconButton
              icon="refresh" label={t.anotherName}
              onClick={() => {
                setText('');
                setSuggestion(suggestRoom());
              }}
            />
          </div>
          <p id="room-hint" className="hint">{t.roomHint(`${location.host}${pathOfRoom(name)}`)}</p>
          <button type="submit" className="button primary" data-testid="start-enter">
            {t.enterRoom}
            <Icon name="arrow" size={18} />
          </button>
        </form>
        <Circle />
      </section>
    </PageFrame>
  );
}

/** An assembly, sitting round. */
function Circle() {
  return (
    <svg className="start-art" viewBox="0 0 400 400" aria-hidden="true">
      {[150, 105, 60].map((radius, ring) =>
        Array.from({ length: 16 - ring * 4 }, (_, i, n = 16 - ring * 4) => {
          const angle = (i / n) * 2 * Math.PI + ring * 0.3;
          const speaking = ring === 1 && i === 9;
          return (
            <circle
              key={`${radius}-${i}`} className={speaking ? 'art-speaker' : `art-seat ring-${ring}`}
              cx={200 + radius * Math.cos(angle)} cy={200 + radius * Math.sin(angle)} r={speaking ? 19 : 14 - ring * 2}
            />
          );
        }),
      )}
    </svg>
  );
}
