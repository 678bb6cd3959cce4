import { Faker, base, de, en, en_GB, es, fr, hr, ja, pl } from '@faker-js/faker';
import type { LocaleDefinition } from '@faker-js/faker';
import { keyboardOf } from './keyboard.ts';
import type { Keyboard, LayoutName } from './keyboard.ts';
import { makeHand } from './pointer.ts';
import type { PointerHand } from './pointer.ts';
import { Random, evenly } from './random.ts';
import { makeRhythm } from './typing.ts';
import type { TypingRhythm } from './typing.ts';

export type OsFlavour = 'windows' | 'mac' | 'linux';
export type Language = 'en' | 'de' | 'fr' | 'hr' | 'pl' | 'es' | 'ja';

/** What colleagues know of a person. */
export interface Identity {
  readonly firstName: string;
  readonly lastName: string;
  readonly name: string;
  readonly email: string;
  readonly phone: string;
}

/** One simulated worker. */
export interface Person extends Identity {
  readonly index: number;
  /** The subject id in their payloads, `emp-48213@corp.example`. */
  readonly subject: string;
  /** `LAPTOP-7F3K2`. */
  readonly device: string;
  readonly employeeNumber: string;
  readonly address: string;
  readonly street: string;
  readonly city: string;
  readonly postcode: string;
  readonly iban: string;
  /** Card number with the separators this person types. */
  readonly card: string;
  readonly cardExpiry: string;
  readonly cardCode: string;
  readonly birthday: string;
  readonly password: string;
  readonly language: Language;
  readonly os: OsFlavour;
  readonly keyboard: Keyboard;
  readonly rhythm: TypingRhythm;
  readonly hand: PointerHand;
  readonly clients: readonly string[];
  readonly products: readonly string[];
  readonly projects: readonly string[];
  readonly cities: readonly string[];
  /** Others of the simulation. */
  readonly colleagues: readonly Identity[];
}

/** Where somebody works, and on which machine. */
interface Setting {
  readonly os: OsFlavour;
  readonly layout: LayoutName;
  readonly language: Language;
  readonly locale: string;
  readonly altCodes?: true;
  readonly altGrIsCtrlAlt?: true;
}

const SETTINGS: readonly Setting[] = [
  { os: 'windows', layout: 'us', language: 'en', locale: 'en' },
  { os: 'windows', layout: 'de', language: 'de', locale: 'de' },
  { os: 'mac', layout: 'mac-us', language: 'en', locale: 'en' },
  { os: 'windows', layout: 'ja', language: 'ja', locale: 'ja' },
  { os: 'windows', layout: 'us', language: 'en', locale: 'en', altCodes: true },
  { os: 'windows', layout: 'hr', language: 'hr', locale: 'hr', altGrIsCtrlAlt: true },
  { os: 'linux', layout: 'gb', language: 'en', locale: 'en_GB' },
  { os: 'windows', layout: 'fr', language: 'fr', locale: 'fr' },
  { os: 'mac', layout: 'mac-de', language: 'de', locale: 'de' },
  { os: 'windows', layout: 'pl', language: 'pl', locale: 'pl' },
  { os: 'linux', layout: 'us', language: 'en', locale: 'en' },
  { os: 'windows', layout: 'es', language: 'es', locale: 'es' },
];

const LOCALES: Readonly<Record<string, readonly LocaleDefinition[]>> = {
  en: [en, base],
  en_GB: [en_GB, en, base],
  de: [de, en, base],
  fr: [fr, en, base],
  hr: [hr, en, base],
  pl: [pl, en, base],
  es: [es, en, base],
  ja: [ja, en, base],
};
const IBAN_COUNTRIES: Readonly<Record<Language, readonly string[]>> = {
  en: ['GB', 'NL', 'FI'],
  de: ['DE', 'AT', 'CH'],
  fr: ['CH', 'DE'],
  hr: ['AT', 'SE'],
  pl: ['DE', 'SE'],
  es: ['IT', 'DE'],
  ja: ['GB', 'DE'],
};
const COLLEAGUES = 8;

export interface PopulationOptions {
  readonly people: number;
  readonly seed: number;
  /** ms since the epoch: birthdays are reckoned from it. */
  readonly start: number;
}

/** Makes the people of a simulation, each from the seed and their index alone, so that they need not all be made at once. */
export class Population {
  readonly #o: PopulationOptions;
  readonly #fakers = new Map<string, Faker>();
  readonly #range: number;

  constructor(options: PopulationOptions) {
    this.#o = options;
    // Five digits as long as they last.
    this.#range = 90_000 * Math.ceil(options.people / 90_000);
  }

