import { contextOf } from '../context.ts';
import { byStdnum, crossSum, isDay, isIcao, isLuhn, isVaried, weighted } from './checks.ts';
import { bank, company, health, id, licence, passport, profession, tax } from './contexts.ts';
import type { DocumentType } from './document.ts';

/** Check letters of Spain's DNI and NIE. */
const SPANISH_LETTERS = 'TRWAGMYFPDXBNJZSQVHLCKE';

const GERMANY: readonly DocumentType[] = [
  {
    name: 'de_tax_id',
    kind: 'tax_id',
    forms: ['11', '2_3_3_3', '3_4_4'],
    pattern: /^[1-9]\d{10}$/u,
    check: isGermanTaxId,
    score: 0.45,
    grouped: 0.6,
    context: tax('Steuer IdNr', 'Identifikationsnummer', 'persönliche Identifikationsnummer'),
  },
  {
    name: 'de_tax_number',
    kind: 'tax_id',
    forms: ['3/3/5', '2/3/4', '2/3/5', '2/4/4', '3/4/4', '5/5', '13', '3~3~5'],
    pattern: /^(?:\d{9,11}|(?:0[1-9]|1[0-6]|2[1-68]|3[0-2]|4[01]|5\d)\d{11})$/u,
    // The long form (ELSTER): the state, the office, a zero, district, number.
    check: (compact) =>
      compact.length !== 13 || (/^(?:0[1-9]|1[0-6])/u.test(compact) ? isVaried(compact) : compact[4] === '0'),
    score: 0.15,
    grouped: 0.45,
    named: 0.7,
    context: tax('Finanzamt', 'Elster'),
  },
  {
    name: 'de_social_security',
    kind: 'national_id',
    forms: ['12', '2_6_1_3', '8_1_3'],
    pattern: /^\d{8}[A-Z]\d{3}$/u,
    check: isGermanPension,
    score: 0.7,
    context: id('Versicherungsnummer'),
  },
  {
    name: 'de_id_card',
    kind: 'national_id',
    forms: ['9', '10'],
    pattern: /^[CFGHJKLMNPRTVWXYZ][CFGHJKLMNPRTVWXYZ0-9]{7}\d{1,2}D?$|^T\d{8}$/u,
    check: (compact) => /^T\d{8}$/u.test(compact) || isIcao(compact.slice(0, 10).replace(/D$/u, '')),
    score: 0.3,
    context: id('Ausweis', 'Ausweisnummer', 'Perso'),
  },
  {
    name: 'de_passport',
    kind: 'passport',
    forms: ['9', '10'],
    pattern: /^[CFGHJKLMNPRTVWXYZ][CFGHJKLMNPRTVWXYZ0-9]{7}\d{1,2}D?$/u,
    check: (compact) => isIcao(compact.replace(/D$/u, '')),
    score: 0.3,
    context: passport(),
  },
  {
    name: 'de_health_insurance',
    kind: 'health_id',
    forms: ['10', '1_3_3_3'],
    pattern: /^[A-Z]\d{9}$/u,
    check: isGermanHealth,
    score: 0.4,
    context: health(),
  },
  {
    name: 'de_lanr',
    kind: 'professional_id',
    forms: ['9'],
    pattern: /^\d{9}$/u,
    check: isGermanDoctor,
    score: 0.2,
    context: profession('lebenslange Arztnummer'),
  },
  {
    name: 'de_bsnr',
    kind: 'professional_id',
    forms: ['9'],
    pattern: /^(?!0{9})(?:0[1-3]|17|20|38|46|5[1-2]|6[0-3]|7[1-4]|78|79|8[1-39]|9[1-35-689]|05|35|99)\d{7}$/u,
    score: 0.2,
    context: profession(),
  },
  {
    name: 'de_licence',
    kind: 'licence',
    forms: ['11'],
    pattern: /^[A-Z]{2}\d{8}[A-Z0-9]$|^[A-Z]\d{2}[A-Z0-9]{6}\d[A-Z0-9]$/u,
    score: 0.35,
    context: licence(),
  },
  {
    name: 'de_vat',
    kind: 'company_id',
    forms: ['11', '2_9', '2_3_3_3', '2~3-3.3'],
    pattern: /^DE[1-9]\d{8}$/u,
    check: byStdnum('DE', 'vat'),
    lenient: true,
    score: 0.5,
    context: company(),
  },
  {
    name: 'de_register',
    kind: 'company_id',
    forms: [1, 2, 3, 4, 5, 6].flatMap((length) => [`3~${length}`, `${length + 3}`]),
    pattern: /^HR[AB]\d{1,6}$/u,
    score: 0.5,
    context: company('Amtsgericht', 'Registergericht'),
  },
];

