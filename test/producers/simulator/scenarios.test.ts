import { isValidIBAN } from 'ibantools';
import validator from 'validator';
import { describe, expect, it } from 'vitest';
import type { RawEvent } from '../../../src/events/raw.ts';
import { NO_FAULTS, PLANTED_KINDS, PLANTED_PLACES } from '../../../src/producers/simulator/index.ts';
import type { PlantedString } from '../../../src/producers/simulator/index.ts';
import { collect, keyDowns, typedTexts } from './collect.ts';
import type { Simulation } from './collect.ts';

const simulation = collect({ people: 36, minutes: 60, seed: 9, faults: 'none', consent: 'all_enrolled' });
const { batches, planted } = simulation;
const contexts = batches.flatMap((batch) => batch.contexts);
const elements = batches.flatMap((batch) => batch.elements);
const events = batches.flatMap((batch) => batch.events);
const keys = keyDowns(events);

describe('every activity occurs', () => {
  const apps = new Set(contexts.map((context) => context.app));
  const hosts = new Set(contexts.filter((context) => context.url !== '').map((context) => new URL(context.url).host));

  it.each([
    ['mail', 'Outlook'],
    ['chat', 'Slack'],
    ['spreadsheet', 'Microsoft Excel'],
    ['document', 'Microsoft Word'],
    ['code', 'Visual Studio Code'],
    ['terminal', 'Windows Terminal'],
    ['tickets', 'SAP Logon'],
    ['password manager', '1Password'],
  ])('%s in %s', (_activity, app) => {
    expect(apps).toContain(app);
  });

  it.each([
    ['mail', 'mail.google.com'],
    ['search', 'www.google.com'],
    ['forms', 'secure.booking.com'],
    ['tickets', 'corp.atlassian.net'],
    ['health', 'mychart.org|www.doctolib.de|www.nhs.uk'],
    ['bank', 'secure.chase.com|www.paypal.com'],
    ['union', 'www.verdi.de|www.unison.org.uk'],
    ['own personnel file', 'wd5.myworkday.com|performancemanager5.successfactors.eu'],
  ])('%s on %s', (_activity, either) => {
    expect(either.split('|').some((host) => hosts.has(host))).toBe(true);
  });

  it('private windows too', () => {
    expect(contexts.some((context) => context.private)).toBe(true);
  });
});

describe('every way to enter text occurs', () => {
  const held = (names: readonly string[]) => {
    const down = new Set<string>();
    return events.some((event: RawEvent) => {
      if (event.kind === 'key_up') down.delete(event.key);
      if (event.kind !== 'key_down') return false;
      if (event.key.length === 1 && !/[a-z\d]/iu.test(event.key) && names.every((name) => down.has(name))) return true;
      down.add(event.key);
      return false;
    });
  };

  it('AltGr, Ctrl+Alt and Option', () => {
    expect(held(['Control', 'AltGraph'])).toBe(true);
    expect(held(['Control', 'Alt'])).toBe(true);
    expect(held(['Alt'])).toBe(true);
  });

  it('dead keys', () => {
    const after = keys.filter((_, i) => keys[i - 1]?.key === 'Dead').map((event) => event.key);
    expect(after.some((key) => 'éèêáíóúôâëïü'.includes(key))).toBe(true);
  });

  it('input methods', () => {
    expect(keys.some((event) => event.key === 'Process')).toBe(true);
    expect(events.some((event) => event.kind === 'composition' && /\p{Script=Han}/u.test(event.text))).toBe(true);
  });

  it('Alt and a number on the keypad', () => {
    expect(keys.some((event, i) => event.code === 'Numpad0' && keys[i - 1]?.key === 'Alt')).toBe(true);
  });

  it('secure fields', () => {
    const secure = batches.some((batch) =>
      batch.events.some((event) => event.kind === 'key_down' && batch.elements[event.element]?.secure === true),
    );
    expect(secure).toBe(true);
  });

  it.each(['Backspace', 'Delete', 'ArrowLeft', 'ArrowUp', 'Home', 'End', 'Enter', 'Tab', 'Escape', 'PageDown'])(
    'the key %s',
    (key) => {
      expect(keys.some((event) => event.key === key)).toBe(true);
    },
  );

  it.each([
    ['Control', 's'],
    ['Control', 'c'],
    ['Control', 'v'],
    ['Control', 'z'],
    ['Control', 'Tab'],
    ['Alt', 'Tab'],
    ['Meta', 'v'],
    ['Meta', 'Tab'],
    ['Meta', 'L'.toLowerCase()],
  ])('the shortcut %s+%s', (modifier, key) => {
    expect(keys.some((event, i) => event.key === key && keys[i - 1]?.key === modifier)).toBe(true);
  });
});

describe('every gesture occurs', () => {
  const presses = batches.flatMap((batch) =>
    batch.events.flatMap((event, i) => {
      if (event.kind !== 'pointer_down') return [];
      const up = batch.events.slice(i + 1).find((later) => later.kind === 'pointer_up');
      if (up?.kind !== 'pointer_up') return [];
      return [
        {
          session: batch.session,
          button: event.button,
          at: event.at,
          ms: up.at - event.at,
          px: Math.hypot(up.x - event.x, up.y - event.y),
        },
      ];
    }),
  );

  it('clicks of three buttons', () => {
    const clicks = presses.filter((press) => press.ms < 500 && press.px < 4);
    expect(new Set(clicks.map((click) => click.button))).toEqual(new Set(['left', 'right', 'middle']));
  });

  it('double clicks', () => {
    expect(
      presses.some(
        (press, i) => press.session === presses[i - 1]?.session && press.at - (presses[i - 1]?.at ?? 0) < 400,
      ),
    ).toBe(true);
  });

  it('long presses, drags and scrolls', () => {
    expect(presses.some((press) => press.ms > 1000 && press.px < 4)).toBe(true);
    expect(presses.some((press) => press.px > 60)).toBe(true);
    expect(new Set(events.filter((event) => event.kind === 'wheel').map((event) => event.dy))).toEqual(
      new Set([-1, 1]),
    );
  });

  it('copy, cut and paste', () => {
    const ops = new Set(events.filter((event) => event.kind === 'clipboard').map((event) => event.op));
    expect(ops).toEqual(new Set(['copy', 'cut', 'paste']));
  });
});