  /** Cheap, because consent needs it before anything else is known of the person. */
  employeeNumber(index: number): string {
    const shift = Math.floor(evenly(0, 7, this.#o.seed) * this.#range);
    // 7919 is a prime that does not divide 90,000, so no two people share a number.
    return String(10_000 + ((index * 7919 + shift) % this.#range));
  }

  subject(index: number): string {
    return `emp-${this.employeeNumber(index)}@corp.example`;
  }

  person(index: number): Person {
    const random = new Random(this.#o.seed, index, 'person');
    const setting = this.#setting(index);
    const identity = this.#identity(index);
    const faker = this.#faker(setting.locale);
    faker.seed(random.uint32());
    const street = faker.location.streetAddress();
    const city = faker.location.city();
    const postcode = faker.location.zipCode();
    const list = (make: () => string, length: number): readonly string[] => Array.from({ length }, make);
    const { layout } = setting;
    return {
      ...identity,
      index,
      subject: this.subject(index),
      device: `${setting.os === 'mac' ? 'MAC' : 'LAPTOP'}-${random.text('23456789ABCDEFGHJKLMNPQRSTUVWXYZ', 5)}`,
      employeeNumber: this.employeeNumber(index),
      street,
      city,
      postcode,
      address: `${street}, ${postcode} ${city}`,
      iban: grouped(faker.finance.iban({ countryCode: random.pick(IBAN_COUNTRIES[setting.language]) }), random, ' '),
      card: cardNumber(faker, random),
      cardExpiry: `${String(random.whole(1, 12)).padStart(2, '0')}/${random.whole(27, 32)}`,
      cardCode: random.text('0123456789', 3),
      birthday: faker.date
        .birthdate({ mode: 'age', min: 20, max: 64, refDate: this.#o.start })
        .toISOString()
        .slice(0, 10),
      password: password(faker, random),
      language: setting.language,
      os: setting.os,
      keyboard: keyboardOf({
        layout,
        altCodes: setting.altCodes === true,
        altGrIsCtrlAlt: setting.altGrIsCtrlAlt === true,
      }),
      rhythm: makeRhythm(random),
      hand: makeHand(random),
      clients: list(() => faker.company.name(), 6),
      products: list(() => faker.commerce.productName(), 6),
      projects: list(() => `${capital(faker.word.adjective())} ${capital(faker.animal.type())}`, 3),
      cities: list(() => faker.location.city(), 4),
      colleagues: this.#colleagues(index, random),
    };
  }

  #setting(index: number): Setting {
    const place = Math.floor(evenly(index, 0, this.#o.seed) * SETTINGS.length);
    return SETTINGS[place] ?? { os: 'windows', layout: 'us', language: 'en', locale: 'en' };
  }

  #identity(index: number): Identity {
    const faker = this.#faker(this.#setting(index).locale);
    faker.seed(new Random(this.#o.seed, index, 'identity').uint32());
    const firstName = faker.person.firstName();
    const lastName = faker.person.lastName();
    const phone = faker.phone.number({ style: 'international' });
    // The number keeps two people of one name apart, as companies do.
    const local = `${slug(firstName, faker)}.${slug(lastName, faker)}`;
    const email = `${local}${index % 3 === 0 ? '' : this.employeeNumber(index).slice(-2)}@corp.example`;
    const name = this.#setting(index).language === 'ja' ? `${lastName} ${firstName}` : `${firstName} ${lastName}`;
    return { firstName, lastName, name, email, phone };
  }

  #colleagues(index: number, random: Random): Identity[] {
    const { people } = this.#o;
    const others = new Set<number>();
    for (let i = 1; i <= Math.min(3, people - 1); i += 1) others.add((index + i) % people);
    for (let i = 0; i < COLLEAGUES && others.size < Math.min(COLLEAGUES, people - 1); i += 1) {
      const other = random.whole(0, people - 1);
      if (other !== index) others.add(other);
    }
    // Someone who is alone in the simulation still writes to somebody.
    if (others.size === 0) others.add(index + 1);
    return Array.from(others, (other) => this.#identity(other));
  }

  /** One a locale, seeded anew for every person: faker's own shared instance is left alone. */
  #faker(locale: string): Faker {
    let faker = this.#fakers.get(locale);
    if (faker === undefined) {
      faker = new Faker({ locale: [...(LOCALES[locale] ?? [en, base])] });
      this.#fakers.set(locale, faker);
    }
    return faker;
  }
}

function cardNumber(faker: Faker, random: Random): string {
  const digits = faker.finance.creditCardNumber({ issuer: random.pick(['visa', 'mastercard']) }).replaceAll(/\D/gu, '');
  return grouped(digits, random, random.pick([' ', '-']));
}

/** In groups of four, as it is printed, or in one piece. */
function grouped(text: string, random: Random, separator: string): string {
  return random.chance(0.6) ? (text.match(/.{1,4}/gu) ?? []).join(separator) : text;
}

function password(faker: Faker, random: Random): string {
  const signs = () => random.text('!#$%&*+-=?@[]{}', 1);
  if (random.chance(0.4)) return random.text('abcdefghjkmnpqrstuvwxyzABCDEFGHJKMNPQRSTUVWXYZ23456789!#$%*-_=?@', 14);
  return `${capital(faker.word.noun())}${signs()}${capital(faker.word.noun())}${random.whole(10, 9999)}${signs()}`;
}

/** A name as the left side of an e-mail address has it; names in other scripts get a stand-in. */
function slug(name: string, faker: Faker): string {
  const plain = name
    .replaceAll(/[đĐ]/gu, 'd')
    .replaceAll(/[łŁ]/gu, 'l')
    .replaceAll('ß', 'ss')
    .normalize('NFD')
    .toLowerCase()
    .replaceAll(/[^a-z]+/gu, '');
  return plain === '' ? faker.helpers.fromRegExp('[kstnhm][aiueo][kstnrm][aiueo][ktsr][aiou]') : plain;
}

function capital(word: string): string {
  return word.charAt(0).toUpperCase() + word.slice(1);
}
