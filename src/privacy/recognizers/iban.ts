import { countrySpecs, isValidIBAN } from 'ibantools';
import validator from 'validator';
import type { Recognizer, Span } from './span.ts';
import type { TextView } from './view.ts';

/** International bank account numbers (ISO 13616) whose check digits and country's structure hold, in one piece or in groups. */
export const recognizer: Recognizer = { kinds: ['iban'], find };

function find({ text }: TextView): Span[] {
  const spans: Span[] = [];
  const head = new RegExp(HEAD);
  for (let match = head.exec(text); match !== null; match = head.exec(text)) {
    const span = ibanAt(text, match.index);
    if (span !== undefined) spans.push(span);
    head.lastIndex = span === undefined ? match.index + 1 : span.end;
  }
  return spans;
}

// Country and check digits, which people also set apart: `DE 89 ...`.
const HEAD = /[A-Z]{2}[ -]?\d/giu;
const ALPHANUMERIC = /[A-Z0-9]/iu;

function ibanAt(text: string, start: number): Span | undefined {
  const length = lengthFor(text.slice(start, start + 2).toUpperCase());
  if (length === undefined) return undefined;
  let electronic = '';
  let i = start;
  for (; electronic.length < length; i += 1) {
    const character = text[i] ?? '';
    if (ALPHANUMERIC.test(character)) electronic += character.toUpperCase();
    else if ((character !== ' ' && character !== '-') || !ALPHANUMERIC.test(text[i - 1] ?? '')) return undefined;
  }
  if (isValidIBAN(electronic)) return { start, end: i, kind: 'iban', score: 1, checked: 'mod97+country' };
  // The check digits that some countries have inside the account number: not everybody keeps to them.
  return validator.isIBAN(electronic) ? { start, end: i, kind: 'iban', score: 0.9, checked: 'mod97' } : undefined;
}

function lengthFor(country: string): number | undefined {
  return Object.hasOwn(countrySpecs, country) ? (countrySpecs[country]?.chars ?? undefined) : undefined;
}
