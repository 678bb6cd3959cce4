/** Check digits: of libraries, and the few that none of ours has. */
import { stdnum } from 'stdnum';
import validator from 'validator';

/** Whether the library takes the number for a valid one of that country and name; its names are those of python-stdnum. */
export function byStdnum(country: string, name: string): (compact: string) => boolean {
  const known = stdnum[country]?.[name];
  // A wrong name here must be seen when the program starts, not when a number is missed.
  if (known === undefined) throw new Error(`stdnum has no ${name} of ${country}: correct its name`);
  return (compact) => known.validate(compact).isValid;
}

export const isLuhn = (digits: string): boolean => /[1-9]/u.test(digits) && validator.isLuhnNumber(digits);

/** Digit by digit times its weight, summed. */
export function weighted(digits: string, weights: readonly number[]): number {
  return weights.reduce((sum, weight, i) => sum + weight * Number(digits[i] ?? 0), 0);
}

/** `yymmdd` or `ddmmyy`: whether month and day are of a calendar, whatever the year. */
export function isDay(month: string, day: string): boolean {
  const m = Number(month);
  const d = Number(day);
  return m >= 1 && m <= 12 && d >= 1 && d <= (DAYS[m - 1] ?? 0);
}

const DAYS = [31, 29, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31];

/** All the same digit, or nothing but zeros after a prefix: filler. */
export const isVaried = (digits: string): boolean => new Set(digits).size > 1;

/** Verhoeff's dihedral check (J. Verhoeff, 1969), as India's Aadhaar and Nigeria's NIN use it. */
export function isVerhoeff(digits: string): boolean {
  let check = 0;
  for (let i = 0; i < digits.length; i += 1) {
    const digit = Number(digits[digits.length - 1 - i]);
    check = dihedral(check, permuted(digit, i % 8));
  }
  return check === 0;
}

/** Product in the dihedral group of order 10. */
function dihedral(a: number, b: number): number {
  if (a < 5) return b < 5 ? (a + b) % 5 : 5 + ((a + b) % 5);
  return b < 5 ? 5 + ((a - b + 5) % 5) : (a - b + 5) % 5;
}

const PERMUTATION = [1, 5, 7, 6, 2, 8, 3, 0, 9, 4];

function permuted(digit: number, times: number): number {
  let result = digit;
  for (let i = 0; i < times; i += 1) result = PERMUTATION[result] ?? 0;
  return result;
}

/** Weights 7, 3, 1 over digits and letters (A is 10), as in machine-readable travel documents (ICAO 9303, part 3). */
export function isIcao(compact: string): boolean {
  const values = Array.from(compact, (character) => Number.parseInt(character, 36));
  const sum = values.slice(0, -1).reduce((total, value, i) => total + value * (ICAO[i % 3] ?? 0), 0);
  return sum % 10 === values.at(-1);
}

const ICAO = [7, 3, 1];

/** Products summed digit by digit with weights 1, 2, 1, 2: Luhn's sum from the left, as German insurers use it. */
export function crossSum(digits: string, weights: readonly number[]): number {
  return weights.reduce((sum, weight, i) => {
    const product = weight * Number(digits[i] ?? 0);
    return sum + Math.floor(product / 10) + (product % 10);
  }, 0);
}
