/** The segments of what was on a screen that a vocabulary could hold. Pure and browser-safe. */
import { BoundedCache } from './bounded-cache.ts';
import { FILE, MAX_PATH_PARTS, MAX_SEGMENTS, MAX_TEXT, MAX_URL, parseUrl } from './public-text.ts';
import { recognize } from './recognizers/index.ts';
import { normaliseSegment, spellSegment, splitSegments, tokens, withFewMarks } from './text.ts';
import { entryFault, withoutEdges, type EntryKind, type Vocabulary } from './vocabulary.ts';

/** What a vocabulary could get as an entry, in the spelling in which it would. Personal until enough people have seen it. */
export interface Segment {
  readonly kind: EntryKind;
  readonly text: string;
  /** The words of all that was read, to find echoes in. */
  readonly words: readonly string[];
}

export interface SegmentReader {
  /** Of a title or label. */
  readonly texts: (text: string) => readonly Segment[];
  readonly app: (name: string) => readonly Segment[];
  readonly role: (role: string) => readonly Segment[];
  /** The host and the path's segments. */
  readonly url: (url: string) => readonly Segment[];
}

/** Whether anything personal is recognised in a text. */
export type IsPersonal = (text: string) => boolean;

const MAX_CACHED = 20_000;

/**
 * Reads texts as `createPublicText` does, and finds in them what the vocabulary lacks: segments that are no file's name, in which
 * no recogniser finds anything, and that may stand in a vocabulary file. What `known` holds already is left out.
 *
 * `isPersonal` stands for the recognisers; only a measurement of what they add brings another.
 */
export function createSegmentReader(
  known: Pick<Vocabulary, 'find' | 'findApp' | 'findHost' | 'findPathSegment' | 'findRole'>,
  isPersonal: IsPersonal = (text) => recognize(text).length > 0,
): SegmentReader {
  const texts = new BoundedCache<readonly Segment[]>(MAX_CACHED);
  const apps = new BoundedCache<readonly Segment[]>(MAX_CACHED);
  const roles = new BoundedCache<readonly Segment[]>(MAX_CACHED);
  const urls = new BoundedCache<readonly Segment[]>(MAX_CACHED);

  const isKnown: Readonly<Record<EntryKind, (text: string) => boolean>> = {
    app: (text) => known.findApp(text) !== undefined,
    host: (text) => known.findHost(text) !== undefined,
    path: (text) => known.findPathSegment(text) !== undefined,
    role: (text) => known.findRole(text) !== undefined,
    text: (text) => (known.find(normaliseSegment(text)) ?? known.findApp(text)) !== undefined,
  };

  /** The segment, or none, if it may not be proposed. `raw` is how it was read: its digits say more to recognisers. */
  function segment(kind: EntryKind, text: string, raw: string): readonly Segment[] {
    if (!mayBeEntry(kind, text) || isKnown[kind](text)) return [];
    if (isPersonal(withFewMarks(raw).normalize('NFKC')) || isPersonal(text)) return [];
    return [{ kind, text, words: tokens(raw) }];
  }

  function textsOf(text: string): readonly Segment[] {
    if (text.length > MAX_TEXT) return [];
    return splitSegments(text)
      .slice(0, MAX_SEGMENTS)
      .flatMap((raw) => (FILE.test(raw) ? [] : segment('text', withoutEdges(spellSegment(raw)), raw)));
  }

  function urlOf(text: string): readonly Segment[] {
    const url = text.length > MAX_URL ? null : parseUrl(text);
    if (url === null || (url.protocol !== 'http:' && url.protocol !== 'https:')) return [];
    // A name and a password in front of the host are nobody's address; nor is what stands behind them.
    if (url.username !== '' || url.password !== '') return [];
    const host = url.hostname.replace(/^www\./u, '').replace(/\.$/u, '');
    const names = url.pathname.split('/').filter((name) => name !== '');
    return [
      ...segment('host', host, host),
      ...names.slice(0, MAX_PATH_PARTS).flatMap((name) => segment('path', spellSegment(name), name)),
    ];
  }

  return {
    texts: (text) => (text === '' ? [] : texts.get(text, textsOf)),
    app: (name) =>
      name === '' ? [] : apps.get(name, (raw) => (raw.length > MAX_TEXT ? [] : segment('app', spellSegment(raw), raw))),
    role: (role) =>
      role === '' ? [] : roles.get(role, (raw) => (raw.length > MAX_TEXT ? [] : segment('role', raw, raw))),
    url: (url) => (url === '' ? [] : urls.get(url, urlOf)),
  };
}

/** Whether a vocabulary file can hold it, and it says something: a letter at least, no address, no path on a disk. */
function mayBeEntry(kind: EntryKind, text: string): boolean {
  if (!/\p{L}/u.test(text.replaceAll('{n}', '')) || /\p{Cs}/u.test(text)) return false;
  if (kind === 'text' && /:\/\/|[\\@]|^\/|\/.*\//u.test(text)) return false;
  if (kind === 'path' && FILE.test(text)) return false;
  // So a file would read it as a comment, a section or a list of aliases.
  if (text.startsWith('#') || /^\[[a-z]+\]$/u.test(text) || (kind === 'app' && text.includes('='))) return false;
  return text === text.trim() && entryFault({ kind, text, aliases: [] }) === undefined;
}
