import { linkify } from './linkify';

/** What a person wrote is text: nothing in it is markup, and only web addresses can be followed. */
export function ChatText({ text }: { text: string }) {
  return (
    <p className="chat-text">
      {linkify(text).map((part, i) =>
        part.href ? <a key={i} href={part.href} target="_blank" rel="noopener noreferrer nofollow">{part.text}</a> : part.text,
      )}
    </p>
  );
}