/** Only one digit may come more than once among the first ten, and that twice or three times, but not thrice in a row (since 2016). */
function isGermanTaxId(digits: string): boolean {
  const counts = Array.from('0123456789').map((digit) => digits.slice(0, 10).split(digit).length - 1);
  // Numbers made up for examples use all ten digits once; they pass the check digit as well.
  const repeated = counts.filter((count) => count > 1);
  if (repeated.length > 1 || (repeated[0] ?? 0) > 3 || /^.*(\d)\1\1/u.test(digits.slice(0, 10))) return false;
  return iso7064mod11mod10(digits);
}

function iso7064mod11mod10(digits: string): boolean {
  let product = 10;
  for (const digit of digits.slice(0, -1)) {
    const sum = (Number(digit) + product) % 10;
    product = ((sum === 0 ? 10 : sum) * 2) % 11;
  }
  return (11 - product) % 10 === Number(digits.at(-1));
}

/** Area, day (up to 31, or with 50 added), month, year, initial, serial number, check digit (VKVV, section 2). */
function isGermanPension(compact: string): boolean {
  const day = Number(compact.slice(2, 4));
  if (!isDay(compact.slice(4, 6), String(day > 50 ? day - 50 : day))) return false;
  const letter = String(compact.charCodeAt(8) - 64).padStart(2, '0');
  const digits = compact.slice(0, 8) + letter + compact.slice(9, 11);
  return crossSum(digits, [2, 1, 2, 5, 7, 1, 2, 1, 2, 1, 2, 1]) % 10 === Number(compact[11]);
}

function isGermanHealth(compact: string): boolean {
  const digits = String(compact.charCodeAt(0) - 64).padStart(2, '0') + compact.slice(1, 9);
  return crossSum(digits, [1, 2, 1, 2, 1, 2, 1, 2, 1, 2]) % 10 === Number(compact[9]);
}

/** Weights 4 and 9 over six digits, then the check digit; the last two tell the speciality. */
function isGermanDoctor(digits: string): boolean {
  const sum = weighted(digits, [4, 9, 4, 9, 4, 9]);
  return isVaried(digits) && (10 - (sum % 10)) % 10 === Number(digits[6]);
}

const BRITAIN_AND_IRELAND: readonly DocumentType[] = [
  {
    name: 'uk_nino',
    kind: 'national_id',
    forms: ['9', '2_2_2_2_1', '2~6~1', '2~7', '8~1'],
    pattern: /^(?!BG|GB|KN|NK|NT|TN|ZZ)[A-CEGHJ-PR-TW-Z][A-CEGHJ-NPR-TW-Z]\d{6}[A-D]$/u,
    score: 0.6,
    context: id('nino', 'ni number', 'NI no'),
  },
  {
    name: 'uk_nhs',
    kind: 'health_id',
    forms: ['10', '3_3_4'],
    pattern: /^\d{10}$/u,
    check: (digits) =>
      isVaried(digits) && (11 - (weighted(digits, [10, 9, 8, 7, 6, 5, 4, 3, 2]) % 11)) % 11 === Number(digits[9]),
    score: 0.25,
    grouped: 0.4,
    context: health(),
  },
  {
    name: 'uk_utr',
    kind: 'tax_id',
    forms: ['10', '5~5'],
    pattern: /^\d{10}$/u,
    check: byStdnum('GB', 'utr'),
    score: 0.2,
    context: tax('utr', 'unique taxpayer reference', 'self assessment'),
  },
  {
    name: 'uk_vat',
    kind: 'company_id',
    forms: ['11', '2~9', '5~4~2', '2~3~4~2', '9', '3~4~2'],
    pattern: /^(?:GB)?\d{9}$/u,
    check: (compact) => byUkVat(compact),
    score: 0.25,
    context: company(),
  },
  {
    name: 'uk_driving_licence',
    kind: 'licence',
    forms: ['16', '18', '5~6~5', '5~6~5~2'],
    pattern:
      /^[A-Z]{1,5}9{0,4}\d(?:0[1-9]|1[0-2]|5[1-9]|6[0-2])(?:0[1-9]|[12]\d|3[01])\d[A-Z9]{2}\d[A-Z]{2}(?:\d\d)?$/u,
    check: (compact) => /^[A-Z9]{5}/u.test(compact),
    score: 0.5,
    context: licence(),
  },
  { name: 'uk_passport', kind: 'passport', forms: ['9'], pattern: /^[A-Z]{2}\d{7}$/u, score: 0.1, context: passport() },
  {
    name: 'uk_sort_code',
    kind: 'bank_account',
    forms: ['2-2-2', '2~2~2'],
    pattern: /^\d{6}$/u,
    score: 0.1,
    context: contextOf(['sort code', 'sortcode', 'sc', 'branch code']),
  },
  {
    name: 'ie_pps',
    kind: 'national_id',
    forms: ['8', '9', '7~1', '7~2'],
    pattern: /^\d{7}[A-W][A-IW]?$/u,
    check: byStdnum('IE', 'pps'),
    score: 0.45,
    context: id('pps', 'ppsn', 'pps number'),
  },
];

