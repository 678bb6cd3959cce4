/** What office people write: sentences with gaps, filled from the writer's own life. */
import type { Identity, Language, Person } from './people.ts';
import type { Random } from './random.ts';
import type { PlantedKind } from './types.ts';

/** A piece of text that says something about somebody. */
export interface Detail {
  readonly text: string;
  readonly kind: PlantedKind;
}

export interface Phrase {
  readonly text: string;
  readonly details: readonly Detail[];
}

type Gap = (writer: Person, other: Identity, random: Random) => Detail | string;

const WEEKDAYS = ['Monday', 'Tuesday', 'Wednesday', 'Thursday', 'Friday'];

export function amount(random: Random): string {
  const whole = random.whole(1200, 98_000);
  const cents = String(random.whole(0, 99)).padStart(2, '0');
  return `${String(whole).replace(/(\d{3})$/u, ',$1')}.${cents}`;
}

const GAPS = {
  me: (writer) => ({ text: writer.name, kind: 'name' }),
  other: (_writer, other) => ({ text: other.name, kind: 'name' }),
  otherFirst: (_writer, other) => other.firstName,
  otherLast: (_writer, other) => other.lastName,
  myPhone: (writer) => ({ text: writer.phone, kind: 'phone' }),
  otherPhone: (_writer, other) => ({ text: other.phone, kind: 'phone' }),
  myEmail: (writer) => ({ text: writer.email, kind: 'email' }),
  otherEmail: (_writer, other) => ({ text: other.email, kind: 'email' }),
  address: (writer) => ({ text: writer.address, kind: 'address' }),
  iban: (writer) => ({ text: writer.iban, kind: 'iban' }),
  birthday: (writer) => ({ text: writer.birthday, kind: 'birthday' }),
  number: (writer) => ({ text: writer.employeeNumber, kind: 'employee_number' }),
  amount: (_writer, _other, random) => ({ text: amount(random), kind: 'amount' }),
  client: (writer, _other, random) => random.pick(writer.clients),
  product: (writer, _other, random) => random.pick(writer.products),
  project: (writer, _other, random) => random.pick(writer.projects),
  city: (writer, _other, random) => random.pick(writer.cities),
  day: (_writer, _other, random) => random.pick(WEEKDAYS),
  count: (_writer, _other, random) => String(random.whole(2, 480)),
} satisfies Record<string, Gap>;

type GapName = keyof typeof GAPS;
type Template = readonly (string | { readonly gap: GapName })[];

/** Fills one of the templates. */
export function phrase(templates: readonly Template[], writer: Person, random: Random, other?: Identity): Phrase {
  const whom = other ?? random.pick(writer.colleagues);
  const details: Detail[] = [];
  let text = '';
  for (const part of random.pick(templates)) {
    const filled = typeof part === 'string' ? part : GAPS[part.gap](writer, whom, random);
    if (typeof filled === 'string') text += filled;
    else {
      text += filled.text;
      details.push(filled);
    }
  }
  return { text, details };
}

const isGap = (name: string): name is GapName => Object.hasOwn(GAPS, name);

function templates(...lines: readonly string[]): readonly Template[] {
  return lines.map((line) =>
    line.split(/\{(\w+)\}/u).map((part, i) => {
      if (i % 2 === 0) return part;
      if (!isGap(part)) throw new RangeError(`no such gap in a phrase: ${part}`);
      return { gap: part };
    }),
  );
}

