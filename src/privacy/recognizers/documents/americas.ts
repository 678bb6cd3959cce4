import validator from 'validator';
import { contextOf } from '../context.ts';
import { byStdnum, isDay, isLuhn, isVaried, weighted } from './checks.ts';
import type { DocumentType } from './document.ts';
import {
  BANK_WORDS,
  COMPANY_WORDS,
  HEALTH_WORDS,
  ID_WORDS,
  LICENCE_WORDS,
  PASSPORT_WORDS,
  PROFESSION_WORDS,
  SOCIAL_WORDS,
  TAX_WORDS,
} from './words.ts';

const id = (...words: readonly string[]) => contextOf(ID_WORDS, SOCIAL_WORDS, words);
const tax = (...words: readonly string[]) => contextOf(TAX_WORDS, words);
const company = (...words: readonly string[]) => contextOf(COMPANY_WORDS, TAX_WORDS, words);
const licence = contextOf(LICENCE_WORDS);

const UNITED_STATES: readonly DocumentType[] = [
  {
    name: 'us_ssn',
    kind: 'national_id',
    forms: ['9', '3_2_4', '3-6', '5-4'],
    pattern: /^(?!000|666|9\d\d)\d{3}(?!00)\d{2}(?!0000)\d{4}$/u,
    // Numbers of advertisements and examples.
    check: (digits) => isVaried(digits) && !['078051120', '123456789', '987654320'].includes(digits),
    score: 0.15,
    grouped: 0.5,
    context: id('social'),
  },
  {
    name: 'us_itin',
    kind: 'tax_id',
    forms: ['9', '3_2_4', '3-6', '5-4'],
    pattern: /^9\d{2}(?:5\d|6[0-5]|7\d|8[0-8]|9[0-24-9])\d{4}$/u,
    score: 0.3,
    grouped: 0.5,
    context: tax('itin', 'individual taxpayer'),
  },
  {
    name: 'us_ein',
    kind: 'company_id',
    forms: ['2-7', '9'],
    pattern: /^\d{9}$/u,
    check: byStdnum('US', 'ein'),
    score: 0.1,
    grouped: 0.4,
    context: company('ein', 'fein', 'employer id'),
  },
  {
    name: 'us_mbi',
    kind: 'health_id',
    forms: ['11', '4_3_4'],
    pattern:
      /^[1-9][AC-HJKMNP-RT-Y][AC-HJKMNP-RT-Y0-9]\d[AC-HJKMNP-RT-Y][AC-HJKMNP-RT-Y0-9]\d[AC-HJKMNP-RT-Y]{2}\d\d$/u,
    score: 0.45,
    grouped: 0.6,
    context: contextOf(HEALTH_WORDS, ['mbi', 'beneficiary', 'medicare id']),
  },
  {
    name: 'us_npi',
    kind: 'professional_id',
    forms: ['10', '4_3_3', '3_3_4'],
    pattern: /^[12]\d{9}$/u,
    check: (digits) => isVaried(digits.slice(0, 9)) && isLuhn(`80840${digits}`),
    score: 0.3,
    context: contextOf(PROFESSION_WORDS, ['national provider']),
  },
  {
    name: 'us_dea',
    kind: 'professional_id',
    forms: ['9'],
    pattern: /^[A-HJ-NPR-UX][A-Z9]\d{7}$/u,
    check: (compact) => {
      const digits = compact.slice(2);
      return weighted(digits, [1, 2, 1, 2, 1, 2]) % 10 === Number(digits[6]);
    },
    score: 0.4,
    context: contextOf(PROFESSION_WORDS),
  },
  {
    name: 'us_aba_routing',
    kind: 'bank_account',
    forms: ['9', '4-4-1'],
    pattern: /^(?:0\d|1[0-2]|2[1-9]|3[0-2]|6[1-9]|7[0-2]|80)\d{7}$/u,
    check: (digits) => validator.isAbaRouting(digits),
    score: 0.2,
    grouped: 0.5,
    context: contextOf(['aba', 'routing', 'routing number', 'transit', 'rtn', 'bank', 'wire']),
  },
  {
    name: 'us_bank_account',
    kind: 'bank_account',
    forms: [8, 9, 10, 11, 12, 13, 14, 15, 16, 17].map(String),
    pattern: /^\d{8,17}$/u,
    score: 0.05,
    named: 0.5,
    context: contextOf(BANK_WORDS),
  },
  {
    name: 'us_passport',
    kind: 'passport',
    forms: ['9'],
    pattern: /^[A-Z0-9]\d{8}$/u,
    score: 0.1,
    context: contextOf(PASSPORT_WORDS),
  },
  {
    name: 'us_driver_license',
    kind: 'licence',
    forms: ['5', '6', '7', '8', '9', '10', '11', '12', '13', '14', '15'],
    pattern:
      /^(?=.*\d{5})(?:[A-Z]\d{4,8}|[A-Z]\d{9,14}|[A-Z]{2}\d{2,7}|[A-Z]\d{2,3}[A-Z]{2}\d{3,5}|[1-9]{2}[A-Z]{3}\d{5}|[A-Z]{3}\d{6}|\d{7,14}|\d{6,8}[A-Z]{1,2}|[A-Z]{1,2}\d{3,6}[A-Z]?)$/u,
    score: 0.05,
    named: 0.55,
    context: licence,
  },
];