const byUkVat = byStdnum('GB', 'vat');

const SPAIN: readonly DocumentType[] = [
  {
    name: 'es_nif',
    kind: 'national_id',
    forms: ['9', '8', '8-1', '7-1', '8~1', '2.3.3-1', '2.3.3~1', '1.3.3-1'],
    pattern: /^\d{7,8}[A-Z]$/u,
    check: (compact) => SPANISH_LETTERS[Number(compact.slice(0, -1)) % 23] === compact.at(-1),
    score: 0.5,
    context: id('DNI', 'NIF', 'documento nacional de identidad'),
  },
  {
    name: 'es_nie',
    kind: 'national_id',
    forms: ['9', '8-1', '1-7-1', '1~7~1'],
    pattern: /^[XYZ]\d{7}[A-Z]$/u,
    check: byStdnum('ES', 'nie'),
    score: 0.6,
    context: id('NIE', 'extranjero', 'identificación de extranjero'),
  },
  {
    name: 'es_cif',
    kind: 'company_id',
    forms: ['9', '1-8'],
    pattern: /^[ABCDEFGHJNPQRSUVW]\d{7}[0-9A-J]$/u,
    check: byStdnum('ES', 'cif'),
    score: 0.35,
    context: company('CIF', 'NIF'),
  },
  {
    name: 'es_social_security',
    kind: 'national_id',
    forms: ['12', '2/8/2', '2~8~2', '2/10', '2~10'],
    pattern: /^\d{12}$/u,
    check: byStdnum('ES', 'nss'),
    score: 0.3,
    context: id('NSS', 'afiliación', 'NUSS'),
  },
  {
    name: 'es_passport',
    kind: 'passport',
    forms: ['9'],
    pattern: /^[A-Z]{3}\d{6}$/u,
    score: 0.05,
    context: passport(),
  },
];

const ITALY: readonly DocumentType[] = [
  {
    name: 'it_fiscal_code',
    kind: 'tax_id',
    forms: ['16', '3~3~5~5', '6~5~5'],
    pattern: /^[A-Z]{6}[0-9LMNP-V]{2}[A-EHLMPRST][0-9LMNP-V]{2}[A-Z][0-9LMNP-V]{3}[A-Z]$/u,
    check: byStdnum('IT', 'codicefiscale'),
    lenient: true,
    score: 0.6,
    context: tax(),
  },
  {
    name: 'it_vat',
    kind: 'company_id',
    forms: ['11', '13', '2~11', '8_3'],
    pattern: /^(?:IT)?\d{11}$/u,
    check: (digits) => /[1-9]{1}\d{3,}/u.test(digits) && byItalianVat(digits),
    score: 0.35,
    context: company('partita'),
  },
  {
    name: 'it_licence',
    kind: 'licence',
    forms: ['10'],
    pattern: /^(?:[A-Z]{2}\d{7}|U1[B-DF-HJ-NP-TW-Z0-9]{7})[A-Z]$/u,
    score: 0.3,
    context: licence(),
  },
  {
    name: 'it_identity_card',
    kind: 'national_id',
    forms: ['9', '2~7'],
    pattern: /^(?:[A-Z]{2}\d{7}|\d{7}[A-Z]{2}|[A-Z]{2}\d{5}[A-Z]{2})$/u,
    score: 0.05,
    context: id('CIE', 'carta identità'),
  },
  {
    name: 'it_passport',
    kind: 'passport',
    forms: ['9'],
    pattern: /^[A-Z]{2}\d{7}$/u,
    score: 0.05,
    context: passport(),
  },
];

