/**
 * The vocabulary: the reviewed list of user-interface texts, app names, hosts and path segments that may be kept.
 *
 * Pure and browser-safe; reading the file and its digest are in vocabulary-file.ts.
 */
import { isTelling, normaliseSegment, tokens as wordsOf } from './text.ts';
import { createWordRuns } from './word-runs.ts';

/** What an entry names. All kinds share one id space. */
export const ENTRY_KINDS = ['app', 'host', 'path', 'role', 'text'] as const;
export type EntryKind = (typeof ENTRY_KINDS)[number];

/** One reviewed entry. `text` is the vocabulary's own spelling: the only spelling that is ever released. */
export interface Entry {
  /** Position in the sorted vocabulary: stable for one digest, not from one vocabulary to the next. */
  readonly id: number;
  readonly kind: EntryKind;
  readonly text: string;
}

export interface Vocabulary {
  /** `sha256:` and 64 hex characters over the sorted entries; comments and order in the file don't count. */
  readonly digest: string;
  /** Entries of all kinds. */
  readonly size: number;
  /** Entries by kind. */
  readonly counts: Readonly<Record<EntryKind, number>>;
  /** All entries, by id. */
  readonly entries: readonly Entry[];
  /**
   * The text entry for a segment, else undefined; `normalised` is `normaliseSegment(text)`. Marks that labels carry at their edges
   * (`Email:`, `Save as...`, `Name *`, the accelerator in `文件(F)`) don't count.
   */
  find(normalised: string): Entry | undefined;
  /** The host entry: exactly the listed host, with or without `www.`; never another subdomain, which may name a tenant. */
  findHost(host: string): Entry | undefined;
  /** The app entry, from its name or an alias as the system shows it (with or without `.exe` or `.app`). */
  findApp(name: string): Entry | undefined;
  findRole(role: string): Entry | undefined;
  findPathSegment(segment: string): Entry | undefined;
  hasHost(host: string): boolean;
  hasRole(role: string): boolean;
  /** The canonical name of an app, from any of its aliases. */
  app(name: string): string | undefined;
  /** The vocabulary's spelling of a path segment that may stay in a URL template. */
  pathSegment(segment: string): string | undefined;
  /**
   * Ids (ascending, each once) of every entry but roles whose words, or those of another name under which it is found (an
   * app's aliases, a label without its edges), occur as a run of whole words in `tokens`, which are those of text.ts.
   * Names that say nothing ({@link isTelling}) don't count. Time grows with the number of tokens, not with the vocabulary.
   */
  occurrences(tokens: readonly string[]): number[];
}

/** An entry as the file has it, before it has an id. Only apps have aliases. */
export interface EntryLine {
  readonly kind: EntryKind;
  readonly text: string;
  readonly aliases: readonly string[];
}

/** The vocabulary file holds a mistake. */
export class VocabularyError extends Error {
  override readonly name = 'VocabularyError';
}

/** Builds the lookups over entries in the order of {@link parseVocabulary}. */
export function createVocabulary(lines: readonly EntryLine[], digest: string): Vocabulary {
  const entries = lines.map(({ kind, text }, id): Entry => Object.freeze({ id, kind, text }));
  const byKind: Record<EntryKind, Map<string, Entry>> = {
    app: new Map(),
    host: new Map(),
    path: new Map(),
    role: new Map(),
    text: new Map(),
  };
  const counts: Record<EntryKind, number> = { app: 0, host: 0, path: 0, role: 0, text: 0 };
  for (const [id, entry] of entries.entries()) {
    counts[entry.kind] += 1;
    for (const key of keysOf(lines[id] ?? { ...entry, aliases: [] })) byKind[entry.kind].set(key, entry);
  }
  const runs = createWordRuns(
    lines.flatMap((line, id) =>
      line.kind === 'role'
        ? []
        : [line.text, ...line.aliases, ...keysOf(line)]
            .map((name) => [wordsOf(name), id] as const)
            .filter(([name]) => isTelling(name)),
    ),
  );
  const { app, host, path, role, text } = byKind;
  const findHost = (name: string): Entry | undefined => host.get(hostKey(name));
  const findApp = (name: string): Entry | undefined => app.get(appKey(name));
  const findRole = (name: string): Entry | undefined => role.get(name);
  const findPathSegment = (segment: string): Entry | undefined => path.get(normaliseSegment(segment));
  return {
    digest,
    size: entries.length,
    counts,
    entries,
    find: (normalised) => text.get(normalised) ?? text.get(withoutEdges(normalised)),
    findHost,
    findApp,
    findRole,
    findPathSegment,
    hasHost: (name) => findHost(name) !== undefined,
    hasRole: (name) => findRole(name) !== undefined,
    app: (name) => findApp(name)?.text,
    pathSegment: (segment) => findPathSegment(segment)?.text,
    occurrences: (tokens) => [...runs.findIn(tokens)].toSorted((a, b) => a - b),
  };
}

/**
 * Reads the text of a vocabulary file: `# comments`, then sections `[texts] [roles] [apps] [hosts] [paths]` with an entry a
 * line; an app may list aliases (`Google Chrome = chrome, google-chrome`). Returns the entries sorted by kind and spelling:
 * an entry's place is its id.
 *
 * @throws {VocabularyError} naming the line (`file` is its name in the error) of the first entry that is malformed, holds a digit, or means the same as another.
 */
