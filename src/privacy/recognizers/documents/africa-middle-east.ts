import { byStdnum, isDay, isLuhn, isVaried, isVerhoeff } from './checks.ts';
import { id, tax } from './contexts.ts';
import type { DocumentType } from './document.ts';

export const AFRICA_AND_MIDDLE_EAST: readonly DocumentType[] = [
  {
    name: 'za_id',
    kind: 'national_id',
    forms: ['13', '6~4~2~1', '6~4~3', '6-4-3'],
    pattern: /^\d{10}[0-2]\d{2}$/u,
    check: (digits) => /[89]\d$/u.test(digits) && isSouthAfricanDay(digits) && isLuhn(digits),
    score: 0.6,
    context: id('South African', 'RSA', 'SA ID', 'permanent resident', 'refugee'),
  },
  {
    name: 'za_tax',
    kind: 'tax_id',
    forms: ['10'],
    pattern: /^[01239]\d{9}$/u,
    check: byStdnum('ZA', 'tin'),
    score: 0.2,
    context: tax('SARS'),
  },
  {
    name: 'ng_nin',
    kind: 'national_id',
    forms: ['11', '4_3_4'],
    pattern: /^[1-9]\d{10}$/u,
    check: (digits) => isVaried(digits) && isVerhoeff(digits),
    score: 0.2,
    grouped: 0.4,
    context: id('NIN', 'NIMC'),
  },
  {
    name: 'ke_pin',
    kind: 'tax_id',
    forms: ['11'],
    pattern: /^[AP]\d{9}[A-Z]$/u,
    score: 0.5,
    context: tax('KRA', 'PIN'),
  },
  {
    name: 'gh_card',
    kind: 'national_id',
    forms: ['3-9-1'],
    pattern: /^GHA\d{10}$/u,
    score: 0.8,
    context: id('Ghana card'),
  },
  {
    name: 'eg_id',
    kind: 'national_id',
    forms: ['14'],
    pattern: /^[23]\d{13}$/u,
    check: (digits) =>
      isDay(digits.slice(3, 5), digits.slice(5, 7)) && /^.{7}(?:0[1-4]|1[1-9]|2[1-9]|3[1-5]|88)/u.test(digits),
    score: 0.4,
    context: id('الرقم القومي'),
  },
  {
    name: 'ma_ice',
    kind: 'company_id',
    forms: ['15'],
    pattern: /^\d{15}$/u,
    check: byStdnum('MA', 'ice'),
    score: 0.2,
    context: tax('ICE'),
  },
  {
    name: 'il_id',
    kind: 'national_id',
    forms: ['9', '8-1'],
    pattern: /^\d{9}$/u,
    check: byStdnum('IL', 'idnr'),
    score: 0.2,
    grouped: 0.45,
    context: id('teudat zehut', 'ת ז', 'תז', 'מספר תעודת זהות'),
  },
  {
    name: 'tr_id',
    kind: 'national_id',
    forms: ['11', '3~3~3~2'],
    pattern: /^[1-9]\d{10}$/u,
    check: isTurkish,
    score: 0.45,
    context: id('TC', 'TCKN', 'TC Kimlik', 'Türk kimlik', 'Turkish ID'),
  },
  {
    name: 'tr_tax',
    kind: 'tax_id',
    forms: ['10'],
    pattern: /^\d{10}$/u,
    check: byStdnum('TR', 'vkn'),
    score: 0.2,
    context: tax('VKN', 'vergi numarası', 'vergi kimlik'),
  },
  {
    name: 'sa_id',
    kind: 'national_id',
    forms: ['10'],
    pattern: /^[12]\d{9}$/u,
    check: isLuhn,
    score: 0.2,
    context: id('Iqama', 'رقم الهوية', 'هوية', 'الإقامة'),
  },
  {
    name: 'ae_emirates_id',
    kind: 'national_id',
    forms: ['15', '3-4-7-1', '3~4~7~1'],
    pattern: /^784(?:19|20)\d{10}$/u,
    score: 0.45,
    grouped: 0.8,
    context: id('Emirates ID', 'EID', 'الهوية الإماراتية'),
  },
  {
    name: 'ir_national_code',
    kind: 'national_id',
    forms: ['10', '3-6-1'],
    pattern: /^\d{10}$/u,
    check: isIranian,
    score: 0.15,
    grouped: 0.5,
    context: id('کد ملی', 'شماره ملی', 'code melli'),
  },
  {
    name: 'kw_civil_id',
    kind: 'national_id',
    forms: ['12'],
    pattern: /^[1-3]\d{11}$/u,
    check: (digits) => isDay(digits.slice(3, 5), digits.slice(5, 7)),
    score: 0.2,
    context: id('civil id', 'الرقم المدني'),
  },
];

/** `yymmdd`; which century is not told, so 29 February is looked up in both. */
function isSouthAfricanDay(digits: string): boolean {
  if (!isDay(digits.slice(2, 4), digits.slice(4, 6))) return false;
  return digits.slice(2, 6) !== '0229' || Number(digits.slice(0, 2)) % 4 === 0;
}

/** Two check digits over the first nine (T.C. Kimlik No). */
function isTurkish(compact: string): boolean {
  const digits = Array.from(compact, Number);
  const at = (i: number): number => digits[i] ?? 0;
  const odd = at(0) + at(2) + at(4) + at(6) + at(8);
  const even = at(1) + at(3) + at(5) + at(7);
  const tenth = (((odd * 7 - even) % 10) + 10) % 10;
  return tenth === at(9) && (odd + even + at(9)) % 10 === at(10);
}

function isIranian(digits: string): boolean {
  if (!isVaried(digits)) return false;
  const sum = Array.from(digits.slice(0, 9)).reduce((total, digit, i) => total + Number(digit) * (10 - i), 0) % 11;
  return Number(digits[9]) === (sum < 2 ? sum : 11 - sum);
}