const byItalianVat = byStdnum('IT', 'iva');

const NORTH: readonly DocumentType[] = [
  {
    name: 'fi_hetu',
    kind: 'national_id',
    forms: ['11', '6-4', '6+4'],
    pattern: /^\d{6}[A-FU-Y]?\d{3}[0-9A-FHJ-NPR-Y]$/u,
    check: (compact) => isFinnish(compact),
    score: 0.6,
    context: id('hetu', 'sotu', 'henkilötunnus', 'personbeteckning'),
  },
  {
    name: 'fi_business',
    kind: 'company_id',
    forms: ['7-1'],
    pattern: /^\d{8}$/u,
    check: byStdnum('FI', 'ytunnus'),
    score: 0.45,
    context: company('Y tunnus', 'FO nummer'),
  },
  {
    name: 'se_personnummer',
    kind: 'national_id',
    forms: ['10', '12', '6-4', '8-4', '6+4', '8+4'],
    pattern: /^(?:18|19|20)?\d{10}$/u,
    check: isSwedish,
    score: 0.4,
    grouped: 0.6,
    context: id('pnr', 'personnr', 'samordningsnummer'),
  },
  {
    name: 'se_orgnr',
    kind: 'company_id',
    forms: ['10', '6-4'],
    pattern: /^[1-35-9]\d[2-9]\d{7}$/u,
    check: isLuhn,
    score: 0.25,
    grouped: 0.5,
    context: company('company identity code', 'org nr'),
  },
  {
    name: 'no_fodselsnummer',
    kind: 'national_id',
    forms: ['11', '6_5', '6~3~2'],
    pattern: /^[0-7]\d{10}$/u,
    check: byStdnum('NO', 'fodselsnummer'),
    score: 0.5,
    context: id('fødselsnummer', 'fnr', 'personnr', 'd nummer'),
  },
  {
    name: 'no_orgnr',
    kind: 'company_id',
    forms: ['9', '3~3~3'],
    pattern: /^[89]\d{8}$/u,
    check: byStdnum('NO', 'orgnr'),
    score: 0.25,
    context: company('org nr', 'MVA'),
  },
  {
    name: 'no_account',
    kind: 'bank_account',
    forms: ['11', '4.2.5'],
    pattern: /^\d{11}$/u,
    check: byStdnum('NO', 'kontonr'),
    score: 0.2,
    grouped: 0.5,
    context: bank('kontonr', 'kontonummer'),
  },
  {
    name: 'dk_cpr',
    kind: 'national_id',
    forms: ['10', '6-4'],
    pattern: /^\d{10}$/u,
    // Since 2007 numbers are given whose check digit does not hold.
    check: (digits) => isDay(digits.slice(2, 4), digits.slice(0, 2)),
    score: 0.2,
    grouped: 0.45,
    context: id('cpr', 'cpr nr', 'cpr nummer'),
  },
  {
    name: 'dk_cvr',
    kind: 'company_id',
    forms: ['8', '2~2~2~2'],
    pattern: /^[1-9]\d{7}$/u,
    check: byStdnum('DK', 'cvr'),
    score: 0.2,
    context: company('cvr', 'SE nr'),
  },
  {
    name: 'is_kennitala',
    kind: 'national_id',
    forms: ['10', '6-4'],
    pattern: /^[0-7]\d{9}$/u,
    check: byStdnum('IS', 'kennitala'),
    score: 0.35,
    grouped: 0.6,
    context: id('kennitala', 'kt'),
  },
  {
    name: 'ee_lt_personal_code',
    kind: 'national_id',
    forms: ['11'],
    pattern: /^[1-8]\d{10}$/u,
    check: (digits) => isDay(digits.slice(3, 5), digits.slice(5, 7)) && byEstonia(digits),
    score: 0.45,
    context: id('isikukood', 'asmens kodas'),
  },
  {
    name: 'lv_personal_code',
    kind: 'national_id',
    forms: ['6-5', '11'],
    pattern: /^\d{11}$/u,
    check: isLatvian,
    score: 0.3,
    grouped: 0.6,
    context: id('personas kods', 'pk'),
  },
];

const estonia = byStdnum('EE', 'ik');
const lithuania = byStdnum('LT', 'asmens');
const byEstonia = (digits: string): boolean => estonia(digits) || lithuania(digits);

