import { contextOf } from '../context.ts';
import { isLuhn, isVaried, weighted } from './checks.ts';
import type { DocumentType } from './document.ts';

/** Numbers of phones, their cards, and vehicles. */
export const DEVICES: readonly DocumentType[] = [
  {
    name: 'imei',
    kind: 'device_id',
    forms: ['15', '2-6-6-1', '2~6~6~1', '6-2-6-1', '6~2~6~1', '16', '8-6-1'],
    pattern: /^\d{15,16}$/u,
    check: (digits) => isVaried(digits) && (digits.length === 16 || isLuhn(digits)),
    score: 0.25,
    grouped: 0.6,
    context: contextOf(['IMEI', 'IMEISV', 'MEID', 'device id', 'handset', 'Gerätenummer', '串号']),
  },
  {
    name: 'imsi',
    kind: 'device_id',
    forms: ['14', '15'],
    pattern: /^\d{14,15}$/u,
    score: 0.05,
    context: contextOf(['IMSI']),
  },
  {
    name: 'iccid',
    kind: 'device_id',
    forms: ['19', '20', '4~4~4~4~4', '4~4~4~4~3', '5~5~5~5'],
    pattern: /^89\d{17,18}$/u,
    check: (digits) => isLuhn(digits) || digits.length === 20,
    score: 0.5,
    context: contextOf(['ICCID', 'SIM', 'SIM card', 'eSIM']),
  },
  {
    name: 'serial',
    kind: 'device_id',
    forms: ['8', '9', '10', '11', '12', '13', '14'],
    pattern: /^(?=.*\d)(?=.*[A-Z])[A-Z0-9]{8,14}$/u,
    score: 0.05,
    named: 0.5,
    context: contextOf([
      'serial number',
      'serial no',
      'S N',
      'Seriennummer',
      'numéro de série',
      'número de serie',
      'numero di serie',
      'serienummer',
    ]),
  },
  {
    name: 'vin',
    kind: 'vehicle_id',
    forms: ['17', '3-6-8', '3~6~8'],
    pattern: /^(?=.{3}.*[A-HJ-NPR-Z])(?=(?:.*\d){5})[A-HJ-NPR-Z0-9]{17}$/u,
    check: (compact) => isVin(compact),
    score: 0.6,
    named: 0.9,
    context: contextOf(vinWords()),
  },
  {
    // Only North America and China demand the check digit.
    name: 'vin_unchecked',
    kind: 'vehicle_id',
    forms: ['17'],
    pattern: /^(?=.*[A-HJ-NPR-Z])(?=(?:.*\d){4})[A-HJ-NPR-Z0-9]{13}\d{4}$/u,
    score: 0.2,
    context: contextOf(vinWords()),
  },
];

function vinWords(): readonly string[] {
  return [
    'VIN',
    'vehicle identification',
    'chassis',
    'Fahrgestellnummer',
    'Fahrzeug Ident',
    'FIN',
    'numéro de châssis',
    'bastidor',
    'telaio',
    'chassi',
    'chassisnummer',
    'numer nadwozia',
  ];
}

/** Letters stand for digits, position 9 is the sum of weights modulo 11 (49 CFR 565.15). */
function isVin(compact: string): boolean {
  const digits = compact.replace(/[A-Z]/gu, (letter) => LETTERS[letter] ?? '');
  const rest = weighted(digits, [8, 7, 6, 5, 4, 3, 2, 10, 0, 9, 8, 7, 6, 5, 4, 3, 2]) % 11;
  return compact[8] === (rest === 10 ? 'X' : String(rest));
}

const LETTERS: Readonly<Record<string, string>> = Object.fromEntries(
  Array.from('ABCDEFGHJKLMNPRSTUVWXYZ', (letter, i) => [letter, '12345678123457923456789'[i] ?? '']),
);
