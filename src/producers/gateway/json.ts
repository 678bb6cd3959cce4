/** JSON from strangers. */

const QUOTE = 0x22;
const BACKSLASH = 0x5c;
const [COMMA, COLON, OPEN_ARRAY, CLOSE_ARRAY, OPEN_OBJECT, CLOSE_OBJECT] = [0x2c, 0x3a, 0x5b, 0x5d, 0x7b, 0x7d];

/** Of what recorders send: a batch has lists of objects, and an element has bounds. */
const MAX_DEPTH = 4;
/** No object that recorders send has more keys. */
const MAX_KEYS = 8;

export type Parsed = { readonly value: unknown } | Implausible;
/** Not JSON in UTF-8, or not of a shape that recorders send. */
export type Implausible = 'bad_json' | 'too_many_structures';

/**
 * The value, if it has no more than `maxStructures` objects and lists, not nested deeper and with no more keys than what
 * recorders send.
 *
 * Parsing a few megabytes of brackets keeps the process for more than a second, and unpacked from gzip they are cheap to
 * send. So what is in there is counted before anything is made of it, at some 2 ns a byte.
 */
export function parseJson(bytes: Uint8Array, maxStructures: number): Parsed {
  const why = whyImplausible(bytes, maxStructures);
  if (why !== undefined) return why;
  try {
    return { value: JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(bytes)) };
  } catch {
    return 'bad_json';
  }
}

/** Counts what is outside of texts; says nothing about whether it is JSON. */
function whyImplausible(bytes: Uint8Array, maxStructures: number): Implausible | undefined {
  let [depth, structures, colons, commas] = [0, 0, 0, 0];
  for (let i = 0; i < bytes.length; i++) {
    switch (bytes[i] ?? 0) {
      case QUOTE:
        i = endOfText(bytes, i);
        if (i === -1) return 'bad_json';
        break;
      case OPEN_ARRAY:
      case OPEN_OBJECT:
        if (++depth > MAX_DEPTH) return 'bad_json';
        if (++structures > maxStructures) return 'too_many_structures';
        break;
      case CLOSE_ARRAY:
      case CLOSE_OBJECT:
        depth--;
        break;
      case COLON:
        colons++;
        break;
      case COMMA:
        commas++;
        break;
      default:
        break;
    }
  }
  // Between two keys is a comma, and between two structures; lists of other things are none of ours.
  return colons <= MAX_KEYS * structures && commas <= colons + structures ? undefined : 'bad_json';
}

/** Where the text that begins at `start` has its closing quote; -1 when it has none. */
function endOfText(bytes: Uint8Array, start: number): number {
  for (let from = start + 1; ; from++) {
    from = bytes.indexOf(QUOTE, from);
    if (from === -1) return -1;
    let escapes = 0;
    while (bytes[from - 1 - escapes] === BACKSLASH) escapes++;
    if (escapes % 2 === 0) return from;
  }
}