/** The sign between is of the century (`-` 1900s and its letters); the check character is that of the number modulo 31. */
function isFinnish(compact: string): boolean {
  const digits = compact.replace(/[A-Z](?=\d{3}.$)/u, '');
  if (digits.length !== 10 || !isDay(digits.slice(2, 4), digits.slice(0, 2))) return false;
  return '0123456789ABCDEFHJKLMNPRSTUVWXY'[Number(digits.slice(0, 9)) % 31] === digits[9];
}

function isSwedish(compact: string): boolean {
  const digits = compact.slice(-10);
  const day = Number(digits.slice(4, 6));
  return isDay(digits.slice(2, 4), String(day > 60 ? day - 60 : day)) && isLuhn(digits);
}

/** Codes with a birth date have a check digit; those given since 2017 begin with 32 and have none. */
function isLatvian(digits: string): boolean {
  if (digits.startsWith('32')) return true;
  if (!isDay(digits.slice(2, 4), digits.slice(0, 2))) return false;
  const sum = weighted(digits, [10, 5, 8, 4, 2, 1, 6, 3, 7, 9]);
  return ((1 + sum) % 11) % 10 === Number(digits[10]);
}

const WEST: readonly DocumentType[] = [
  {
    name: 'fr_nir',
    kind: 'national_id',
    forms: ['15', '13', '1_2_2_2_3_3_2', '1~2~2~2~3~3', '13_2'],
    pattern: /^[12378]\d{2}(?:0[1-9]|1[0-2]|[2-9]\d)\d(?:\d|[AB])\d{6}(?:\d\d)?$/u,
    check: (compact) => (compact.length === 13 ? false : byFrenchNir(compact)),
    score: 0.6,
    context: id('NIR', 'INSEE', 'numéro de sécu', 'sécu'),
  },
  {
    name: 'fr_tax',
    kind: 'tax_id',
    forms: ['13', '2~2~3~3~3'],
    pattern: /^[0-3]\d{12}$/u,
    check: byStdnum('FR', 'nif'),
    score: 0.25,
    context: tax('SPI', 'impôts'),
  },
  {
    name: 'fr_siren',
    kind: 'company_id',
    forms: ['9', '3~3~3'],
    pattern: /^\d{9}$/u,
    check: isLuhn,
    score: 0.2,
    context: company('RCS'),
  },
  {
    name: 'fr_siret',
    kind: 'company_id',
    forms: ['14', '3~3~3~5', '9~5'],
    pattern: /^\d{14}$/u,
    check: byStdnum('FR', 'siret'),
    score: 0.3,
    grouped: 0.5,
    context: company('RCS'),
  },
  {
    name: 'fr_vat',
    kind: 'company_id',
    forms: ['13', '4~9', '2~2~9', '2~2~3~3~3', '2~11', '4~3~3~3'],
    pattern: /^FR[0-9A-Z]{2}\d{9}$/u,
    check: byStdnum('FR', 'tva'),
    score: 0.7,
    context: company(),
  },
  {
    name: 'be_national_register',
    kind: 'national_id',
    forms: ['11', '2.2.2-3.2', '2~2~2~3~2', '2.2.2~3.2', '6-3-2', '6~3-2', '6~3~2', '2/2/2-3/2'],
    pattern: /^\d{11}$/u,
    check: byStdnum('BE', 'insz'),
    score: 0.45,
    grouped: 0.7,
    context: id('rijksregister', 'rijksregisternummer', 'registre national', 'NISS', 'INSZ', 'numéro national'),
  },
  {
    name: 'be_vat',
    kind: 'company_id',
    forms: ['12', '2~10', '2~4.3.3', '4.3.3', '6.3.3', '10'],
    pattern: /^(?:BE)?[01]\d{9}$/u,
    check: byStdnum('BE', 'vat'),
    score: 0.3,
    grouped: 0.6,
    context: company('KBO', 'BCE', 'ondernemingsnummer', "numéro d'entreprise"),
  },
  {
    name: 'nl_bsn',
    kind: 'national_id',
    forms: ['9', '8', '4.2.3', '3~3~3', '4~2~3', '3.3.3'],
    pattern: /^\d{8,9}$/u,
    check: byStdnum('NL', 'bsn'),
    score: 0.2,
    context: id('sofi', 'onderwijsnummer', 'burger service nummer'),
  },
  {
    name: 'nl_vat',
    kind: 'company_id',
    forms: ['14', '2~12', '11.3', '2~9~3', '12'],
    pattern: /^(?:NL)?\d{9}B\d{2}$/u,
    check: byStdnum('NL', 'btw'),
    score: 0.7,
    lenient: true,
    context: company('btw nummer', 'btw id'),
  },
  {
    name: 'lu_vat',
    kind: 'company_id',
    forms: ['10', '2~8'],
    pattern: /^LU\d{8}$/u,
    check: byStdnum('LU', 'tva'),
    score: 0.6,
    context: company(),
  },
  {
    name: 'at_social_security',
    kind: 'national_id',
    forms: ['10', '4~6', '4-6', '4/6'],
    pattern: /^[1-9]\d{9}$/u,
    check: (digits) => isDay(digits.slice(6, 8), digits.slice(4, 6)) && byAustria(digits),
    score: 0.35,
    grouped: 0.6,
    context: id('SVNR', 'SV Nummer', 'e card', 'Versicherungsnummer'),
  },
  {
    name: 'at_vat',
    kind: 'company_id',
    forms: ['11', '3~8', '2~9'],
    pattern: /^ATU\d{8}$/u,
    check: byStdnum('AT', 'uid'),
    score: 0.7,
    lenient: true,
    context: company('UID'),
  },
  {
    name: 'at_tax_number',
    kind: 'tax_id',
    forms: ['9', '2-3/4', '2~3/4', '2~3~4', '2-7'],
    pattern: /^\d{9}$/u,
    check: byStdnum('AT', 'tin'),
    score: 0.2,
    grouped: 0.5,
    context: tax('Finanzamt', 'Abgabenkontonummer'),
  },
  {
    name: 'ch_ahv',
    kind: 'national_id',
    forms: ['13', '3.4.4.2', '3~4~4~2', '3-4-4-2'],
    pattern: /^756\d{10}$/u,
    check: byStdnum('CH', 'ssn'),
    score: 0.6,
    grouped: 0.8,
    context: id('AHV', 'AVS', 'AHV Nummer', 'NAVS'),
  },
  {
    name: 'ch_uid',
    kind: 'company_id',
    forms: ['12', '3-3.3.3', '3~3.3.3', '3-9', '3~9'],
    pattern: /^CHE\d{9}$/u,
    check: byStdnum('CH', 'uid'),
    score: 0.7,
    context: company('UID', 'MWST'),
  },
  {
    name: 'pt_nif',
    kind: 'tax_id',
    forms: ['9', '3_3_3', '11', '2~9'],
    pattern: /^(?:PT)?[1235689]\d{8}$/u,
    check: (compact) => byPortugal(compact.replace(/^PT/u, '')),
    score: 0.2,
    context: tax('contribuinte', 'NIPC'),
  },
  {
    name: 'pt_citizen_card',
    kind: 'national_id',
    forms: ['12', '8~1~3', '8-1-3', '8~1-3', '8~1~2~1'],
    pattern: /^\d{9}[A-Z0-9]{2}\d$/u,
    check: (compact) => /[A-Z]/u.test(compact) && byStdnumCc(compact),
    score: 0.6,
    context: id('CC', 'cartão'),
  },
];

