import { MAX_RELEASED_TEXT } from '../events/released.ts';
import { BoundedCache } from './bounded-cache.ts';
import { recognize, SPAN_KINDS, type Span, type SpanKind } from './recognizers/index.ts';
import { normaliseSegment, splitSegments } from './text.ts';
import type { Entry, Vocabulary } from './vocabulary.ts';

/** Stands where a segment was cut; the kind says what a recogniser saw there, `text` when none did. */
export type Placeholder = '{text}' | '{typed}' | '{file}' | '{host}' | '{part}' | '{n}' | '{more}' | `{${SpanKind}}`;

export const PLACEHOLDERS: readonly Placeholder[] = [
  '{text}',
  '{typed}',
  '{file}',
  '{host}',
  '{part}',
  '{n}',
  '{more}',
  ...SPAN_KINDS.map((kind): Placeholder => `{${kind}}`),
];

/** A segment of a text: an entry of the vocabulary, or what stands for one that may not be kept. */
export type Part = { readonly entry: Entry } | { readonly placeholder: Placeholder };

/** A URL taken apart: nothing of it but the scheme is raw. */
export interface UrlParts {
  readonly scheme: 'http' | 'https';
  readonly host: Part;
  readonly path: readonly Part[];
}

type Find = (text: string) => readonly Span[];

/** What may be kept of titles, names, apps and URLs, before echoes are cut. */
export interface PublicText {
  /** The parts of a title or label; none for an empty text. */
  parts(text: string): readonly Part[];
  /** null for what is not an http(s) URL. */
  url(url: string): UrlParts | null;
  app(name: string): Part | null;
}

export const MAX_SEGMENTS = 6;
export const MAX_PATH_PARTS = 8;
/** Longer texts are nobody's label, and may not leave; they are not even looked at. */
export const MAX_TEXT = MAX_RELEASED_TEXT;
/** Longer addresses are not even parsed. */
export const MAX_URL = 8_192;
const MAX_CACHED = 20_000;

/** A file's name. */
export const FILE = /^[^/\\]{1,200}\.[\p{L}\p{N}]{1,6}\*?$/u;

/**
 * Rule 5: a segment is kept only if the vocabulary holds it and no recogniser finds anything in it; what is kept is the
 * vocabulary's own spelling. Results are cached by text, in memory. `find` is the second layer: recognisers as a policy wants them.
 */
export function createPublicText(vocabulary: Vocabulary, find: Find = recognize): PublicText {
  const texts = new BoundedCache<readonly Part[]>(MAX_CACHED);
  const urls = new BoundedCache<{ readonly parts: UrlParts | null }>(MAX_CACHED);
  const apps = new BoundedCache<Part>(MAX_CACHED);
  const clean = new Map<number, boolean>();

  /** The second layer: a reviewed entry that looks personal all the same is not kept. */
  function kept(entry: Entry | undefined): Part | undefined {
    if (entry === undefined) return undefined;
    let isClean = clean.get(entry.id);
    if (isClean === undefined) {
      isClean = entry.kind === 'host' || find(entry.text).length === 0;
      clean.set(entry.id, isClean);
    }
    return isClean ? { entry } : undefined;
  }

  function segment(text: string): Part {
    const part = kept(vocabulary.find(normaliseSegment(text))) ?? kept(vocabulary.findApp(text));
    if (part !== undefined) return part;
    const span = find(text)[0];
    if (span !== undefined) return { placeholder: `{${span.kind}}` };
    return { placeholder: FILE.test(text) ? '{file}' : '{text}' };
  }

  function partsOf(text: string): readonly Part[] {
    if (text.length > MAX_TEXT) return [{ placeholder: '{text}' }];
    // A label such as `Find - Replace` can be one entry.
    const whole = kept(vocabulary.find(normaliseSegment(text)));
    if (whole !== undefined) return [whole];
    const segments = splitSegments(text);
    const parts = segments.slice(0, MAX_SEGMENTS).map(segment);
    if (segments.length > MAX_SEGMENTS) parts.push({ placeholder: '{more}' });
    return parts;
  }

  function urlParts(text: string): UrlParts | null {
    const url = text.length > MAX_URL ? null : parseUrl(text);
    if (url === null || (url.protocol !== 'http:' && url.protocol !== 'https:')) return null;
    const names = url.pathname.split('/').filter((name) => name !== '');
    const path: Part[] = names.slice(0, MAX_PATH_PARTS).map((name) => pathPart(name));
    if (names.length > MAX_PATH_PARTS) path.push({ placeholder: '{more}' });
    return {
      scheme: url.protocol === 'https:' ? 'https' : 'http',
      host: kept(vocabulary.findHost(url.hostname)) ?? { placeholder: '{host}' },
      path,
    };
  }

  function pathPart(name: string): Part {
    const known = kept(vocabulary.findPathSegment(name));
    if (known !== undefined) return known;
    return { placeholder: /^\p{Nd}+$/u.test(name) ? '{n}' : '{part}' };
  }

  return {
    parts: (text) => (text === '' ? [] : texts.get(text, partsOf)),
    url: (text) => (text === '' ? null : urls.get(text, (raw) => ({ parts: urlParts(raw) })).parts),
    app: (name) =>
      name === ''
        ? null
        : apps.get(
            name,
            (raw) => kept(raw.length > MAX_TEXT ? undefined : vocabulary.findApp(raw)) ?? { placeholder: '{text}' },
          ),
  };
}

/** Whether a text is an address of which {@link PublicText.url} left only what the vocabulary holds, echoes cut or not. */
export function createTemplateCheck(
  vocabulary: Pick<Vocabulary, 'findHost' | 'findPathSegment'>,
): (url: string) => boolean {
  const placeholders = new Set<string>(PLACEHOLDERS);
  return (url) => {
    const match = /^https?:\/\/([^/]+)((?:\/[^/]+)*)$/u.exec(url);
    const [host, path] = [match?.[1], match?.[2]];
    if (host === undefined || path === undefined) return false;
    const names = path.split('/').slice(1);
    return (
      (placeholders.has(host) || vocabulary.findHost(host)?.text === host) &&
      names.every((name) => placeholders.has(name) || vocabulary.findPathSegment(name)?.text === name)
    );
  };
}

/** An address as it is shown; `show` may cut an echo. */
export function showUrl({ scheme, host, path }: UrlParts, show: (part: Part) => string): string {
  return `${scheme}://${show(host)}${path.map((part) => `/${show(part)}`).join('')}`;
}

export function parseUrl(text: string): URL | null {
  try {
    return new URL(text);
  } catch {
    return null;
  }
}
