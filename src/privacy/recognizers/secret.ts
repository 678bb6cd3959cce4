import { assignments } from './secrets/assignments.ts';
import { commands } from './secrets/commands.ts';
import { HOOKS, MAKERS } from './secrets/makers.ts';
import { randomTokens } from './secrets/random.ts';
import type { Recognizer, Span } from './span.ts';
import type { TextView } from './view.ts';

/**
 * Secrets: private keys and certificates in PEM, tokens of known makers, JSON web tokens, `password=...` in many ways of
 * writing, passwords in commands and headers, and long runs of characters that look random and are not shown as a digest.
 */
export const recognizer: Recognizer = { kinds: ['secret'], find };

function find(view: TextView): Span[] {
  const { text } = view;
  return [...pemBlocks(text), ...assignments(text), ...commands(text), ...makersTokens(text), ...randomTokens(view)];
}

/** From `-----BEGIN` to the end of its `-----END` line; to the end of the text when that is missing. */
function pemBlocks(text: string): Span[] {
  const spans: Span[] = [];
  for (let start = text.indexOf(PEM_BEGIN); start !== -1;) {
    const footer = text.indexOf(PEM_END, start);
    const close = footer === -1 ? -1 : text.indexOf('-----', footer + PEM_END.length);
    const end = close === -1 ? text.length : close + 5;
    spans.push({ start, end, kind: 'secret', score: 1, checked: 'pem' });
    start = text.indexOf(PEM_BEGIN, end);
  }
  return spans;
}

const PEM_BEGIN = '-----BEGIN ';
const PEM_END = '-----END ';

/** A token of a known maker goes on to the end of its run. */
function makersTokens(text: string): Span[] {
  const spans: Span[] = [];
  for (const run of text.matchAll(RUN)) {
    KNOWN.lastIndex = 0;
    for (let found = KNOWN.exec(run[0]); found !== null; found = KNOWN.exec(run[0])) {
      REST.lastIndex = found.index + found[0].length;
      const end = REST.lastIndex + (REST.exec(run[0])?.[0].length ?? 0);
      spans.push({
        start: run.index + found.index,
        end: run.index + end,
        kind: 'secret',
        score: 0.95,
        checked: 'maker',
      });
      KNOWN.lastIndex = end;
    }
  }
  return spans;
}

// All that a token may be made of.
const RUN = /[\w+/=.~:$-]{16,}/gu;
const KNOWN = new RegExp(`(?<![A-Za-z0-9])(?:${[...MAKERS, ...HOOKS].join('|')})`, 'gu');
const REST = /[\w+/=~-]*(?:\.[\w+/=~-]+)*/uy;
