/**
 * The vocabulary: the reviewed list of user-interface texts, app names, hosts and path segments that may be kept.
 *
 * Pure and browser-safe; reading the file and its digest are in vocabulary-file.ts.
 */

/** What an entry names. All kinds share one id space. */
export type EntryKind = 'text' | 'role' | 'app' | 'host' | 'path';

/** One reviewed entry. `text` is the vocabulary's own spelling: the only spelling that is ever released. */
export interface Entry {
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
  /** The text entry for a segment, else undefined; `normalised` is `normaliseSegment(text)`. */
  find(normalised: string): Entry | undefined;
  /** The host entry: exactly the listed host, with or without `www.`; never another subdomain, which may name a tenant. */
  findHost(host: string): Entry | undefined;
  findApp(name: string): Entry | undefined;
  findRole(role: string): Entry | undefined;
  findPathSegment(segment: string): Entry | undefined;
  hasHost(host: string): boolean;
  hasRole(role: string): boolean;
  /** The canonical name of an app, from any of its aliases. */
  app(name: string): string | undefined;
  /** The vocabulary's spelling of a path segment that may stay in a URL template. */
  pathSegment(segment: string): string | undefined;
  /** Ids (ascending, each once) of every entry whose words occur as a run of whole words in `tokens`. */
  occurrences(tokens: readonly string[]): number[];
  /** The words of an entry's released spelling, as {@link occurrences} compares them. */
  entryTokens(id: number): readonly string[];
}
