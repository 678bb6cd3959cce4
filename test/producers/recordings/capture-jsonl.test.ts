import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import * as fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { IMPORT_LIMITS, validateRecording } from '../../../src/producers/recordings/index.ts';
import { collect, failure, folderOf, groupBy, jsonl, kinds, NOW, options, placed } from './helpers.ts';

const MINUTE = 60_000;
const START = Date.UTC(2026, 0, 1, 9);

const line = (fields: object, at = START): object => ({ subject: 'ada', session: 's', at, kind: 'focus', ...fields });
const END = line({ kind: 'session_end' });

async function importing(content: string | Uint8Array, more = {}) {
  const folder = await folderOf({ 'recording.jsonl': content });
  return options(join(folder, 'recording.jsonl'), 'capture-jsonl', more);
}

async function placedOf(...lines: readonly object[]) {
  return placed(await collect(await importing(jsonl(...lines, END))));
}

describe('kinds and fields', () => {
  test('every kind comes out with its fields', async () => {
    const all: [object, object][] = [
      [{ kind: 'key_down', key: 'a', code: 'KeyA' }, {}],
      [{ kind: 'key_up', key: 'a' }, { code: '' }],
      [{ kind: 'pointer_move', x: 1, y: -2 }, {}],
      [{ kind: 'pointer_down', x: 1, y: 2, button: 'right' }, {}],
      [{ kind: 'pointer_up', x: 1, y: 2, button: 'other' }, {}],
      [{ kind: 'wheel', dx: 3, dy: -4 }, {}],
      [{ kind: 'focus' }, {}],
      [{ kind: 'navigate' }, {}],
      [{ kind: 'clipboard', op: 'cut', text: 'copied' }, {}],
      [{ kind: 'clipboard', op: 'paste' }, { text: '' }],
      [{ kind: 'value_change', value: '' }, {}],
      [{ kind: 'composition', text: '日本' }, {}],
    ];
    const events = await placedOf(...all.map(([given]) => line(given)));
    expect(events.map((e) => e.event)).toEqual(
      [...all, [{ kind: 'session_end' }, {}]].map(([given, more]) =>
        Object.assign({ at: START, context: -1, element: -1 }, given, more),
      ),
    );
  });

  test('numbers become whole: pixels and times rounded, scrolls away from zero', async () => {
    const events = await placedOf(
      line({ kind: 'pointer_move', x: 1.5, y: -0.2 }, START + 0.4),
      line({ kind: 'wheel', dy: -0.1 }),
      line({ kind: 'wheel', dx: 1.2, dy: 0 }),
    );
    expect(events.map((e) => e.event)).toMatchObject([
      { x: 2, y: 0, at: START },
      { dx: 0, dy: -1 },
      { dx: 2, dy: 0 },
      { kind: 'session_end' },
    ]);
  });

  test("a move's button is allowed and not kept", async () => {
    const [move] = await placedOf(line({ kind: 'pointer_move', x: 1, y: 2, button: 'left' }));
    expect(move?.event).not.toHaveProperty('button');
  });

  test('contexts and elements hold until they change, each session its own', async () => {
    const events = await placedOf(
      line({ context: { app: 'A', title: 'T', url: 'https://x.test/', private: true } }),
      line({ session: 'other' }),
      line({ element: { role: 'BUTTON', name: 'Go', value: 'v', secure: true, bounds: [1, 2, 3, 4.4] } }),
      line({ context: { app: 'B' } }),
      line({ element: null, context: null }),
      line({ session: 'other', element: { bounds: { x: 1, y: 2, width: 3, height: 4 } } }),
    );
    const A = { app: 'A', title: 'T', url: 'https://x.test/', private: true };
    const go = { role: 'button', name: 'Go', value: 'v', secure: true, bounds: { x: 1, y: 2, width: 3, height: 4 } };
    const first = events.filter((e) => e.session === events[0]?.session);
    expect(first.map((e) => [e.context, e.element])).toEqual([
      [A, null],
      [A, go],
      [{ app: 'B', title: '', url: '', private: false }, go],
      [null, null],
      [null, null],
    ]);
    const other = events.filter((e) => e.session !== events[0]?.session);
    expect(other.map((e) => [e.context, e.element?.bounds])).toEqual([
      [null, undefined],
      [null, { x: 1, y: 2, width: 3, height: 4 }],
      [null, { x: 1, y: 2, width: 3, height: 4 }],
    ]);
  });

  test('a subject that is given overrules the lines, which may lack it', async () => {
    const content = jsonl({ session: 's', at: START, kind: 'focus' }, { ...line({}), subject: 'bob' });
    const batches = await collect(await importing(content, { subject: 'eve' }));
    expect(new Set(batches.map((b) => `${b.key}, ${b.payload.subject}`))).toEqual(new Set(['key of eve, eve']));
  });

  test("the documentation's example is valid", async () => {
    const page = await readFile(new URL('../../../docs/capture-jsonl.md', import.meta.url), 'utf8');
    const example = /```json\n([^`]*)```/.exec(page)?.[1] ?? '';
    const batches = await collect(await importing(example));
    expect(kinds(batches)).toHaveLength(example.trim().split('\n').length);
    expect(batches.every((b) => b.key === 'key of ada')).toBe(true);
  });
});

describe('errors', () => {
  const bad: readonly [what: string, line: unknown, message: RegExp][] = [
    ['unknown kind', line({ kind: 'teleport' }), /:2: kind is unknown; it must be one of key_down/],
    ['kind with a slip', line({ kind: 'key_dwn' }), /:2: kind is unknown; did you mean key_down\?/],
    ['kind of the prototype', line({ kind: 'constructor' }), /:2: kind is unknown/],
    ['no kind', { subject: 'ada', session: 's', at: 1 }, /:2: kind is missing/],
    ['unknown field', line({ Frank: 1 }), /:2: focus has an unknown field; its fields are subject, session/],
    ['field with a slip', line({ elment: null }), /:2: focus has an unknown field; did you mean element\?/],
    ["another kind's field", line({ x: 1 }), /:2: focus has an unknown field/],
    ['unknown field of the context', line({ context: { tittle: '' } }), /:2: context has an unknown .* mean title\?/],
    ['unknown field of the element', line({ element: { id: 1 } }), /:2: element has an unknown field/],
    [
      'unknown field of the bounds',
      line({ element: { bounds: { left: 1 } } }),
      /:2: element\.bounds has an unknown field/,
    ],
    ['missing subject', { session: 's', at: 1, kind: 'focus' }, /:2: subject must be text; it is missing/],
    ['empty session', line({ session: '' }), /:2: session must not be empty/],
    ['time as text', line({ at: '1' }), /:2: at must be a number/],
    ['time before 1970', line({ at: -1 }), /:2: at must be a time between/],
    ['time in nanoseconds', line({ at: 1e18 }), /:2: at must be a time between/],
    ['missing x', line({ kind: 'pointer_move', y: 1 }), /:2: x must be a number; it is missing/],
    ['huge x', line({ kind: 'pointer_move', x: 1e10, y: 1 }), /:2: x must be within/],
    ['missing button', line({ kind: 'pointer_down', x: 1, y: 1 }), /:2: button must be one of left/],
    ['empty key', line({ kind: 'key_down', key: '' }), /:2: key must not be empty/],
    ['wrong op', line({ kind: 'clipboard', op: 'drop' }), /:2: op must be one of copy, cut, paste/],
    ['value of another type', line({ kind: 'value_change', value: 5 }), /:2: value must be text/],
    ['private as a number', line({ context: { private: 1 } }), /:2: context\.private must be true or false/],
    ['three bounds', line({ element: { bounds: [1, 2, 3] } }), /:2: element\.bounds must have four numbers/],
    ['negative width', line({ element: { bounds: [1, 2, -3, 4] } }), /:2: width and height/],
    ['a list', [1], /:2: is not a JSON object/],
    ['a number', 5, /:2: is not a JSON object/],
  ];

  test.each(bad)('%s', async (_, second, message) => {
    const { error, batches } = await failure(await importing(jsonl(line({}), second, END)));
    expect(error.message).toMatch(message);
    expect(error).toMatchObject({ file: 'recording.jsonl', line: 2 });
    expect(batches).toBe(0);
  });

  test('text that is no JSON: the line is named, its content is not shown', async () => {
    const { error } = await failure(await importing(`${jsonl(line({}))}\n{"subject":"Secretname`));
    expect(error.message).toBe('recording.jsonl:3: is not valid JSON; write one JSON object a line');
  });

  test('bytes that are no UTF-8', async () => {
    const content = Buffer.concat([Buffer.from(jsonl(line({}))), Buffer.from([0x22, 0xff, 0x22, 0x0a])]);
    expect((await failure(await importing(content))).error.message).toMatch(/:2: is not UTF-8/);
  });

  test('a __proto__ field is unknown like any other', async () => {
    const content = `{"__proto__":{"kind":"focus"},${JSON.stringify(line({})).slice(1)}`;
    expect((await failure(await importing(content))).error.message).toMatch(/:1: focus has an unknown field/);
  });

  test('lines and texts are bounded', async () => {
    const limits = { maxLineBytes: 300, maxTextBytes: 100, maxNameBytes: 10 };
    const problem = async (...lines: object[]) =>
      (await failure(await importing(jsonl(line({}), ...lines), { limits }))).error.message;
    const text = 'x'.repeat(101);
    expect(await problem(line({ kind: 'value_change', value: 'x'.repeat(400) }))).toMatch(
      /:2: is longer than 300 bytes/,
    );
    expect(await problem(line({ kind: 'value_change', value: text }))).toMatch(/:2: the event's text is longer/);
    expect(await problem(line({ context: { title: text } }))).toMatch(/:2: the context's texts are longer/);
    expect(await problem(line({ element: { name: text } }))).toMatch(/:2: the element's texts are longer/);
    expect(await problem(line({ subject: 'x'.repeat(11) }))).toMatch(/:2: the subject is longer/);
    expect(await problem(line({ session: 'x'.repeat(11) }))).toMatch(/:2: the session's name is longer/);
  });

  test('a line that never ends is refused before it fills the memory', async () => {
    const { error } = await failure(await importing('x'.repeat(IMPORT_LIMITS.maxLineBytes * 2)));
    expect(error.message).toMatch(/:1: is longer than/);
  });

  test('missing files and folders say so', async () => {
    const folder = await folderOf({});
    expect((await failure(options(join(folder, 'none.jsonl'), 'capture-jsonl'))).error.message).toBe(
      'none.jsonl: no such file; check the path',
    );
    expect((await failure(options(folder, 'capture-jsonl'))).error.message).toMatch(/is not a regular file/);
  });
});

describe('sessions', () => {
  test('batches are numbered, stamped by the trusted clock, and end with the marker', async () => {
    let time = NOW;
    const lines = Array.from({ length: 4 }, (_, i) => line({}, START + i * 6_000));
    const batches = await collect(await importing(jsonl(...lines), { now: () => (time += 10) }));
    expect(batches.map((b) => b.envelope)).toEqual(
      [0, 1, 2, 3].map((sequence) => ({
        session: batches[0]?.envelope.session,
        sequence,
        grantedAt: batches[0]?.envelope.receivedAt,
        receivedAt: (batches[0]?.envelope.receivedAt ?? 0) + sequence * 10,
      })),
    );
    expect(kinds(batches)).toEqual(['focus', 'focus', 'focus', 'focus', 'session_end']);
    expect(placed(batches).at(-1)?.event.at).toBe(START + 18_000);
  });

  test('a clock that goes back does not take the stamps with it', async () => {
    const times = [NOW, NOW - 5_000, NOW - 9_000];
    const lines = [0, 10_000, 20_000].map((at) => line({}, START + at));
    const batches = await collect(await importing(jsonl(...lines), { now: () => times.shift() ?? 0 }));
    for (const { envelope } of batches) expect(envelope.receivedAt).toBe(NOW);
  });

  test('a marker of the file is the last event, and not doubled', async () => {
    expect(kinds(await collect(await importing(jsonl(line({}), END))))).toEqual(['focus', 'session_end']);
  });

  test('ids are random by default and no two imports share one', async () => {
    const o = await importing(jsonl(line({})));
    const idOf = async () => {
      const { randomId: _, ...rest } = o;
      return (await collect(rest))[0]?.envelope.session ?? '';
    };
    const ids = [await idOf(), await idOf()];
    expect(ids[0]).toMatch(/^[0-9a-f]{32}$/);
    expect(ids[0]).not.toBe(ids[1]);
  });

  test('more than 30 minutes of device time are cut; exactly 30 are not', async () => {
    const at = (...minutes: number[]) => minutes.map((m) => line({}, START + m * MINUTE));
    const cut = async (...minutes: number[]) => {
      const events = placed(await collect(await importing(jsonl(...at(...minutes)))));
      const ids = [...new Set(events.map((e) => e.session))];
      return ids.map((id) => events.filter((e) => e.session === id).map((e) => e.event.kind.length));
    };
    expect(await cut(0, 15, 30)).toEqual([[5, 5, 5, 11]]);
    expect(await cut(0, 15, 30.001)).toEqual([
      [5, 5, 11],
      [5, 11],
    ]);
    // Time that jumps back cuts as well: the span counts, not the direction.
    expect(await cut(31, 0, 15)).toEqual([
      [5, 11],
      [5, 5, 11],
    ]);
  });

  test('what holds, holds over a cut', async () => {
    const context = { app: 'A', title: '', url: '', private: false };
    const events = await placedOf(line({ context }), line({}, START + 40 * MINUTE));
    expect(new Set(events.map((e) => e.session)).size).toBe(2);
    expect(events.map((e) => e.context)).toEqual(events.map(() => context));
  });

  test('a marker that comes too late ends the session where it was, and makes none of its own', async () => {
    const late = line({ kind: 'session_end' }, START + 99 * MINUTE);
    const events = placed(await collect(await importing(jsonl(line({}), late))));
    expect(events.map((e) => [e.event.kind, e.event.at])).toEqual([
      ['focus', START],
      ['session_end', START],
    ]);
  });

  test('sessions that are open for longer than a session may last are cut by the trusted clock too', async () => {
    let time = NOW;
    const lines = Array.from({ length: 6 }, (_, i) => line({}, START + i * 6_000));
    const batches = await collect(await importing(jsonl(...lines), { now: () => (time += 16 * MINUTE) }));
    for (const { envelope } of batches) {
      expect(envelope.receivedAt - envelope.grantedAt).toBeLessThan(65 * MINUTE);
    }
    expect(new Set(batches.map((b) => b.envelope.session)).size).toBe(2);
    expect(kinds(batches).filter((k) => k === 'session_end')).toHaveLength(2);
  });

  test('mixed sessions of one person have devices of their own', async () => {
    const batches = await collect(
      await importing(jsonl(line({}), line({ session: 't' }), line({}), line({ session: 't' }))),
    );
    expect(new Set(batches.map((b) => b.payload.device)).size).toBe(2);
    expect(batches.map((b) => b.payload.events.length)).toEqual([3, 3]);
  });

  test('two people may use the same name for a session', async () => {
    const batches = await collect(await importing(jsonl(line({}), line({ subject: 'bob' }))));
    expect(batches.map((b) => [b.key, b.payload.subject])).toEqual([
      ['key of ada', 'ada'],
      ['key of bob', 'bob'],
    ]);
    expect(new Set(batches.map((b) => b.envelope.session)).size).toBe(2);
  });

  test('a line after the end marker is an error', async () => {
    const { error, batches } = await failure(await importing(jsonl(line({}), END, line({}))));
    expect(error.message).toMatch(/:3: this session has ended/);
    expect(batches).toBe(0);
  });

  test('sessions without markers follow each other in any number, but only so many may be mixed', async () => {
    const limits = { maxOpenSessions: 3 };
    const each = (...sessions: string[]) => jsonl(...sessions.map((session) => line({ session })));
    const batches = await collect(await importing(each('a', 'a', 'b', 'c', 'd', 'e', 'f', 'e', 'd'), { limits }));
    expect(kinds(batches).filter((k) => k === 'session_end')).toHaveLength(6);
    const { error } = await failure(await importing(each('a', 'b', 'c', 'd', 'a'), { limits }));
    expect(error.message).toMatch(/:5: this session has ended.* more than 3 sessions are mixed; put the lines/);
  });

  test('the session that was used last stays open', async () => {
    const each = jsonl(...['a', 'b', 'c', 'a', 'd', 'a'].map((session) => line({ session })));
    expect((await collect(await importing(each, { limits: { maxOpenSessions: 3 } }))).length).toBe(4);
  });

  test('sessions and people of a file are counted', async () => {
    const each = jsonl(...['a', 'b', 'c'].map((name) => line({ session: name, subject: name, kind: 'session_end' })));
    expect((await failure(await importing(each, { limits: { maxSessions: 2 } }))).error.message).toMatch(
      /:3: .*split it/,
    );
    expect((await failure(await importing(each, { limits: { maxSubjects: 2 } }))).error.message).toMatch(
      /:3: .*split it/,
    );
  });

  test('batches that wait are handed on when they are too many together', async () => {
    const lines = Array.from({ length: 30 }, (_, i) => line({ session: `s${i % 10}` }));
    const batches = await collect(await importing(jsonl(...lines), { limits: { maxPendingEvents: 12 } }));
    expect(placed(batches)).toHaveLength(30 + 10);
    expect(batches.length).toBeGreaterThan(10);
  });
});

describe('the two readings', () => {
  test('the summary counts what the batches hold', async () => {
    const o = await importing(jsonl(line({}), line({ subject: 'bob' }), line({}, START + 31 * MINUTE), END));
    expect(await validateRecording(o)).toEqual({
      events: placed(await collect(o)).length,
      records: 4,
      sessions: 3,
      subjects: 2,
      subjectKeys: ['key of ada', 'key of bob'],
    });
  });

  test('progress goes to the end, over both readings', async () => {
    const seen: [number, number][] = [];
    const content = jsonl(...Array.from({ length: 9_000 }, () => line({})));
    await collect(await importing(content, { onProgress: (read: number, total: number) => seen.push([read, total]) }));
    expect(seen.length).toBeGreaterThan(4);
    expect(seen.at(-1)).toEqual([content.length * 2, content.length * 2]);
    expect(seen.every(([read], i) => read > (seen[i - 1]?.[0] ?? 0))).toBe(true);
  });

  test('it stops when it is told to', async () => {
    const o = await importing(jsonl(line({})), { signal: AbortSignal.abort() });
    await expect(collect(o)).rejects.toThrow(/abort/i);
  });

  test('an empty file is a recording of nothing', async () => {
    expect(await collect(await importing(''))).toEqual([]);
    expect(await collect(await importing('\n \n'))).toEqual([]);
  });

  test('a byte order mark and carriage returns are no content', async () => {
    const content = `\uFEFF${jsonl(line({}), END).replaceAll('\n', '\r\n')}`;
    expect(kinds(await collect(await importing(content)))).toEqual(['focus', 'session_end']);
  });
});

describe('property', () => {
  const text = fc.string({ unit: 'grapheme', maxLength: 12 });
  const context = fc.option(fc.record({ app: text, title: text, url: text, private: fc.boolean() }), { nil: null });
  const element = fc.option(fc.record({ role: fc.constantFrom('button', ''), name: text, value: text }), { nil: null });
  const own = fc.oneof(
    fc.record({ kind: fc.constantFrom('key_down', 'key_up'), key: fc.constantFrom('a', 'Enter'), code: text }),
    fc.record({
      kind: fc.constant('pointer_move'),
      x: fc.integer({ min: 0, max: 999 }),
      y: fc.integer({ min: 0, max: 999 }),
    }),
    fc.record({ kind: fc.constant('value_change'), value: text }),
    fc.record({ kind: fc.constant('composition'), text }),
    fc.record({ kind: fc.constantFrom('focus', 'navigate') }),
  );
  const anyLine = fc.record({
    own,
    place: fc.record({ context, element }, { requiredKeys: [] }),
    session: fc.nat(2),
    subject: fc.nat(1),
    minutes: fc.nat(70),
  });

  test('every event comes out once, in order, as it was, in sessions of 30 minutes with one marker each', async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(anyLine, { maxLength: 60 }), async (given) => {
        const lines = given.map((g) => ({
          subject: `p${g.subject}`,
          session: `s${g.session}`,
          at: START + g.minutes * MINUTE,
          ...g.own,
          ...g.place,
        }));
        const batches = await collect(await importing(jsonl(...lines)));
        const events = placed(batches);
        // In order within each session of the file: devices stand for them.
        const deviceOf = new Map(batches.map((b) => [b.envelope.session, b.payload.device]));
        const bySession = groupBy(lines, (l) => `${l.subject} ${l.session}`);
        const byDevice = groupBy(events, (e) => deviceOf.get(e.session) ?? '');
        const out = [...byDevice.values()].map((list) =>
          list.filter((e) => e.event.kind !== 'session_end').map((e) => bare(e.event)),
        );
        const into = [...bySession.values()].map((list) => list.map(bare));
        const flat = (lists: string[][]): string[] => lists.map((list) => list.join('\n')).sort();
        expect(flat(out)).toEqual(flat(into));
        for (const list of groupBy(events, (e) => e.session).values()) {
          const times = list.map((e) => e.event.at);
          expect(Math.max(...times) - Math.min(...times)).toBeLessThanOrEqual(30 * MINUTE);
          expect(list.findIndex((e) => e.event.kind === 'session_end')).toBe(list.length - 1);
        }
        for (const list of groupBy(batches, (b) => b.envelope.session).values()) {
          expect(list.map((b) => b.envelope.sequence)).toEqual(list.map((_, i) => i));
        }
      }),
      { numRuns: 60 },
    );
  });
});

const NOT_OF_THE_EVENT = new Set(['subject', 'session', 'context', 'element']);

/** An event without its place, as a text that does not depend on the order of its fields. */
function bare(event: object): string {
  const fields = Object.entries(event).filter(([name]) => !NOT_OF_THE_EVENT.has(name));
  return JSON.stringify(fields.sort(([a], [b]) => (a < b ? -1 : 1)));
}
