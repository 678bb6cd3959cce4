import type { Recognizer, Span } from './span.ts';
import type { TextView } from './view.ts';

/** User name and password in a URL's authority (RFC 3986, 3.2.1): from after `://` to before the last `@` of the authority. */
export const recognizer: Recognizer = { kinds: ['url_userinfo'], find };

function find({ text }: TextView): Span[] {
  const spans: Span[] = [];
  for (let mark = text.indexOf('://'); mark !== -1; mark = text.indexOf('://', mark + 3)) {
    const start = mark + 3;
    AUTHORITY.lastIndex = start;
    const authority = AUTHORITY.exec(text)?.[0] ?? '';
    const at = authority.lastIndexOf('@');
    if (at <= 0) continue;
    const hasPassword = authority.slice(0, at).includes(':');
    spans.push({
      start,
      end: start + at,
      kind: 'url_userinfo',
      score: hasPassword ? 1 : 0.8,
      checked: hasPassword ? 'user+password' : 'user',
    });
  }
  return spans;
}

const AUTHORITY = /[^/\\?#\s<>"]*/uy;
