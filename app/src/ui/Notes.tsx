import { useEffect, useState } from 'react';

import { room, ui } from '../state/app';
import type { Note } from '../state/roomState';
import { t } from '../strings';
import { useStore } from './useStore';

const SHOWN_MS = 4000;

const wordsOf = (note: Note): string => t.notes[note.kind](note.name || t.guest);

/** Passing notes: who came and went, what did not work. Read aloud too, as is a message that comes while the chat is closed. */
export function Notes() {
  const notes = useStore(room, (s) => s.notes);
  const message = useStore(room, (s) => s.chat[s.chat.length - 1]);
  const chatOpen = useStore(ui, (s) => s.panel === 'chat');
  const [gone, setGone] = useState(0);
  const last = notes[notes.length - 1]?.id ?? 0;
  useEffect(() => {
    const timer = setTimeout(() => setGone(last), SHOWN_MS);
    return () => clearTimeout(timer);
  }, [last]);
  const shown = notes.filter((n) => n.id > gone).slice(-3);
  return (
    <>
      <div className="notes" role="status" aria-live="polite">
        {shown.map((n) => <p key={n.id} data-testid="note">{wordsOf(n)}</p>)}
      </div>
      <div className="visually-hidden" role="status" aria-live="polite">
        {message && !chatOpen && !message.mine && t.said(message.displayName || t.guest, message.text)}
      </div>
    </>
  );
}
