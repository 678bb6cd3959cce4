import { Random } from '../../producers/simulator/random.ts';
import type { Attack, Form } from '../attack.ts';
import { createLine, type Line, type Recording, type RecordingLine, type Released } from '../line.ts';
import type { Measure } from '../measure.ts';
import { wilson } from '../statistics/intervals.ts';

/** Shortest piece of a canary that counts as found. */
export const PIECE = 6;
const LENGTH = 14;
const SESSIONS = 20;

/**
 * Strings that stand nowhere else are put into every place that can hold a text, and looked for in every byte that is
 * released: whole, in pieces of at least six characters, in upper and lower case, encoded for URLs, in base64 and hex (after
 * Carlini, Liu, Erlingsson, Kos and Song, "The secret sharer", 2019, who plant canaries in training data).
 */
export const canaries: Attack = {
  name: 'canaries',
  asks: 'Does any text that was planted come out?',
  source: 'Carlini et al. 2019',
  targets: [{ measure: 'found', says: 'no canary found', isMet: ({ value }) => value === 0 }],
  headline: 'found',
  floor: 0.95,
  async run(context) {
    await context.tell('canaries: through the line');
    const canary = canaryMaker(new Random(context.seed, 'canaries'));
    const planted: string[] = [];
    const line = await createLine(context.policies);
    const released = context.policies.map((): string[] => []);
    const raw: string[] = [];
    for (let n = 0; n < (context.quick ? 4 : SESSIONS); n += 1) {
      const { recording, texts } = plantedRecording(canary);
      planted.push(...texts);
      raw.push(JSON.stringify(recording), pressedKeys(recording));
      for (const [i, one] of line.record(recording).entries()) released[i]?.push(...textsOf(one, line.codec));
    }
    const others = planted.map(canary);
    return {
      raw: [found('raw', planted, raw)],
      // Canaries that were never planted: whoever finds these finds what is there by chance.
      control: found('never planted', others, [...raw, ...released.flat()]),
      released: context.policies.map(({ name }, i) => ({
        policy: name,
        forms: [found('all released bytes', planted, released[i] ?? [])],
      })),
    };
  },
};

/** What lies on the sanitised topic and in the table, as text: every byte, and every value. Pseudonyms are hex by nature. */
function textsOf(released: Released, codec: Line['codec']): string[] {
  return released.batches.flatMap((batch) => [
    Buffer.from(codec.encodeReleased(batch)).toString('latin1').replaceAll(batch.session, ''),
    JSON.stringify(batch).replaceAll(batch.session, ''),
  ]);
}

/** Keys that were pressed one after another, in one piece; others stand apart. */
const pressedKeys = ({ lines }: Recording): string =>
  lines
    .map(({ kind, key }) => (kind === 'key_down' && typeof key === 'string' ? key : ''))
    .map((key) => (key.length > 1 ? ` ${key} ` : key))
    .join('');

function found(name: string, planted: readonly string[], haystacks: readonly string[]): Form {
  const hits = search(planted, haystacks).size;
  const { value, range } = wilson(hits, planted.length);
  const measure: Measure = { name: 'found', value, range, chance: 0, chanceRange: [0, 0], by: 'search' };
  return { name, measures: [measure] };
}

/** The canaries of which any form stands in any of the texts. Each text is gone through once, however many there are. */
export function search(planted: readonly string[], haystacks: readonly string[]): Set<string> {
  const byBeginning = new Map<string, { readonly form: string; readonly of: string }[]>();
  for (const of of planted) {
    for (const form of formsOf(of)) {
      const beginning = form.slice(0, PIECE);
      const others = byBeginning.get(beginning);
      if (others === undefined) byBeginning.set(beginning, [{ form, of }]);
      else others.push({ form, of });
    }
  }
  const found = new Set<string>();
  for (const haystack of haystacks) {
    const text = haystack.toLowerCase();
    for (let at = 0; at + PIECE <= text.length; at += 1) {
      for (const { form, of } of byBeginning.get(text.slice(at, at + PIECE)) ?? []) {
        if (text.startsWith(form, at)) found.add(of);
      }
    }
  }
  return found;
}