const byFrenchNir = byStdnum('FR', 'nir');
const byAustria = byStdnum('AT', 'vnr');
const byPortugal = byStdnum('PT', 'nif');
const byStdnumCc = byStdnum('PT', 'cc');

const EAST: readonly DocumentType[] = [
  {
    name: 'pl_pesel',
    kind: 'national_id',
    forms: ['11'],
    pattern: /^\d{11}$/u,
    check: (digits) => isDay(String(Number(digits.slice(2, 4)) % 20), digits.slice(4, 6)) && isPesel(digits),
    score: 0.5,
    context: id('PESEL'),
  },
  {
    name: 'pl_nip',
    kind: 'tax_id',
    forms: ['10', '3-3-2-2', '3-2-2-3', '3~3~2~2', '12', '2~10'],
    pattern: /^(?:PL)?[1-9]\d{9}$/u,
    check: (compact) => byNip(compact.replace(/^PL/u, '')),
    score: 0.25,
    grouped: 0.6,
    context: tax('NIP'),
  },
  {
    name: 'pl_regon',
    kind: 'company_id',
    forms: ['9', '14'],
    pattern: /^\d{9}(?:\d{5})?$/u,
    check: byStdnum('PL', 'regon'),
    score: 0.2,
    context: company('REGON'),
  },
  {
    name: 'pl_id_card',
    kind: 'national_id',
    forms: ['9', '3~6'],
    pattern: /^[A-Z]{3}\d{6}$/u,
    check: isPolishCard,
    score: 0.3,
    context: id('dowód', 'dowodu', 'seria i numer'),
  },
  {
    name: 'cz_sk_rc',
    kind: 'national_id',
    forms: ['6/4', '6/3', '10', '9'],
    pattern: /^\d{9,10}$/u,
    check: (digits, written) => (written.includes('/') || digits.length === 10) && byCzech(digits),
    score: 0.3,
    grouped: 0.6,
    context: id('rodné číslo', 'RČ'),
  },
  {
    name: 'cz_company',
    kind: 'company_id',
    forms: ['8', '10'],
    pattern: /^(?:CZ)?\d{8}$/u,
    check: (compact) => byIco(compact.replace(/^CZ/u, '')),
    score: 0.2,
    context: company('IČ', 'IČO', 'DIČ'),
  },
  {
    name: 'sk_vat',
    kind: 'company_id',
    forms: ['12', '10', '2~10'],
    pattern: /^(?:SK)?[1-9]\d[2-47-9]\d{7}$/u,
    check: byStdnum('SK', 'dph'),
    score: 0.2,
    context: company('IČ DPH'),
  },
  {
    name: 'hu_tax_number',
    kind: 'company_id',
    forms: ['8-1-2', '11', '10'],
    pattern: /^(?:HU\d{8}|\d{11})$/u,
    check: (compact) => byHungary(compact.replace(/^HU/u, '').slice(0, 8)),
    score: 0.2,
    grouped: 0.6,
    context: company('adószám', 'adóazonosító'),
  },
  {
    name: 'ro_cnp',
    kind: 'national_id',
    forms: ['13'],
    pattern: /^[1-9]\d{12}$/u,
    check: (digits) => isDay(digits.slice(3, 5), digits.slice(5, 7)) && byRomania(digits),
    score: 0.5,
    context: id('CNP', 'cod numeric personal'),
  },
  {
    name: 'ro_cif',
    kind: 'company_id',
    forms: ['6', '7', '8', '9', '10', '11', '12', '2~8', '2~7'],
    pattern: /^RO\d{4,10}$/u,
    check: byStdnum('RO', 'cif'),
    score: 0.4,
    context: company('CUI', 'cod fiscal'),
  },
  {
    name: 'bg_egn',
    kind: 'national_id',
    forms: ['10'],
    pattern: /^\d{10}$/u,
    check: (digits) => isDay(String(Number(digits.slice(2, 4)) % 20), digits.slice(4, 6)) && byBulgaria(digits),
    score: 0.35,
    context: id('ЕГН', 'EGN'),
  },
  {
    name: 'gr_vat',
    kind: 'tax_id',
    forms: ['9', '11', '2~9'],
    pattern: /^(?:EL|GR)?\d{9}$/u,
    check: (compact) => byGreece(compact.replace(/^(?:EL|GR)/u, '')),
    score: 0.2,
    context: tax('ΑΦΜ', 'AFM'),
  },
  {
    name: 'gr_amka',
    kind: 'national_id',
    forms: ['11'],
    pattern: /^\d{11}$/u,
    check: (digits) => isDay(digits.slice(2, 4), digits.slice(0, 2)) && isLuhn(digits),
    score: 0.5,
    context: id('ΑΜΚΑ', 'AMKA'),
  },
  {
    name: 'hr_oib',
    kind: 'national_id',
    forms: ['11', '13'],
    pattern: /^(?:HR)?\d{11}$/u,
    check: (compact) => isVaried(compact) && iso7064mod11mod10(compact.replace(/^HR/u, '')),
    score: 0.3,
    context: id('OIB', 'osobni identifikacijski broj'),
  },
  {
    name: 'yu_jmbg',
    kind: 'national_id',
    forms: ['13'],
    pattern: /^\d{13}$/u,
    check: (digits) =>
      isDay(digits.slice(2, 4), digits.slice(0, 2)) && /^[09]/u.test(digits.slice(4)) && bySerbia(digits),
    score: 0.5,
    context: id('JMBG', 'ЈМБГ', 'EMŠO', 'matični broj'),
  },
  {
    name: 'si_vat',
    kind: 'tax_id',
    forms: ['8', '10'],
    pattern: /^(?:SI)?[1-9]\d{7}$/u,
    check: byStdnum('SI', 'ddv'),
    score: 0.2,
    context: tax('davčna številka', 'DDV'),
  },
  {
    name: 'ua_tax',
    kind: 'tax_id',
    forms: ['10'],
    pattern: /^[1-4]\d{9}$/u,
    check: byStdnum('UA', 'rntrc'),
    score: 0.25,
    context: tax('РНОКПП', 'ІПН', 'ідентифікаційний код'),
  },
  {
    name: 'ru_inn',
    kind: 'tax_id',
    forms: ['10', '12'],
    pattern: /^\d{10}(?:\d\d)?$/u,
    check: byStdnum('RU', 'inn'),
    score: 0.25,
    context: tax('ИНН', 'INN', 'КПП'),
  },
  {
    name: 'ru_snils',
    kind: 'national_id',
    forms: ['11', '3-3-3~2', '3-3-3-2'],
    pattern: /^\d{11}$/u,
    check: isSnils,
    score: 0.4,
    grouped: 0.8,
    context: id('СНИЛС', 'SNILS'),
  },
  {
    name: 'ru_passport',
    kind: 'passport',
    forms: ['4~6', '2~2~6', '10'],
    pattern: /^\d{10}$/u,
    score: 0.1,
    context: passport('серия', 'серия и номер'),
  },
];

