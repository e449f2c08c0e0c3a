// Rooms and the page's address: /a-room is the room "a-room".

/** Of the encoded name: that is what the server gets. */
const ENCODED_MAX = 128;

function cut(name: string): string {
  const letters = [...name];
  while (encodeURIComponent(letters.join('')).length > ENCODED_MAX) letters.pop();
  return letters.join('');
}

/** What a person typed, as a room's name: small letters and digits of any script, words joined by hyphens. */
export function toRoomName(text: string): string {
  const words = text.normalize('NFC').toLowerCase().replace(/[^\p{L}\p{M}\p{N}_.]+/gu, '-');
  return cut(words.replace(/^[-.]+|[-.]+$/g, ''));
}

/** The room that a path names; '' is the start page. */
export function roomOfPath(path: string): string {
  const segment = path.split('/').find((s) => s !== '') ?? '';
  try {
    return cut(decodeURIComponent(segment).toLowerCase());
  } catch {
    return '';
  }
}

/** As the server knows it: ASCII, whatever the script. */
export const idOfRoom = (room: string): string => encodeURIComponent(room);

export const pathOfRoom = (room: string): string => `/${idOfRoom(room)}`;

const FIRST = ['amber', 'bright', 'brisk', 'calm', 'clear', 'coral', 'early', 'fair', 'fresh', 'gentle', 'golden', 'green', 'keen',
  'kind', 'lively', 'mellow', 'merry', 'misty', 'quiet', 'silver', 'still', 'sunny', 'swift', 'warm'];
const SECOND = ['birch', 'brook', 'cove', 'dale', 'falls', 'fern', 'fjord', 'glade', 'grove', 'harbour', 'heath', 'hill', 'island',
  'lagoon', 'meadow', 'moss', 'pine', 'plain', 'ridge', 'river', 'shore', 'spring', 'valley', 'willow'];

/** A name that nobody else is likely to have: two words and four digits. */
export function suggestRoom(random: () => number = Math.random): string {
  const pick = (words: readonly string[]) => words[Math.floor(random() * words.length)]!;
  return `${pick(FIRST)}-${pick(SECOND)}-${1000 + Math.floor(random() * 9000)}`;
}
