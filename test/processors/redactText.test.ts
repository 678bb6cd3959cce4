import { describe, expect, it } from 'vitest';
import { createEchoMemory } from '../../src/privacy/echoes.ts';
import type { Policy } from '../../src/privacy/policy.ts';
import { createTypedLetters } from '../../src/privacy/typed-letters.ts';
import { preparePolicy } from '../../src/processors/pipeline.ts';
import { redactText } from '../../src/processors/redactText.ts';
import type { RawAction, TextAction } from '../../src/processors/stages.ts';
import { policyWith, VOCABULARY } from '../helpers/line.ts';
import { context, element, opened, START } from '../helpers/recording.ts';

const CONTEXT = context({
  app: 'winword',
  title: 'report ann.docx - Home',
  url: 'https://ann@docs.example.com:8080/edit/17?q=ann#ann',
});
const ACTION: RawAction = {
  action: 'click',
  at: START,
  context: CONTEXT,
  element: element({ role: 'button', name: 'Save as…', value: 'ann' }),
  key: null,
  button: 'left',
  direction: null,
  x: 1,
  y: 2,
  length: null,
  times: 1,
  events: 2,
  echoes: 100,
};

interface Given {
  readonly typed?: string;
  readonly complete?: boolean;
  readonly columns?: Partial<Policy['columns']>;
  readonly text?: Partial<Policy['text']>;
  /** How many fingerprints the memory has room for. */
  readonly room?: number;
}

function texts(
  action: Partial<RawAction> = {},
  { typed = '', complete = true, columns = {}, text = {}, room = 1_000 }: Given = {},
): TextAction {
  const policy = policyWith({ columns, text });
  const { publicText, freeTexts, echoKey } = preparePolicy(policy, VOCABULARY);
  const echoes = createEchoMemory(VOCABULARY, createTypedLetters(echoKey, room));
  echoes.remember(typed);
  const processor = redactText({
    policy: policy.columns,
    publicText,
    freeTexts,
    vocabulary: VOCABULARY,
    echoes,
    isComplete: () => complete,
  });
  const outcome = processor({ ...opened([]), actions: [{ ...ACTION, ...action }] });
  const [first] = outcome.kind === 'keep' ? outcome.batch.actions : [];
  if (first === undefined) throw new Error('redactText keeps every action');
  return first;
}

describe('texts', () => {
  it('are kept in the vocabulary’s spelling, or replaced by what they are', () => {
    expect(texts()).toMatchObject({
      app: 'Word',
      window: '{file} - Home',
      url: 'https://docs.example.com/edit/{n}',
      target_role: 'button',
      target: 'Save as',
    });
  });

  it('leave nothing else behind', () => {
    expect(JSON.stringify(texts())).not.toMatch(/ann/iu);
    expect(Object.keys(texts())).not.toContain('context');
    expect(Object.keys(texts())).not.toContain('element');
  });

  it('of unknown places are nothing', () => {
    expect(texts({ context: null, element: null })).toMatchObject({
      app: null,
      window: null,
      url: null,
      target_role: null,
      target: null,
      bounds: null,
    });
  });

  it('of roles that nobody knows are nothing', () => {
    expect(texts({ element: element({ role: 'ann' }) }).target_role).toBeNull();
  });

  it.each(['app', 'window', 'url', 'target', 'target_role'] as const)(
    'of the column %s are nothing where the policy says so',
    (column) => {
      const before = texts();
      expect(texts({}, { columns: { [column]: 'none' } })).toEqual({ ...before, [column]: null });
    },
  );

  it('of a secure field are its role only', () => {
    const secure = element({ role: 'textbox', name: 'Save', secure: true });
    expect(texts({ element: secure })).toMatchObject({ target: null, target_role: 'textbox' });
  });

  it('are not kept when something of the session is missing', () => {
    expect(texts({}, { complete: false })).toMatchObject({
      app: null,
      window: null,
      url: null,
      target: null,
      target_role: 'button',
    });
  });
});

describe('echoes are cut', () => {
  it.each([
    ['home', { window: '{file} - {typed}' }],
    ['Please SAVE as soon as possible', { target: '{typed}' }],
    ['docs.example.com', { url: 'https://{typed}/edit/{n}' }],
    ['edit', { url: 'https://docs.example.com/{typed}/{n}' }],
    ['word', { app: '{typed}' }],
    ['homes', { window: '{file} - Home' }],
  ])('of %j', (typed, expected) => {
    expect(texts({}, { typed })).toMatchObject(expected);
  });

  it('but not of what was typed later', () => {
    expect(texts({ echoes: 0 }, { typed: 'home' })).toMatchObject({ window: '{file} - Home' });
  });
});

describe('where any text is kept', () => {
  const free = {
    columns: { app: 'recognizers', window: 'recognizers', target: 'recognizers' },
    text: { mode: 'recognizers' },
  } as const;
  const letter = {
    context: context({ app: 'winword', title: 'Letter 7 to ann@corp.example.docx - Falcon', url: CONTEXT.url }),
    element: element({ role: 'button', name: 'Send Falcon to queue…', value: 'ann' }),
  };

  it('texts are as they were, but for what is recognised and numbers; addresses as ever', () => {
    expect(texts(letter, free)).toMatchObject({
      app: 'winword',
      window: 'Letter {n} to {email} - Falcon',
      url: 'https://docs.example.com/edit/{n}',
      target: 'Send Falcon to queue…',
      target_role: 'button',
    });
  });

  it('each column is kept as it says itself', () => {
    const mixed = texts(letter, { ...free, columns: { ...free.columns, app: 'vocabulary', target: 'none' } });
    expect(mixed).toMatchObject({ app: 'Word', window: 'Letter {n} to {email} - Falcon', target: null });
  });

  it('echoes are cut from all of them', () => {
    const typed = 'the falcon for winword, edit';
    expect(texts(letter, { ...free, typed })).toMatchObject({
      app: '{typed}',
      window: 'Letter {n} to {email} - {typed}',
      url: 'https://docs.example.com/{typed}/{n}',
      target: 'Send {typed} to queue…',
    });
    expect(texts({ ...letter, echoes: 0 }, { ...free, typed })).toMatchObject({ target: 'Send Falcon to queue…' });
  });

  it('nothing is kept of a secure field, of unknown places, and when something of the session is missing', () => {
    const secure = element({ role: 'textbox', name: 'Falcon', secure: true });
    expect(texts({ ...letter, element: secure }, free).target).toBeNull();
    const nothing = { app: null, window: null, url: null, target: null };
    expect(texts({ context: null, element: null }, free)).toMatchObject(nothing);
    expect(texts(letter, { ...free, complete: false })).toMatchObject(nothing);
  });

  it('no free text is kept once more was typed than is remembered; reviewed ones and addresses are', () => {
    const full = {
      ...free,
      columns: { ...free.columns, app: 'vocabulary' as const },
      typed: 'falcons and eagles',
      room: 10,
    };
    expect(texts(letter, full)).toMatchObject({
      app: 'Word',
      window: null,
      url: 'https://docs.example.com/edit/{n}',
      target: null,
    });
    expect(texts({ ...letter, echoes: 0 }, full).target).toBe('Send Falcon to queue…');
  });
});
