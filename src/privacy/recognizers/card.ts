import validator from 'validator';
import { digitGroups, type DigitGroup } from './digit-groups.ts';
import type { Recognizer, Span } from './span.ts';
import type { TextView } from './view.ts';

/** Payment card numbers: 13 to 19 digits, in one piece or in groups, whose check digit (Luhn, ISO/IEC 7812-1) holds. */
export const recognizer: Recognizer = { kinds: ['card'], find };

const MIN_DIGITS = 13;
const MAX_DIGITS = 19;
const MAX_GROUPS = 5;

function find({ text }: TextView): Span[] {
  const groups = digitGroups(text);
  const spans: Span[] = [];
  for (let first = 0; first < groups.length;) {
    const found = longestFrom(text, groups, first);
    if (found !== undefined) spans.push(found.span);
    first = found === undefined ? first + 1 : found.next;
  }
  return spans;
}

/** The longest number that begins with group `first`: at most 19 digits are looked at. */
function longestFrom(
  text: string,
  groups: readonly DigitGroup[],
  first: number,
): { span: Span; next: number } | undefined {
  const start = groups[first];
  // The digits after a decimal point: a measurement, not a number that somebody owns.
  if (start === undefined || (start.separator === '.' && text[start.start - 1] === '.')) return undefined;
  // One digit a group is a number only as a whole: its first digit is the first of the run.
  if (start.digits.length === 1 && start.separator !== undefined && groups[first - 1]?.digits.length === 1)
    return undefined;
  const maxGroups = start.digits.length === 1 ? MAX_DIGITS : MAX_GROUPS;
  let digits = start.digits;
  let best: { span: Span; next: number } | undefined;
  for (let last = first; digits.length <= MAX_DIGITS && last - first < maxGroups;) {
    const end = groups[last]?.end ?? 0;
    const judged = digits.length < MIN_DIGITS ? undefined : judge(digits);
    if (judged !== undefined) best = { span: { start: start.start, end, kind: 'card', ...judged }, next: last + 1 };
    last += 1;
    const group = groups[last];
    // Groups of one number are all set apart in the same way.
    if (group?.separator === undefined || (last > first + 1 && group.separator !== groups[last - 1]?.separator)) break;
    // Orders of shops are grouped by seven (`112-3456789-0123456`), cards never are.
    if (group.digits.length === 7) break;
    digits += group.digits;
  }
  return best;
}

function judge(digits: string): Pick<Span, 'score' | 'checked'> | undefined {
  if (validator.isCreditCard(digits)) return { score: 0.95, checked: 'luhn+issuer' };
  // 13 digits from 1 on are times in milliseconds; 15 digits from 1 on are airline cards (UATP).
  const plausible = digits.length === 15 ? /^[1-68]/u : digits.length === 13 ? /^[4-6]/u : /^(?:[2-68]|9792)/u;
  return plausible.test(digits) && validator.isLuhnNumber(digits) ? { score: 0.7, checked: 'luhn' } : undefined;
}