const POLISH = [1, 3, 7, 9, 1, 3, 7, 9, 1, 3];
const isPesel = (digits: string): boolean => (10 - (weighted(digits, POLISH) % 10)) % 10 === Number(digits[10]);
const byNip = byStdnum('PL', 'nip');
const byCzech = byStdnum('CZ', 'rc');
const byIco = byStdnum('CZ', 'ico');
const byHungary = byStdnum('HU', 'anum');
const byRomania = byStdnum('RO', 'cnp');
const byBulgaria = byStdnum('BG', 'egn');
const byGreece = byStdnum('GR', 'vat');
const bySerbia = byStdnum('RS', 'jmbg');

/** Pension insurance number: weights 9 to 1, the sum modulo 101 (numbers above 001-001-998). */
function isSnils(digits: string): boolean {
  const sum = weighted(digits, [9, 8, 7, 6, 5, 4, 3, 2, 1]) % 101;
  return isVaried(digits.slice(0, 9)) && (sum === 100 ? 0 : sum) === Number(digits.slice(9));
}

/** Letters count 10 to 35; weights 7, 3, 1 before the check digit and after it, which itself has 9. */
function isPolishCard(compact: string): boolean {
  const values = Array.from(compact, (character) => Number.parseInt(character, 36));
  return [7, 3, 1, 9, 7, 3, 1, 7, 3].reduce((sum, weight, i) => sum + weight * (values[i] ?? 0), 0) % 10 === 0;
}

