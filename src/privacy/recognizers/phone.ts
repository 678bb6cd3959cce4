import type { CountryCode } from 'libphonenumber-js/max';
import { contextOf } from './context.ts';
import { digitGroups, type DigitGroup } from './digit-groups.ts';
import { hasCallingCode, isInternational, isMobile, isNational, judgeTrunk } from './numbering-plans.ts';
import type { Recognizer, Span } from './span.ts';
import type { TextView } from './view.ts';

/**
 * Phone numbers: international ones (`+`, `00`), national ones that look like one (a leading 0 in groups, North American
 * 3-3-4), and any run of 7 to 15 digits after a word such as `Tel`. Bare digits, and groups that prices have as well, are
 * weak matches when some country uses the number.
 */
export const recognizer: Recognizer = { kinds: ['phone'], find };

const MAX_DIGITS = 15;
const MAX_GROUPS = 7;

type Judgement = Pick<Span, 'score' | 'checked'>;

function find(view: TextView): Span[] {
  const groups = digitGroups(view.text);
  const spans: Span[] = [];
  for (let first = 0; first < groups.length;) {
    const found = longestFrom(view, groups, first);
    if (found !== undefined) spans.push(found.span);
    first = found === undefined ? first + 1 : found.next;
  }
  return spans;
}

function longestFrom(
  view: TextView,
  groups: readonly DigitGroup[],
  first: number,
): { span: Span; next: number } | undefined {
  const { text } = view;
  const lead = leadOf(view, groups, first);
  if (lead === undefined) return undefined;
  const reach = groupsInReach(groups, first);
  const least = lead.kind === 'international' || lead.kind === 'named' ? 7 : 8;
  for (let count = reach.length; count > 0 && (reach[count - 1] ?? 0) >= least; count -= 1) {
    const parts = groups.slice(first, first + count);
    const last = parts.at(-1)?.end ?? lead.start;
    if (GOES_ON.test(text.slice(last, last + 2))) continue;
    const judged = judge(lead.kind, parts, isNothingElse(text, lead.start, last));
    if (judged === undefined) continue;
    const end = withExtension(text, last);
    let next = first + count;
    while ((groups[next]?.start ?? end) < end) next += 1;
    return { span: { start: lead.start, end, kind: 'phone', ...judged }, next };
  }
  return undefined;
}

/** A decimal or a letter: `0532 123.45`, `0800 123 45mm`. A word may begin where a number ends in scripts without spaces. */
const GOES_ON = /^(?:[.,]\d|[\p{Script=Latin}_])/u;

const isNothingElse = (text: string, start: number, end: number): boolean =>
  end - start >= text.length - MAX_ABOUT && text.trim().length <= end - start + 2;
/** Texts with more white space about a number are not looked at for being nothing else. */
const MAX_ABOUT = 200;

type LeadKind = 'international' | 'trunk' | 'north_american' | 'named' | 'bare';

/** What a group of digits could begin, by what stands before it; undefined for nothing. */
function leadOf(
  view: TextView,
  groups: readonly DigitGroup[],
  first: number,
): { kind: LeadKind; start: number } | undefined {
  const group = groups[first];
  if (group === undefined) return undefined;
  const { start, digits } = group;
  const before = view.text.slice(Math.max(0, start - MAX_LEAD), start);
  const plus = PLUS.exec(before);
  if (plus !== null) return { kind: 'international', start: start - plus[0].length };
  const bracket = before.endsWith('(') ? 1 : 0;
  const isNamed =
    (LETTER_BEFORE.test(before) && PHONE_WORD.test(before)) ||
    (view.near(PHONE_WORDS, start, start, NAMED_REACH) && !MIDDLE.test(before));
  if (!isNamed && INSIDE_WORD.test(before)) return undefined;
  if (digits.startsWith('00') && digits.length <= 16) return { kind: 'international', start: start - bracket };
  if (digits === '011' && bracket === 0) return { kind: 'international', start };
  if (isNamed) return { kind: 'named', start: start - bracket };
  if (BOOK.test(before)) return undefined;
  if (digits.startsWith('0')) return { kind: 'trunk', start: start - bracket };
  if (/^(?:1|[2-9]\d\d)$/u.test(digits)) return { kind: 'north_american', start: start - bracket };
  return /^[1-9]/u.test(digits) ? { kind: 'bare', start: start - bracket } : undefined;
}

