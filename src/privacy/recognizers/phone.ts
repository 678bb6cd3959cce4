import { parsePhoneNumberFromString, type CountryCode } from 'libphonenumber-js/max';
import { digitGroups, type DigitGroup } from './digit-groups.ts';
import type { Recognizer, Span } from './span.ts';

/**
 * Phone numbers: international ones (`+`, `00`), national ones that look like one (a leading 0 in groups, North American
 * 3-3-4), and any run of 7 to 15 digits after a word such as `Tel`. Bare digits alone are not taken for a phone number.
 */
export const recognizer: Recognizer = { kinds: ['phone'], find };

const MAX_DIGITS = 15;
const MAX_GROUPS = 7;

/** Numbers looked up in the national numbering plans per text; beyond it the shape alone decides, to bound the time. */
const MAX_LOOKUPS = 400;

/** Plans whose numbers begin with a trunk 0; those of many other countries have the same shapes. */
const TRUNK_COUNTRIES: readonly CountryCode[] = ['GB', 'DE', 'FR', 'NL', 'IL', 'JP', 'AU', 'IN'];

interface Lookups {
  left: number;
}

type Judgement = Pick<Span, 'score' | 'checked'>;

function find(text: string): Span[] {
  const groups = digitGroups(text);
  const lookups: Lookups = { left: MAX_LOOKUPS };
  const spans: Span[] = [];
  for (let first = 0; first < groups.length;) {
    const found = longestFrom(text, groups, first, lookups);
    if (found !== undefined) spans.push(found.span);
    first = found === undefined ? first + 1 : found.next;
  }
  return spans;
}

function longestFrom(
  text: string,
  groups: readonly DigitGroup[],
  first: number,
  lookups: Lookups,
): { span: Span; next: number } | undefined {
  const lead = leadOf(text, groups, first);
  if (lead === undefined) return undefined;
  for (let count = groupsInReach(groups, first); count > 0; count -= 1) {
    const parts = groups.slice(first, first + count);
    const judged = judge(lead.kind, parts, lookups);
    if (judged === undefined) continue;
    const end = withExtension(text, parts.at(-1)?.end ?? lead.start);
    let next = first + count;
    while ((groups[next]?.start ?? end) < end) next += 1;
    return { span: { start: lead.start, end, kind: 'phone', ...judged }, next };
  }
  return undefined;
}

type LeadKind = 'international' | 'trunk' | 'north_american' | 'named';

/** What a group of digits could begin, by what stands before it; undefined for nothing. */
function leadOf(
  text: string,
  groups: readonly DigitGroup[],
  first: number,
): { kind: LeadKind; start: number } | undefined {
  const group = groups[first];
  if (group === undefined) return undefined;
  const { start, digits } = group;
  const before = text.slice(Math.max(0, start - MAX_LEAD), start);
  const plus = PLUS.exec(before);
  if (plus !== null) return { kind: 'international', start: start - plus[0].length };
  const bracket = before.endsWith('(') ? 1 : 0;
  const named = PHONE_WORD.test(before);
  if (!named && INSIDE_WORD.test(before)) return undefined;
  if (digits.startsWith('00') && digits.length <= 5) return { kind: 'international', start: start - bracket };
  if (named) return { kind: 'named', start: start - bracket };
  if (digits.startsWith('0')) return { kind: 'trunk', start: start - bracket };
  return /^(?:1|[2-9]\d\d)$/u.test(digits) ? { kind: 'north_american', start: start - bracket } : undefined;
}

const MAX_LEAD = 24;
const PLUS = /(?<!\d)\(?\+ ?\(?$/u;
const INSIDE_WORD = /[\p{L}\p{N}_.-]$/u;
const PHONE_WORD =
  /(?:^|[^\p{L}])(?:tel|tél|telefon|téléphone|teléfono|telephone|phone|mobile|mobil|cell|handy|fax|call|whatsapp|sms)(?: ?(?:no|number|nr))?[.:# (-]{0,4}$/iu;

function groupsInReach(groups: readonly DigitGroup[], first: number): number {
  let digits = 0;
  let count = 0;
  for (const group of groups.slice(first, first + MAX_GROUPS)) {
    digits += group.digits.length;
    if (digits > MAX_DIGITS + 2 || (count > 0 && group.separator === undefined)) break;
    count += 1;
  }
  return count;
}

function judge(kind: LeadKind, parts: readonly DigitGroup[], lookups: Lookups): Judgement | undefined {
  const digits = parts.map((part) => part.digits).join('');
  switch (kind) {
    case 'international':
      return judgeInternational(digits.replace(/^00/u, ''), lookups);
    case 'trunk':
      return judgeTrunk(digits, parts, lookups);
    case 'north_american':
      return isNorthAmerican(parts) ? { score: 0.7, checked: 'nanp' } : undefined;
    case 'named':
      return digits.length >= 7 && digits.length <= MAX_DIGITS ? { score: 0.6, checked: 'context' } : undefined;
  }
}

function judgeInternational(digits: string, lookups: Lookups): Judgement | undefined {
  if (digits.length < 7 || digits.length > MAX_DIGITS) return undefined;
  if (lookups.left <= 0) return { score: 0.4, checked: 'shape' };
  lookups.left -= 1;
  const number = parsePhoneNumberFromString(`+${digits}`, { extract: false });
  if (number?.isValid() === true) return { score: 0.9, checked: 'numbering_plan' };
  return number?.isPossible() === true ? { score: 0.5, checked: 'length' } : undefined;
}

function judgeTrunk(digits: string, parts: readonly DigitGroup[], lookups: Lookups): Judgement | undefined {
  if (parts.length < 2 || digits.length < 9 || digits.length > 12 || isDate(parts)) return undefined;
  if (parts.some((part) => part.digits.length < 2)) return undefined;
  if (lookups.left <= 0) return { score: 0.4, checked: 'shape' };
  lookups.left -= 1;
  const valid = TRUNK_COUNTRIES.some((country) =>
    parsePhoneNumberFromString(digits, { defaultCountry: country, extract: false })?.isValid(),
  );
  return valid ? { score: 0.7, checked: 'numbering_plan' } : undefined;
}

/** `01.02.2024`, also with more after it that is set apart in another way. */
function isDate(parts: readonly DigitGroup[]): boolean {
  const [one, two, three, four] = parts;
  if (three === undefined || two?.separator !== three.separator || four?.separator === three.separator) return false;
  const lengths = [one, two, three].map((part) => part?.digits.length).join();
  return /^[./-]$/u.test(three.separator ?? '') && /^(?:2,2,[24]|4,2,2)$/u.test(lengths);
}

function isNorthAmerican(parts: readonly DigitGroup[]): boolean {
  const digits = parts.map((part) => part.digits);
  return /^(?:1,)?[2-9]\d\d,[2-9]\d\d,\d{4}$/u.test(digits.join(','));
}

function withExtension(text: string, end: number): number {
  const extension = /^ ?(?:x|ext\.?) ?\d{1,6}(?![\p{L}\p{N}])/iu.exec(text.slice(end, end + 16));
  return end + (extension?.[0].length ?? 0);
}