const CANADA_AND_MEXICO: readonly DocumentType[] = [
  {
    name: 'ca_sin',
    kind: 'national_id',
    forms: ['9', '3-3-3', '3~3~3', '3.3.3'],
    pattern: /^[1-79]\d{8}$/u,
    check: (digits) => isVaried(digits) && isLuhn(digits),
    score: 0.2,
    grouped: 0.5,
    context: id('sin', 'NAS', "numéro d'assurance sociale", 'assurance sociale'),
  },
  {
    name: 'ca_business',
    kind: 'company_id',
    forms: ['15', '9~2~4', '9~6', '9-6'],
    pattern: /^\d{9}R[CMPTZ]\d{4}$/u,
    score: 0.7,
    context: company('BN', 'GST', 'HST'),
  },
  {
    name: 'ca_passport',
    kind: 'passport',
    forms: ['8'],
    pattern: /^[A-Z]{2}\d{6}$/u,
    score: 0.1,
    context: contextOf(PASSPORT_WORDS),
  },
  {
    name: 'mx_curp',
    kind: 'national_id',
    forms: ['18'],
    pattern: /^[A-Z][AEIOUX][A-Z]{2}\d{6}[HMX][A-Z]{2}[B-DF-HJ-NP-TV-ZÑX]{3}[0-9A-Z]\d$/u,
    score: 0.9,
    context: id('CURP'),
  },
  {
    name: 'mx_rfc',
    kind: 'tax_id',
    forms: ['12', '13', '4-6-3', '4~6~3', '3-6-3'],
    pattern: /^[A-ZÑ]{3,4}\d{6}[A-Z0-9]{3}$/u,
    check: (compact) => isDay(/\d{2}(\d{2})\d{2}/u.exec(compact)?.[1] ?? '', /\d{4}(\d{2})/u.exec(compact)?.[1] ?? ''),
    score: 0.5,
    context: tax('RFC'),
  },
  {
    name: 'mx_clabe',
    kind: 'bank_account',
    forms: ['18', '3~3~11~1'],
    pattern: /^\d{18}$/u,
    check: byStdnum('MX', 'clabe'),
    score: 0.5,
    context: contextOf(BANK_WORDS, ['CLABE', 'interbancaria']),
  },
];