const MAX_LEAD = 24;
/** `C++ 2015-2022` is no plus of a number. */
const PLUS = /(?<!\d|\p{L}\+)\(?\+ ?\(?$/u;
const INSIDE_WORD = /[\p{Script=Latin}\p{Script=Cyrillic}\p{Script=Greek}\p{N}_.,#$€£/-]$/u;
/** In the middle of a number: what names the number stands before its first group. */
const MIDDLE = /[\p{N}$€£#=][ .,/()-]{0,3}$/u;
/** Numbers of books, journals, parts and goods are grouped as phone numbers are. */
const BOOK = /(?<!\p{L})(?:ISBN|ISSN|ISMN|EAN|GTIN|UPC|M?P\/?N)(?:[- ]?1[03])?:?[ -]{0,2}$/iu;
const LETTER_BEFORE = /\p{L}[.:# (-]{0,4}$/u;
const PHONE_WORD =
  /(?:^|[^\p{L}])(?:tel|tél|telefon|téléphone|teléfono|telephone|phone|mobile|mobil|cell|handy|fax|call|dial|whatsapp|viber|signal|sms|cel|celu|celular|cellulare|móvil|mòbil|mob|tlf|tlfn|tfno|puh|gsm|kom|komórka|natel|ph|κιν|τηλ|sđt|đt|hp(?=[.:])|no\.? hp|cp(?= no)|caller id|callback|rückruf|reach me (?:on|at)|text me(?: at| on)?|llamar al|llame al|llámame al|chiamare|chiama(?:mi)? al|dzwonić(?: pod)?|ligar para|rappeler(?: [^\d\n]{1,20})?|appeler le|موبايل|موبایل|محمول|тлф|номер телефона|мобилен|नंबर|मोबाइल|फोन)(?:s|[ -]?(?:no|number|num|nr|nummer|numéro|número|me at|us at|at))?(?: is| ist| est| es)?[.:# (-]{0,4}$/iu;

const NAMED_REACH = { before: 20, after: 0 };
const PHONE_WORDS = contextOf([
  'telephone',
  'phone number',
  'phone no',
  'phone',
  'telephone number',
  'mobile number',
  'mobile phone',
  'cell phone',
  'cellphone',
  'contact number',
  'fax number',
  'hotline',
  'helpline',
  'Telefon',
  'Telefonnummer',
  'Rufnummer',
  'Handynummer',
  'Mobilnummer',
  'Mobiltelefon',
  'Durchwahl',
  'Festnetz',
  'téléphone',
  'numéro de téléphone',
  'portable',
  'télécopie',
  'teléfono',
  'móvil',
  'celular',
  'número de teléfono',
  'telefono',
  'cellulare',
  'numero di telefono',
  'telefone',
  'telemóvel',
  'telefoon',
  'telefoonnummer',
  'mobiel',
  'gsm',
  'komórka',
  'telefonu',
  'numer telefonu',
  'telefonnummer',
  'mobilnummer',
  'puhelin',
  'puhelinnumero',
  'telefonszám',
  'telefonní číslo',
  'cep telefonu',
  'cep no',
  'telefon numaram',
  'telefon numarası',
  'τηλέφωνο',
  'κινητό',
  'телефон',
  'тел',
  'моб',
  'мобильный',
  'telepono',
  'nomor telepon',
  'số điện thoại',
  'điện thoại',
  'هاتف',
  'الهاتف',
  'جوال',
  'תלפון',
  'טלפון',
  'נייד',
  'फ़ोन',
  'मोबाइल',
  '电话',
  '電話',
  '手机',
  '手機',
  '電話番号',
  '携帯',
  '전화',
  '전화번호',
  '휴대폰',
  'โทร',
  'โทรศัพท์',
]);

/** How many digits the first, the first two, ... groups hold that could be one number. */
function groupsInReach(groups: readonly DigitGroup[], first: number): readonly number[] {
  const sums: number[] = [];
  let digits = 0;
  for (let at = first; at < first + MAX_GROUPS; at += 1) {
    const group = groups[at];
    digits += group?.digits.length ?? 0;
    if (group === undefined || digits > MAX_DIGITS + 3 || (at > first && group.separator === undefined)) break;
    sums.push(digits);
  }
  return sums;
}

function judge(kind: LeadKind, parts: readonly DigitGroup[], isAlone: boolean): Judgement | undefined {
  const digits = parts.map((part) => part.digits).join('');
  switch (kind) {
    case 'international':
      return judgeInternational(digits, parts);
    case 'trunk':
      return judgeWithTrunk(digits, parts, isAlone);
    case 'north_american':
      return isNorthAmerican(parts) ? { score: 0.7, checked: 'nanp' } : judgeBare(digits, parts);
    case 'named':
      return judgeNamed(digits, parts);
    case 'bare': {
      const judged = judgeBare(digits, parts);
      // A text that is nothing else than a mobile number in the groups of its country is one.
      const isLikely = isAlone && parts.length > 1 && digits.length > 8 && judged !== undefined;
      return isLikely ? { ...judged, score: Math.max(judged.score, 0.4) } : judged;
    }
  }
}

function judgeInternational(written: string, parts: readonly DigitGroup[]): Judgement | undefined {
  const digits = written.replace(/^(?:00|011)/u, '');
  if (digits.length < 7 || digits.length > MAX_DIGITS || !/^[1-9]/u.test(digits)) return undefined;
  // `+44 (0)20 ...`: the trunk 0 that is not dialled from abroad.
  const trunk = parts.findIndex((part, i) => i > 0 && part.digits === '0');
  const without = trunk === -1 ? digits : digits.replace(/^(\d{1,3}?)0/u, '$1');
  if (isInternational(digits) || isInternational(without)) return { score: 0.9, checked: 'numbering_plan' };
  // A range of numbers that a plan has not taken up yet; with `00` it could be anything.
  return digits.length >= 8 && written === digits && hasCallingCode(digits)
    ? { score: 0.5, checked: 'length' }
    : undefined;
}

function judgeWithTrunk(digits: string, parts: readonly DigitGroup[], isAlone: boolean): Judgement | undefined {
  if (digits.length < 9 || digits.length > 12 || isDate(parts)) return undefined;
  // `0 532 ...` and `0 (917) ...`: the 0 may stand by itself, no other digit does.
  if (parts.some((part, i) => i > 0 && part.digits.length < 2)) return undefined;
  // `0.3000000001`
  if (parts[0]?.digits === '0' && parts[1]?.separator === '.') return undefined;
  const verdict = judgeTrunk(digits);
  if (verdict === undefined) return undefined;
  if (parts.length > 1) return { score: 0.7, checked: 'numbering_plan' };
  const score = verdict === 'mobile' ? 0.3 : 0.15;
  return { score: isAlone ? 0.4 : score, checked: 'numbering_plan' };
}

function judgeNamed(digits: string, parts: readonly DigitGroup[]): Judgement | undefined {
  if (digits.length < 7 || digits.length > MAX_DIGITS || isDate(parts) || isQuad(parts)) return undefined;
  return { score: 0.6, checked: 'context' };
}

/** How countries without a trunk prefix, or those who leave it out, group their numbers. */
const NATIONAL_FORMS: Readonly<Record<string, readonly CountryCode[]>> = {
  '3,3,2,2': ['TR', 'RU', 'UA', 'KZ'],
  '3,7': ['TR'],
  '3,4,4': ['CN'],
  '5,5': ['IN'],
  '3,3,3': ['ES', 'PL', 'PT', 'CZ'],
  '3,2,2,2': ['ES'],
  '2,2,2,2': ['DK', 'NO'],
  '3,2,3': ['NO'],
  '4,4': ['HK', 'SG'],
  '2,5,4': ['BR'],
  '2,4,4': ['BR', 'MX'],
};

function judgeBare(digits: string, parts: readonly DigitGroup[]): Judgement | undefined {
  if (isDate(parts)) return undefined;
  if (parts.length === 1) {
    if (digits.length === 11 && isMobile(digits, 'CN')) return { score: 0.3, checked: 'numbering_plan' };
    return digits.length === 10 && /^[2-5]/u.test(digits) && isNational(digits, 'TR')
      ? { score: 0.1, checked: 'numbering_plan' }
      : undefined;
  }
  const lengths = parts.map((part) => part.digits.length).join();
  // Russia's trunk prefix is 8: `8 (912) 345-67-89`.
  if (lengths === '1,3,3,2,2' && digits.startsWith('8') && isNational(digits.slice(1), 'RU')) {
    return { score: 0.7, checked: 'numbering_plan' };
  }
  const isUsed = NATIONAL_FORMS[lengths]?.some((country) => isMobile(digits, country)) === true;
  // Nothing else is written `138-1234-5678`.
  const isTelling = lengths === '3,4,4' && parts[1]?.separator === '-';
  return isUsed ? { score: isTelling ? 0.5 : 0.3, checked: 'numbering_plan' } : undefined;
}

/** `01.02.2024`, also with more after it that is set apart in another way. */
function isDate(parts: readonly DigitGroup[]): boolean {
  const [one, two, three, four] = parts;
  if (three === undefined || two?.separator !== three.separator || four?.separator === three.separator) return false;
  const lengths = [one, two, three].map((part) => part?.digits.length).join();
  return /^[./-]$/u.test(three.separator ?? '') && /^(?:2,2,[24]|4,2,2)$/u.test(lengths);
}

/** `192.168.1.20` */
function isQuad(parts: readonly DigitGroup[]): boolean {
  return (
    parts.length === 4 &&
    parts.slice(1).every(({ separator }) => separator === '.') &&
    parts.every(({ digits }) => digits.length <= 3)
  );
}

function isNorthAmerican(parts: readonly DigitGroup[]): boolean {
  const digits = parts.map((part) => part.digits);
  return /^(?:1,)?[2-9]\d\d,[2-9]\d\d,\d{4}$/u.test(digits.join(','));
}

function withExtension(text: string, end: number): number {
  const extension =
    /^[ ,;]{0,2}(?:x|ext\.?|extn\.?|extension|poste|int\.?|Durchwahl|DW|wew\.?|доб\.?|#|内线|內線|内線)[ :]?\d{1,6}(?![\p{L}\p{N}])/iu.exec(
      text.slice(end, end + 24),
    );
  return end + (extension?.[0].length ?? 0);
}