/** The forms, in lower case, in which a text could come out; if a longer piece is there, so are its shorter ones. */
export function formsOf(text: string): string[] {
  const forms = new Set<string>();
  for (let at = 0; at + PIECE <= text.length; at += 1) forms.add(text.slice(at, at + PIECE).toLowerCase());
  for (const spelling of new Set([text, text.toLowerCase(), text.toUpperCase()])) {
    const bytes = Buffer.from(spelling);
    forms.add(encodeURIComponent(spelling).toLowerCase());
    forms.add([...bytes].map((byte) => `%${byte.toString(16).padStart(2, '0')}`).join(''));
    forms.add(bytes.toString('hex'));
    for (const lead of [0, 1, 2]) {
      // Inside a longer text it may start at any of three places of base64; what its neighbours share is cut off.
      const encoded = Buffer.concat([Buffer.alloc(lead), bytes])
        .toString('base64')
        .replace(/=+$/u, '');
      forms.add(encoded.slice(lead === 0 ? 0 : lead + 1, -1).toLowerCase());
    }
  }
  return [...forms];
}

/** Makes canaries that share no piece with one another: what is found of one is not another's by chance. */
export function canaryMaker(random: Random): () => string {
  const pieces = new Set<string>();
  return () => {
    for (;;) {
      // Letters of which no word of a user interface has so many in a row.
      const text = random.text('bcdfghjklmnpqrstvwxzBCDFGHJKLMNPQRSTVWXZ', LENGTH);
      const own = Array.from({ length: LENGTH - PIECE + 1 }, (_, at) => text.slice(at, at + PIECE).toLowerCase());
      if (own.some((piece) => pieces.has(piece))) continue;
      for (const piece of own) pieces.add(piece);
      return text;
    }
  };
}

/** A recording with a canary in every place that can hold a text, ids among them, next to texts that are kept. */
export function plantedRecording(canary: () => string): { recording: Recording; texts: string[] } {
  const texts: string[] = [];
  const plant = (): string => {
    const text = canary();
    texts.push(text);
    return text;
  };
  const contexts = [
    { app: 'Microsoft Word', title: `Inbox - ${plant()} - ${plant()}.docx - Microsoft Word` },
    { app: plant(), title: plant() },
    {
      app: 'Google Chrome',
      title: `${plant()} - Google Chrome`,
      url: `https://mail.google.com/${plant()}?q=${plant()}#${plant()}`,
    },
    { app: 'Google Chrome', title: 'Inbox', url: `https://${plant()}.example.com/settings/${plant()}` },
    { app: 'Google Chrome', title: 'Inbox', url: `https://${plant()}:${plant()}@docs.google.com/${plant()}` },
    { app: 'Google Chrome', title: 'Inbox', url: `mailto:${plant()}@${plant()}.example` },
    { app: 'Google Chrome', title: plant(), url: 'https://mail.google.com/', private: true },
  ];
  const elements = [
    { role: 'button', name: `Save | ${plant()}`, value: plant() },
    { role: 'textbox', name: plant(), value: plant() },
    { role: 'textbox', name: plant(), value: plant(), secure: true },
    { role: plant(), name: 'Save', value: plant() },
  ];
  const [subject, session, device] = [plant(), plant(), plant()];
  const lines: RecordingLine[] = [];
  let at = 0;
  const add = (kind: string, fields: Readonly<Record<string, unknown>> = {}): void => {
    lines.push({ at: (at += 40), kind, ...fields });
  };
  const press = (key: string): void => {
    add('key_down', { key });
    add('key_up', { key });
  };
  for (const context of contexts) {
    for (const element of elements) {
      add('focus', { context, element });
      add('navigate');
      add('pointer_down', { x: 5, y: 5, button: 'left' });
      add('pointer_up', { x: 5, y: 5, button: 'left' });
      add('wheel', { dy: 3 });
      for (const key of plant()) press(key);
      press(plant());
      press('Enter');
      const typed = plant();
      for (const key of typed) press(key);
      press('Tab');
      // It comes back as the window's title, as a search does.
      add('focus', { context: { ...context, title: `${typed} - Search` } });
      add('composition', { text: plant() });
      add('clipboard', { op: 'copy', text: plant() });
      add('clipboard', { op: 'paste', text: plant() });
      add('value_change', { value: plant() });
    }
  }
  add('key_down', { key: 'a', code: plant() });
  return { recording: { subject, ids: { session, device }, lines }, texts };
}