const SOUTH_AMERICA: readonly DocumentType[] = [
  {
    name: 'br_cpf',
    kind: 'national_id',
    forms: ['11', '3.3.3-2', '9-2', '3-3-3-2'],
    pattern: /^\d{11}$/u,
    check: (digits) => isVaried(digits) && byCpf(digits),
    score: 0.4,
    grouped: 0.85,
    context: id('CPF', 'contribuinte'),
  },
  {
    name: 'br_cnpj',
    kind: 'company_id',
    forms: ['14', '2.3.3/4-2', '8/4-2'],
    pattern: /^[A-Z0-9]{12}\d\d$/u,
    check: (compact) => isVaried(compact) && byCnpj(compact),
    score: 0.45,
    grouped: 0.85,
    context: company('CNPJ'),
  },
  {
    name: 'ar_cuit',
    kind: 'tax_id',
    forms: ['11', '2-8-1', '2~8~1'],
    pattern: /^(?:2[034567]|3[034])\d{9}$/u,
    check: byStdnum('AR', 'cuit'),
    score: 0.4,
    grouped: 0.7,
    context: tax('CUIT', 'CUIL'),
  },
  {
    name: 'ar_dni',
    kind: 'national_id',
    forms: ['2.3.3', '8', '7'],
    pattern: /^\d{7,8}$/u,
    score: 0.1,
    grouped: 0.2,
    context: contextOf(['DNI', 'documento nacional de identidad', 'documento']),
  },
  {
    name: 'cl_rut',
    kind: 'national_id',
    forms: ['8-1', '7-1', '2.3.3-1', '1.3.3-1', '9'],
    pattern: /^\d{7,8}[0-9K]$/u,
    check: (compact, written) => (written.includes('-') || compact.endsWith('K')) && byRut(compact),
    score: 0.4,
    grouped: 0.55,
    context: id('RUT', 'RUN'),
  },
  {
    name: 'co_nit',
    kind: 'tax_id',
    forms: ['9-1', '3.3.3-1', '10'],
    pattern: /^\d{10}$/u,
    check: byStdnum('CO', 'nit'),
    score: 0.2,
    grouped: 0.55,
    context: tax('NIT'),
  },
  {
    name: 'co_cedula',
    kind: 'national_id',
    forms: ['8', '10', '1.3.3.3', '2.3.3'],
    pattern: /^\d{8,10}$/u,
    score: 0.05,
    context: contextOf(['cédula', 'cédula de ciudadanía', 'CC', 'C C']),
  },
  {
    name: 'pe_ruc',
    kind: 'tax_id',
    forms: ['11'],
    pattern: /^(?:10|15|16|17|20)\d{9}$/u,
    check: byStdnum('PE', 'ruc'),
    score: 0.4,
    context: tax('RUC'),
  },
  {
    name: 'ec_ci',
    kind: 'national_id',
    forms: ['10', '9-1', '13'],
    pattern: /^(?:[01]\d|2[0-4]|30)\d{8}(?:001)?$/u,
    check: (digits) => byEcuador(digits.slice(0, 10)),
    score: 0.2,
    grouped: 0.5,
    context: id('CI', 'cédula', 'RUC'),
  },
  {
    name: 'uy_cedula',
    kind: 'national_id',
    forms: ['1.3.3-1', '7-1', '8'],
    pattern: /^\d{8}$/u,
    check: byStdnum('UY', 'cedula'),
    score: 0.15,
    grouped: 0.6,
    context: id('CI', 'cédula'),
  },
  {
    name: 've_rif',
    kind: 'tax_id',
    forms: ['1-8-1', '10', '1-9'],
    pattern: /^[VEJPG]\d{9}$/u,
    check: byStdnum('VE', 'rif'),
    score: 0.4,
    grouped: 0.7,
    context: tax('RIF'),
  },
  {
    name: 'do_cedula',
    kind: 'national_id',
    forms: ['11', '3-7-1'],
    pattern: /^\d{11}$/u,
    check: byStdnum('DO', 'cedula'),
    score: 0.3,
    grouped: 0.7,
    context: id('cédula'),
  },
];

const byCpf = byStdnum('BR', 'cpf');
const byCnpj = byStdnum('BR', 'cnpj');
const byRut = byStdnum('CL', 'rut');
const byEcuador = byStdnum('EC', 'ci');

export const AMERICAS: readonly DocumentType[] = [...UNITED_STATES, ...CANADA_AND_MEXICO, ...SOUTH_AMERICA];
