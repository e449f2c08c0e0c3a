import { memo, useEffect, useRef, useState, type KeyboardEvent } from 'react';

import { currentCall, room } from '../state/app';
import type { ShownMessage } from '../state/roomState';
import { t } from '../strings';
import { Avatar } from './Avatar';
import { ChatText } from './ChatText';
import { IconButton } from './IconButton';
import { Panel } from './Panel';
import { useStore } from './useStore';

const TEXT_MAX = 2000;
const NEAR_BOTTOM = 80;
const SAME_SPEAKER_MS = 3 * 60_000;

export function ChatPanel() {
  const chat = useStore(room, (s) => s.chat);
  const mayClear = useStore(room, (s) => s.permissions.includes('MODERATE_CHAT'));
  const list = useRef<HTMLDivElement>(null);
  const atBottom = useRef(true);
  useEffect(() => {
    room.set({ unread: 0 });
    if (list.current && (atBottom.current || chat[chat.length - 1]?.mine)) list.current.scrollTop = list.current.scrollHeight;
  }, [chat]);
  const onScroll = () => {
    const el = list.current;
    if (el) atBottom.current = el.scrollHeight - el.scrollTop - el.clientHeight < NEAR_BOTTOM;
  };
  const clear = mayClear && chat.length > 0 && (
    <IconButton icon="trash" label={t.clearChat} onClick={() => void currentCall()?.ask('moderator:clearChat', {})} />
  );
  return (
    <Panel title={t.chat} testId="chat-panel" actions={clear}>
      <div className="chat-list" ref={list} onScroll={onScroll} role="log" aria-label={t.chat} aria-live="polite" tabIndex={0}>
        {chat.length === 0 && <p className="empty">{t.chatEmpty}</p>}
        {chat.map((m, i) => <Message key={m.id} message={m} follows={follows(chat[i - 1], m)} />)}
      </div>
      <Composer />
    </Panel>
  );
}

function follows(before: ShownMessage | undefined, m: ShownMessage): boolean {
  return before?.peerId === m.peerId && m.timestamp - before.timestamp < SAME_SPEAKER_MS;
}

const Message = memo(function Message({ message, follows }: { message: ShownMessage; follows: boolean }) {
  const name = message.mine ? t.you : message.displayName || t.guest;
  const time = new Date(message.timestamp).toLocaleTimeString([], { hour: '2-digit', minute: '2-digit' });
  return (
    <div className={message.mine ? 'chat-message mine' : 'chat-message'} data-testid="chat-message" data-mine={message.mine}>
      {!follows && (
        <div className="chat-head">
          {!message.mine && <Avatar id={message.peerId} name={name} small />}
          <strong>{name}</strong>
          <time dateTime={new Date(message.timestamp).toISOString()}>{time}</time>
        </div>
      )}
      <ChatText text={message.text} />
    </div>
  );
});

function Composer() {
  const allowed = useStore(room, (s) => s.permissions.includes('SEND_CHAT'));
  const [text, setText] = useState('');
  const [sending, setSending] = useState(false);
  const input = useRef<HTMLTextAreaElement>(null);
  useEffect(() => input.current?.focus(), []);

  const send = async () => {
    const trimmed = text.trim();
    if (!trimmed || sending) return;
    setSending(true);
    const sent = await currentCall()?.sendChat(trimmed);
    setSending(false);
    if (sent) setText((now) => (now.trim() === trimmed ? '' : now));
    input.current?.focus();
  };
  const onKeyDown = (event: KeyboardEvent) => {
    if (event.key !== 'Enter' || event.shiftKey || event.nativeEvent.isComposing) return;
    event.preventDefault();
    void send();
  };
  if (!allowed) return <p className="empty">{t.chatDenied}</p>;
  return (
    <form
      className="composer"
      onSubmit={(event) => {
        event.preventDefault();
        void send();
      }}
    >
      <textarea
        ref={input} data-testid="chat-input" value={text} rows={1} maxLength={TEXT_MAX} placeholder={t.chatPlaceholder}
        aria-label={t.chatPlaceholder} onChange={(event) => setText(event.target.value)} onKeyDown={onKeyDown}
      />
      <IconButton icon="send" label={t.send} look="active" testId="chat-send" disabled={!text.trim()} onClick={() => void send()} />
    </form>
  );
}
