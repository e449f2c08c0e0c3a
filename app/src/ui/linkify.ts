// Text into plain parts and links. Only http and https become links.

export interface Part {
  text: string;
  href?: string;
}

const URL_PATTERN = /\bhttps?:\/\/[^\s<>"']+/gi;

/** What ends a sentence is not part of the address, nor is a bracket that was opened before it. */
function trimEnd(url: string): string {
  let end = url.replace(/[.,;:!?…]+$/, '');
  const count = (c: string) => end.split(c).length - 1;
  if (end.endsWith(')') && count('(') < count(')')) end = end.slice(0, -1);
  return end.replace(/[.,;:!?…]+$/, '');
}

export function linkify(text: string): Part[] {
  const parts: Part[] = [];
  let at = 0;
  for (const match of text.matchAll(URL_PATTERN)) {
    const url = trimEnd(match[0]);
    if (!/:\/\/./.test(url)) continue;
    if (match.index > at) parts.push({ text: text.slice(at, match.index) });
    parts.push({ text: url, href: url });
    at = match.index + url.length;
  }
  if (at < text.length) parts.push({ text: text.slice(at) });
  return parts;
}