const ENGLISH = templates(
  'Could you look at the offer for {client} again before {day}?',
  'I spoke to {other} and she would like {count} pieces of the {product}.',
  'You can reach me on {myPhone} all afternoon – or at home.',
  'Please send the contract to {otherEmail}, not to the old address.',
  'The invoice over {amount} has still not been paid by {client}.',
  'My new address is {address}, please tell payroll.',
  'Between us: {other} earns {amount} a year, and I want the same.',
  'I have to leave early on {day}, my son has an appointment in {city}.',
  'Personnel number {number}, born {birthday}, in case the system asks.',
  'Let us call the thing "{project}" until the board has decided…',
  'Ask {other}, phone {otherPhone}, she knows the people at {client}.',
  'The café in {city} is booked for {count} people, 35 € each.',
  'I transferred it to {iban} this morning.',
  'Thanks a lot, that was quick!',
  'The numbers for {city} look wrong to me: {amount} cannot be right.',
  'Honestly I do not trust {otherFirst} {otherLast} with the {project} budget.',
  'We agreed on {amount} for {product}; {client} wants it by {day}.',
  'I was at the doctor yesterday, so the report about {client} is late.',
);
const GERMAN = templates(
  'Können Sie das Angebot für {client} bis {day} prüfen?',
  'Ich erreiche {other} nicht, die Nummer {otherPhone} ist falsch.',
  'Die Überweisung über {amount} € ging an {iban}.',
  'Bitte schicken Sie die Unterlagen an {otherEmail}.',
  'Meine neue Anschrift: {address}.',
  'Das Gespräch über das Gehalt von {other} bleibt bitte unter uns.',
);
const FRENCH = templates(
  'Pourriez-vous relire le contrat de {client} avant {day} ?',
  'Je suis joignable au {myPhone} cet après-midi, même à la maison.',
  'Le virement de {amount} € est parti vers {iban}.',
  "J'ai parlé à {other}, elle n'est pas d'accord avec le prix de {product}.",
  'Ma nouvelle adresse est {address}, où il fait bon être né.',
);
const CROATIAN = templates(
  'Možete li poslati ponudu za {client} do petka?',
  'Nova adresa je {address}, javite i {other}.',
  'Račun na {amount} € još nije plaćen, šaljem opomenu.',
  'Nazovi me na {myPhone}, hitno je zbog {client}.',
);
const POLISH = templates(
  'Proszę sprawdzić umowę z firmą {client} do piątku.',
  'Mój numer to {myPhone}, będę dostępny po południu.',
  'Wypłata {other} wynosi {amount} – proszę nikomu nie mówić.',
  'Przelew został wysłany na {iban}, więc księgowość już wie.',
);
const SPANISH = templates(
  '¿Puedes revisar el presupuesto de {client} mañana?',
  'El señor {other} llamará al {myPhone} después de la reunión.',
  'La transferencia de {amount} € salió hacia {iban}.',
  'Mi dirección nueva es {address}, avísale también a contabilidad.',
);
const JAPANESE = templates(
  'お世話になっております。{client}の見積書を{day}までに確認してください。',
  '{other}さんの電話番号は{otherPhone}です。',
  '会議の資料を{otherEmail}に送りました。',
  '請求書の金額は{amount}円です。よろしくお願いします。',
  '新しい住所は{address}です。',
);

/** Sentences of mails and chats; people of other languages also write English. */
export const SENTENCES: Readonly<Record<Language, readonly Template[]>> = {
  en: ENGLISH,
  de: [...GERMAN, ...GERMAN, ...ENGLISH],
  fr: [...FRENCH, ...FRENCH, ...ENGLISH],
  hr: [...CROATIAN, ...CROATIAN, ...ENGLISH],
  pl: [...POLISH, ...POLISH, ...ENGLISH],
  es: [...SPANISH, ...SPANISH, ...ENGLISH],
  ja: [...JAPANESE, ...JAPANESE, ...JAPANESE, ...ENGLISH],
};

export const SUBJECTS = templates(
  'Salary of {other}',
  'Offer {product} for {client}',
  'Contract {client} / {project}',
  'Meeting with {other} on {day}',
  'Invoice {count} {client}',
  '{project}: budget {amount}',
  'Sick leave {other}',
  'Move to {city}',
);

export const QUERIES = templates(
  'how to get to {client} in {city}',
  '{other} {city} linkedin',
  'cheap flights {city} {day}',
  'pregnancy test false positive {city} clinic',
  'employment lawyer {city} severance',
  '{client} annual report revenue',
  'burnout symptoms or flu {count} days',
  'best price {product}',
  'who is calling {otherPhone}',
);

export const FILE_NAMES = templates(
  'Quarterly figures {otherLast}',
  'Salaries {city} {count}',
  'Offer {client}',
  'Appraisal {other}',
  '{project} plan {otherLast}',
  'Customers {city} draft {count}',
);

export const CHAT = templates(
  'hi {otherFirst}, did you hear about {other}?',
  'lunch at {count} in {city}?',
  'pls call me on {myPhone}',
  'my boss wants {amount} for {client}, crazy',
  'the wifi password of {client} is on the whiteboard',
  'i am so tired of {project}',
  'can you send that to {otherEmail}',
  'ok, thanks!',
);

export const NOTES = templates(
  'Customer {other} called about {product}, call back on {otherPhone}.',
  'Complaint from {client}: {count} pieces of {product} broken, refund {amount}.',
  'Spoke to {other} ({otherEmail}), delivery to {address}.',
  'Escalated to {other}, waits for {client}.',
);

export const COMMENTS = templates(
  'TODO ask {other} why {client} needs this',
  'quick fix for {client}, remove after {day}',
  'see mail from {otherEmail}',
  'limit agreed with {other}: {count}',
);
