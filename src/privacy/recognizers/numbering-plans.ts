/** The world's numbering plans as regular expressions: parsing each number with the library costs a hundred times as much. */
import { getCountries, Metadata, type CountryCode } from 'libphonenumber-js/max';

interface Plan {
  /** Any number in use: the general pattern and that of a type. */
  isValid(national: string): boolean;
  isMobile(national: string): boolean;
  readonly hasTrunkZero: boolean;
}

const plans = new Map<CountryCode, Plan>();

/** Whether a country uses the number, written without its trunk prefix. */
export const isNational = (national: string, country: CountryCode): boolean => planOf(country).isValid(national);
export const isMobile = (national: string, country: CountryCode): boolean => planOf(country).isMobile(national);

/** Whether any country whose numbers begin with a trunk 0 uses this one, written with that 0. */
export function judgeTrunk(digits: string): 'mobile' | 'valid' | undefined {
  const national = digits.slice(1);
  trunkPlans ??= getCountries()
    .map(planOf)
    .filter(({ hasTrunkZero }) => hasTrunkZero);
  if (trunkPlans.some((plan) => plan.isMobile(national))) return 'mobile';
  return trunkPlans.some((plan) => plan.isValid(national)) ? 'valid' : undefined;
}

let trunkPlans: readonly Plan[] | undefined;

/** Whether digits after a `+` begin with a calling code and go on as a number of that country. */
export function isInternational(digits: string): boolean {
  byCode ??= groupByCode();
  for (const length of [1, 2, 3]) {
    const national = digits.slice(length);
    if (byCode.get(digits.slice(0, length))?.some((plan) => plan.isValid(national)) === true) return true;
  }
  return false;
}

/** Whether there is such a calling code at all. */
export function hasCallingCode(digits: string): boolean {
  const codes = (byCode ??= groupByCode());
  return [1, 2, 3].some((length) => codes.has(digits.slice(0, length)));
}

let byCode: ReadonlyMap<string, readonly Plan[]> | undefined;

function groupByCode(): ReadonlyMap<string, readonly Plan[]> {
  const codes = new Map<string, Plan[]>();
  for (const country of getCountries()) {
    const code = metadataOf(country).callingCode();
    codes.set(code, [...(codes.get(code) ?? []), planOf(country)]);
  }
  return codes;
}

function planOf(country: CountryCode): Plan {
  const known = plans.get(country);
  if (known !== undefined) return known;
  const metadata = metadataOf(country);
  const whole = (pattern: string): RegExp => new RegExp(`^(?:${pattern})$`, 'u');
  const patterns = TYPES.flatMap((type) => metadata.type(type)?.pattern() ?? []);
  const any = whole(metadata.nationalNumberPattern());
  const typed = patterns.length === 0 ? any : whole(patterns.join('|'));
  const mobile = whole(metadata.type('MOBILE')?.pattern() ?? '(?!)');
  const plan: Plan = {
    isValid: (national) => any.test(national) && typed.test(national),
    isMobile: (national) => any.test(national) && mobile.test(national),
    hasTrunkZero: metadata.nationalPrefix() === '0',
  };
  plans.set(country, plan);
  return plan;
}

const TYPES = [
  'FIXED_LINE',
  'MOBILE',
  'TOLL_FREE',
  'PREMIUM_RATE',
  'SHARED_COST',
  'VOIP',
  'PERSONAL_NUMBER',
  'UAN',
  'PAGER',
];

/** What the library's numbering plans can tell; its types leave these methods out. */
interface Patterns {
  callingCode(): string;
  nationalPrefix(): string | undefined;
  nationalNumberPattern(): string;
  type(name: string): { pattern(): string } | undefined;
}

function metadataOf(country: CountryCode): Patterns {
  const metadata = new Metadata();
  metadata.selectNumberingPlan(country);
  const plan: unknown = metadata.numberingPlan;
  if (isPatterns(plan)) return plan;
  throw new Error('libphonenumber-js has no patterns in its numbering plans: adapt numbering-plans.ts to its version');
}

function isPatterns(plan: unknown): plan is Patterns {
  return (
    typeof plan === 'object' &&
    plan !== null &&
    ['callingCode', 'nationalPrefix', 'nationalNumberPattern', 'type'].every(
      (name) => typeof Reflect.get(plan, name) === 'function',
    )
  );
}