describe('the labels of software', () => {
  it.each(['Save', 'Send', 'Reply', 'Bold', 'New mail', 'File', 'Insert', 'Submit', 'Continue', 'Search'])(
    '%s',
    (label) => {
      expect(elements.some((element) => element.name === label)).toBe(true);
    },
  );
});

describe('the truth', () => {
  it('has every kind of string in every kind of place', () => {
    expect(new Set(planted.map((one) => one.kind))).toEqual(new Set(PLANTED_KINDS));
    expect(new Set(planted.map((one) => one.where))).toEqual(new Set(PLANTED_PLACES));
  });

  it('is true: every string stands where it says', () => {
    expect(untrue(simulation)).toEqual([]);
    expect(planted.length).toBeGreaterThan(10_000);
  });

  it('stays true when sessions end and begin in the middle of a word', () => {
    const faults = { ...NO_FAULTS, recordsWhilePaused: 1 };
    const restless = collect({ people: 60, minutes: 60, seed: 4, consent: { pauses: 1 }, faults });
    expect(untrue(restless)).toEqual([]);
  });

  it('names what comes back: a query in the title and the URL, a subject in the title', () => {
    const queries = planted.filter((one) => one.kind === 'query');
    const typed = new Set(queries.filter((one) => one.where === 'typed').map((one) => one.text));
    const shown = new Set(queries.filter((one) => one.where === 'title').map((one) => one.text));
    const asked = queries
      .filter((one) => one.where === 'url')
      .map((one) => decodeURIComponent(one.text.replaceAll('+', ' ')));
    expect(typed.size).toBeGreaterThan(10);
    expect([...shown].filter((text) => typed.has(text)).length).toBeGreaterThan(typed.size * 0.9);
    expect(new Set(asked)).toEqual(shown);
    const messages = planted.filter((one) => one.kind === 'message');
    const written = new Set(messages.filter((one) => one.where === 'typed').map((one) => one.text));
    expect(messages.some((one) => one.where === 'title' && written.has(one.text))).toBe(true);
  });

  const ofKind = (kind: PlantedString['kind']) => [
    ...new Set(planted.filter((one) => one.kind === kind).map((one) => one.text)),
  ];

  it('has numbers with valid check digits', () => {
    // Typing can be cut short by the end of a session; a field's value cannot.
    const whole = planted.filter((one) => one.where === 'value_change' || one.where === 'element_value');
    const numbers = (kind: string) => [...new Set(whole.filter((one) => one.kind === kind).map((one) => one.text))];
    const cards = numbers('card');
    const ibans = numbers('iban');
    expect(cards.length).toBeGreaterThan(5);
    expect(ibans.length).toBeGreaterThan(5);
    expect(cards.filter((card) => !validator.isLuhnNumber(card.replaceAll(/[ -]/gu, '')))).toEqual([]);
    expect(ibans.filter((iban) => !isValidIBAN(iban.replaceAll(' ', '')))).toEqual([]);
  });

  it('has subject and device ids that can be told from anything else', () => {
    for (const subject of ofKind('subject')) expect(subject).toMatch(/^emp-\d{5}@corp\.example$/u);
    for (const device of ofKind('device')) expect(device).toMatch(/^(?:LAPTOP|MAC)-[2-9A-Z]{5}$/u);
    expect(ofKind('subject')).toHaveLength(36);
  });

  it('has colleagues who are people of the simulation', () => {
    const own = new Set(planted.filter((one) => one.kind === 'email' && one.where === 'title').map((one) => one.text));
    const others = ofKind('email').filter((email) => own.has(email));
    expect(others.length).toBeGreaterThan(20);
  });
});

/** Planted strings that are not where the truth has them. */
function untrue({ batches, sessions, planted }: Simulation): PlantedString[] {
  const byPlace = new Map(batches.map((batch) => [`${batch.session}/${batch.sequence}`, batch]));
  const typed = new Map(Array.from(sessions, ([session, own]) => [session, typedTexts(own)]));
  return planted.filter((one) => {
    const batch = byPlace.get(`${one.session}/${one.sequence}`);
    if (batch?.subject !== one.subject) return true;
    const texts = one.where === 'typed' ? (typed.get(one.session) ?? []) : textsAt(batch, one.where);
    return !texts.some((text) => text.includes(one.text));
  });
}

function textsAt(batch: (typeof batches)[number], where: PlantedString['where']): string[] {
  switch (where) {
    case 'title':
      return batch.contexts.map((context) => context.title);
    case 'url':
      return batch.contexts.map((context) => context.url);
    case 'element_name':
      return batch.elements.map((element) => element.name);
    case 'element_value':
      return batch.elements.map((element) => element.value);
    case 'clipboard':
      return batch.events.flatMap((event) => (event.kind === 'clipboard' ? [event.text] : []));
    case 'value_change':
      return batch.events.flatMap((event) => (event.kind === 'value_change' ? [event.value] : []));
    case 'composition':
      return batch.events.flatMap((event) => (event.kind === 'composition' ? [event.text] : []));
    case 'device':
      return [batch.device];
    case 'subject':
      return [batch.subject];
    case 'typed':
      return [];
  }
}