export function parseVocabulary(source: string, file: string): EntryLine[] {
  const lines: EntryLine[] = [];
  const seen = new Map<string, number>();
  let kind: EntryKind | undefined;
  for (const [index, raw] of source.split(/\r?\n/u).entries()) {
    const text = raw.trim();
    if (text === '' || text.startsWith('#')) continue;
    const fail = (message: string): never => {
      throw new VocabularyError(`${file}:${index + 1}: ${message}`);
    };
    if (/^\[[a-z]+\]$/u.test(text)) {
      kind =
        SECTIONS.get(text.slice(1, -1)) ?? fail(`unknown section ${text}; known: ${[...SECTIONS.keys()].join(', ')}`);
      continue;
    }
    if (kind === undefined) return fail('an entry before the first section: start with a line such as [texts]');
    const entry = parseEntry(kind, text);
    const fault = entryFault(entry);
    if (fault !== undefined) fail(fault);
    for (const key of new Set(keysOf(entry))) {
      const other = seen.get(`${kind} ${key}`);
      if (other !== undefined) fail(`means the same as line ${other}: keep one of them`);
      seen.set(`${kind} ${key}`, index + 1);
    }
    lines.push(entry);
    if (lines.length > MAX_ENTRIES) fail(`more than ${MAX_ENTRIES} entries`);
  }
  return lines.toSorted((a, b) => compare(a.kind, b.kind) || compare(a.text, b.text));
}

/** The text whose digest is the vocabulary's: an entry a line, sorted, with its aliases. */
export function canonicalText(lines: readonly EntryLine[]): string {
  return lines.map((line) => [line.kind, line.text, ...line.aliases].join('\t') + '\n').join('');
}

/** Largest number of entries of a vocabulary. */
export const MAX_ENTRIES = 200_000;
const MAX_ENTRY_LENGTH = 200;

/** Names of the sections in a file, in the order in which files have them. */
export const SECTIONS: ReadonlyMap<string, EntryKind> = new Map([
  ['apps', 'app'],
  ['hosts', 'host'],
  ['paths', 'path'],
  ['roles', 'role'],
  ['texts', 'text'],
]);

function parseEntry(kind: EntryKind, line: string): EntryLine {
  if (kind !== 'app') return { kind, text: line, aliases: [] };
  const [text = '', aliases = ''] = line.split('=', 2);
  const names = aliases.split(',').flatMap((alias) => (alias.trim() === '' ? [] : [alias.trim()]));
  return { kind, text: text.trim(), aliases: names.toSorted(compare) };
}

/** What is wrong with an entry, else undefined. Never quotes the entry: it may be the personal text that must not be there. */
export function entryFault({ kind, text, aliases }: EntryLine): string | undefined {
  for (const name of [text, ...aliases]) {
    if (name.length > MAX_ENTRY_LENGTH) return `longer than ${MAX_ENTRY_LENGTH} characters`;
    // Without a word no echo of it could be found.
    if (wordsOf(name).length === 0) return 'holds no word';
    if (kind !== 'host' && /\p{Nd}/u.test(name)) return 'holds digits: write {n} for them';
    if (/[\p{Cc}\p{Cf}\p{Co}]/u.test(name)) return 'holds an invisible character: remove it';
  }
  if (kind === 'host' && (!HOST.test(text) || text.startsWith('www.'))) {
    return 'is not a host: write it in lower case without www. and without a path, such as docs.example.com';
  }
  if (kind === 'role' && !/^[a-z]+$/u.test(text)) return 'is not a role: lower-case letters only';
  if (kind === 'path' && /[/?#%\s]/u.test(text)) return 'is not one path segment: leave out /, ?, #, % and spaces';
  return undefined;
}

const HOST = /^[a-z0-9]+([.-][a-z0-9]+|--[a-z0-9]+)*\.[a-z][a-z0-9-]*$/u;

/** The keys under which an entry is looked up: two entries of a kind that share one mean the same. */
export function keysOf({ kind, text, aliases }: EntryLine): string[] {
  const normalised = normaliseSegment(text);
  const keys: Record<EntryKind, () => string[]> = {
    app: () => [text, ...aliases].map(appKey),
    host: () => [hostKey(text)],
    path: () => [normalised],
    role: () => [text],
    text: () => [normalised, withoutEdges(normalised)],
  };
  return [...new Set(keys[kind]())];
}

const appKey = (name: string): string => normaliseSegment(name).replace(/\.(?:exe|app|desktop)$/u, '');

const hostKey = (host: string): string =>
  host
    .toLowerCase()
    .replace(/\.$/u, '')
    .replace(/^www\./u, '');

/** Without what labels carry at their edges: `*` in front; `:`, `*`, dots and an accelerator such as `(f)` behind. */
export function withoutEdges(text: string): string {
  const inner = text.replace(/^\*\s*/u, '').replace(LAST_EDGE, '');
  return inner === '' ? text : inner;
}

// Begins where nothing before could belong to it as well, or every character of a long run would be tried as its beginning.
const LAST_EDGE = /(?:(?<!\s)\s*\([a-z]\)|(?<![\s:*.]))[\s:*.]*$/iu;

/** Code-unit order: the same on every machine, whatever its locale. */
export const compare = (a: string, b: string): number => (a < b ? -1 : a > b ? 1 : 0);