/** Value-added tax numbers that begin with their country, of countries without an entry of their own above. */
const OTHER_VAT: readonly DocumentType[] = (
  [
    ['BG', 'vat', /^BG\d{9,10}$/u, [11, 12]],
    ['CY', 'vat', /^CY\d{8}[A-Z]$/u, [11]],
    ['DK', 'cvr', /^DK\d{8}$/u, [10]],
    ['EE', 'kmkr', /^EE\d{9}$/u, [11]],
    ['ES', 'nif', /^ES[A-Z0-9]\d{7}[A-Z0-9]$/u, [11]],
    ['FI', 'alv', /^FI\d{8}$/u, [10]],
    ['IE', 'vat', /^IE\d[A-Z0-9]\d{5}[A-Z]{1,2}$/u, [10, 11]],
    ['LT', 'pvm', /^LT\d{9}(?:\d{3})?$/u, [11, 14]],
    ['LV', 'pvn', /^LV\d{11}$/u, [13]],
    ['MT', 'vat', /^MT\d{8}$/u, [10]],
    ['SE', 'vat', /^SE\d{12}$/u, [14]],
  ] as const
).map(([country, name, pattern, lengths]) => {
  const check = byStdnum(country, name);
  return {
    name: `${country.toLowerCase()}_vat`,
    kind: 'company_id',
    forms: lengths.flatMap((length) => [`${length}`, `2~${length - 2}`]),
    pattern,
    check: (compact) => check(compact) || check(compact.slice(2)),
    score: 0.6,
    context: company(),
  };
});

export const EUROPE: readonly DocumentType[] = [
  ...GERMANY,
  ...BRITAIN_AND_IRELAND,
  ...SPAIN,
  ...ITALY,
  ...NORTH,
  ...WEST,
  ...EAST,
  ...OTHER_VAT,
];
