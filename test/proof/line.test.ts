import { fileURLToPath } from 'node:url';
import { expect, it } from 'vitest';
import { createLine, LINE_START, LineError, type Recording } from '../../src/proof/line.ts';
import { loadPolicyUnderTest } from '../../src/proof/policies.ts';
import { tableBag, topicBag, vectorsOf } from '../../src/proof/models/released-features.ts';
import { PolicyError } from '../../src/privacy/policy.ts';

const file = (name: string): string => fileURLToPath(new URL(`../../policies/${name}.yaml`, import.meta.url));

const recording = (text: string, wait = 100): Recording => ({
  subject: 'somebody',
  lines: [
    {
      at: 0,
      kind: 'focus',
      context: { app: 'winword.exe', title: 'Inbox - Word' },
      element: { role: 'textbox', name: 'Search' },
    },
    ...Array.from(text).map((key, i) => ({ at: 100 + i * wait, kind: 'key_down', key })),
    { at: 30_000, kind: 'key_down', key: 'Enter' },
    {
      at: 31_000,
      kind: 'pointer_down',
      x: 5,
      y: 5,
      button: 'left',
      element: { role: 'button', name: 'Save', bounds: [0, 0, 9, 9] },
    },
    { at: 31_100, kind: 'pointer_up', x: 5, y: 5, button: 'left' },
  ],
});

it('recordings go through importer, codec, keys, consent and processors, under each policy', async () => {
  const names = ['strict', 'balanced', 'strict+pause=coarse'];
  const policies = await Promise.all(names.map((name) => loadPolicyUnderTest(name, file)));
  const line = await createLine(policies);
  const [strict, balanced, paused] = line.record(recording('hello world'));
  expect(strict?.actions.map(({ action, length, key }) => [action, length ?? key])).toEqual([
    ['focus', null],
    ['type', '<16'],
    ['press', 'Enter'],
    ['click', null],
  ]);
  expect(strict?.actions.map(({ cell, pause }) => cell ?? pause)).toEqual([null, null, null, null]);
  expect(balanced?.actions[3]?.cell).toBe('center');
  expect(paused?.actions.map(({ pause }) => pause)).toEqual([null, '<1s', '<30s', '<5s']);
  // Pseudonyms are keyed: of the session everywhere, of the person where the policy says so.
  expect(strict?.batches.every(({ session, subject }) => /^[0-9a-f]{32}$/u.test(session) && subject === null)).toBe(
    true,
  );
  expect(balanced?.batches.every(({ subject }) => subject !== null)).toBe(true);
  expect(policies.map(({ policy }) => policy.digest)).toHaveLength(
    new Set(policies.map(({ policy }) => policy.digest)).size,
  );
});

it('what the line does not take ends the run: nothing released is not nothing found', async () => {
  const line = await createLine([await loadPolicyUnderTest('strict', file)]);
  const payload = {
    subject: 'somebody',
    device: 'd',
    contexts: [],
    elements: [],
    events: [{ kind: 'focus', at: LINE_START, context: -1, element: -1 } as const],
  };
  const envelope = { session: 's', sequence: 0, grantedAt: LINE_START, receivedAt: LINE_START };
  const captured = { key: line.subjectKey('somebody else'), envelope, payload };
  expect(() => line.capture([captured])).toThrow(LineError);
  expect(() => line.capture([captured])).toThrow('subject_mismatch');
  const later = Date.UTC(2026, 3, 2);
  const nextMonth = { ...envelope, session: 't', grantedAt: later, receivedAt: later };
  const end = { kind: 'session_end', at: later, context: -1, element: -1 } as const;
  const ended = { ...payload, events: [...payload.events, end] };
  expect(() => line.capture([{ key: line.subjectKey('somebody'), envelope: nextMonth, payload: ended }])).toThrow(
    'key_missing',
  );
});

it('what lies between released batches is told as the offsets tell it', async () => {
  const line = await createLine([await loadPolicyUnderTest('strict', file)]);
  const [quick] = line.record(recording('abcdef', 100));
  const [slow] = line.record(recording('abcdef', 4_800));
  expect(quick?.actions).toEqual(slow?.actions);
  const sum = (gaps: readonly number[] = []): number => gaps.reduce((total, gap) => total + gap, 0);
  expect(sum(slow?.gaps)).toBeGreaterThan(sum(quick?.gaps));
});

it('two recordings of the same have the same features, whatever their pseudonyms', async () => {
  const line = await createLine([await loadPolicyUnderTest('balanced', file)]);
  const [one] = line.record(recording('hello'));
  const [other] = line.record(recording('abcde'));
  const [longer] = line.record(recording('hello hello hello hello'));
  if (one === undefined || other === undefined || longer === undefined) throw new Error('nothing was released');
  expect(one.batches[0]?.session).not.toBe(other.batches[0]?.session);
  for (const bag of [tableBag, topicBag]) {
    expect(bag(one)).toEqual(bag(other));
    expect(bag(one)).not.toEqual(bag(longer));
  }
  const [a, b] = vectorsOf([tableBag(one), tableBag(other), tableBag(longer)]);
  expect(a).toEqual(b);
});

it('an option is one of the policy’s columns, with a value that it knows', async () => {
  const changed = await loadPolicyUnderTest('strict+cell=3x3+subject=pseudonym', file);
  expect(changed.name).toBe('strict + cell=3x3 + subject=pseudonym');
  expect(changed.policy.columns).toMatchObject({ cell: '3x3', subject: 'pseudonym', pause: 'none' });
  for (const wrong of ['strict+colour=red', 'strict+cell', 'strict+cell=4x4']) {
    await expect(loadPolicyUnderTest(wrong, file)).rejects.toThrow(PolicyError);
  }
});
