import { describe, expect, it } from 'vitest';
import { createEchoMemory } from '../../src/privacy/echoes.ts';
import type { Policy } from '../../src/privacy/policy.ts';
import { createPublicText } from '../../src/privacy/public-text.ts';
import { redactText } from '../../src/processors/redactText.ts';
import type { RawAction, TextAction } from '../../src/processors/stages.ts';
import { policyWith, VOCABULARY } from '../helpers/line.ts';
import { context, element, opened, START } from '../helpers/recording.ts';

const CONTEXT = context({
  app: 'winword',
  title: 'report for Ann.docx - Home',
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
}

function texts(action: Partial<RawAction> = {}, { typed = '', complete = true, columns = {} }: Given = {}): TextAction {
  const echoes = createEchoMemory(VOCABULARY);
  echoes.remember(typed);
  const processor = redactText({
    policy: policyWith({ columns }).columns,
    publicText: createPublicText(VOCABULARY),
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
