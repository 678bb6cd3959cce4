/** What holds for every format: a file that changes, files that are damaged, files that are large, real files. */

import { appendFile, open, utimes, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import * as fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import {
  ImportError,
  importRecording,
  openRecording,
  RECORDING_FORMATS,
  type RecordingFormat,
  validateRecording,
} from '../../../src/producers/recordings/index.ts';
import { collect, failure, folderOf, jsonl, kinds, options, placed } from './helpers.ts';

const START = Date.UTC(2026, 0, 1, 9);

/** A small good recording of each format: its main file, and what lies beside it. */
const GOOD: Readonly<Record<RecordingFormat, { main: string; files: Readonly<Record<string, string>> }>> = {
  agentnet: {
    main: 'events.jsonl',
    files: {
      'events.jsonl': jsonl(
        { time_stamp: 11, action: 'move', x: 1, y: 2 },
        { time_stamp: 12, action: 'click', x: 1, y: 2, button: 'left', pressed: true },
        { time_stamp: 12.1, action: 'click', x: 1, y: 2, button: 'left', pressed: false },
        { time_stamp: 13, action: 'press', name: 'Canarykey' },
      ),
      'top_window.jsonl': jsonl({ time_stamp: 10, top_window_name: 'Canaryapp' }),
      'element.jsonl': jsonl({ time_stamp: 11.9, a11y_tree: { Name: 'Canaryname', ControlType: 'ButtonControl' } }),
      'metadata.json': '{"start_time":"2026-01-01 09:00:00","video_start_timestamp":10}',
    },
  },
  ducktrack: {
    main: 'events.jsonl',
    files: {
      'events.jsonl': jsonl(
        { time_stamp: 11, action: 'move', x: 1.5, y: 2.5 },
        { time_stamp: 12, action: 'scroll', x: 1, y: 2, dx: 0, dy: -0.5 },
        { time_stamp: 13, action: 'press', name: 'Canarykey' },
      ),
    },
  },
  'rpa-csv': {
    main: 'log.csv',
    files: {
      'log.csv': [
        '"timeStamp","userID","targetApp","eventType","url","content","target.tagName","target.name"',
        '"2026-01-01T09:00:00.000Z","Canaryuser","Chrome","clickTextField","https://canary.test/","","INPUT","Canaryname"',
        '"2026-01-01T09:00:01.000Z","","OS-Clipboard","copy","","Canarytext","",""',
        '"2026-01-01T09:00:02.000Z","Canaryuser","Chrome","paste","https://canary.test/","Canarytext","INPUT","Canaryname"',
        '',
      ].join('\n'),
    },
  },
  'capture-jsonl': {
    main: 'recording.jsonl',
    files: {
      'recording.jsonl': jsonl(
        { subject: 'Canaryuser', session: 'Canarysession', at: START, kind: 'focus', context: { app: 'Canaryapp' } },
        { subject: 'Canaryuser', session: 'Canarysession', at: START, kind: 'value_change', value: 'Canarytext' },
        {
          subject: 'Canaryuser',
          session: 'Canarysession',
          at: START,
          kind: 'clipboard',
          op: 'copy',
          text: 'Canarytext',
        },
        { subject: 'Canaryuser', session: 'Canarysession', at: START, kind: 'session_end' },
      ),
    },
  },
};

async function good(format: RecordingFormat, files: Record<string, string | Uint8Array> = {}) {
  const folder = await folderOf({ ...GOOD[format].files, ...files });
  const subject = format === 'agentnet' || format === 'ducktrack' ? { subject: 'ada' } : {};
  return options(join(folder, GOOD[format].main), format, subject);
}

describe.each(RECORDING_FORMATS)('%s', (format) => {
  test('the summary counts what the batches hold, and the last event is a marker', async () => {
    const o = await good(format);
    const batches = await collect(o);
    expect(await validateRecording(o)).toMatchObject({ events: placed(batches).length, subjects: 1 });
    expect(kinds(batches).at(-1)).toBe('session_end');
  });

  test('a file that changes between checking and importing yields nothing', async () => {
    const o = await good(format);
    const changes: (() => Promise<void>)[] = [
      () => appendFile(o.path, '\n'),
      () => utimes(o.path, new Date(), new Date(0)),
      () => writeFile(o.path, ''),
    ];
    for (const change of changes) {
      const recording = await openRecording(o);
      await change();
      const batches = recording.batches();
      await expect(batches.next()).rejects.toThrow(/changed while it was imported/);
      await recording.close();
      await writeFile(o.path, GOOD[format].files[GOOD[format].main] ?? '');
    }
  });

  test('a bad last line is found before the first batch', async () => {
    const o = await good(format);
    await appendFile(o.path, '{"Canary');
    const { error, batches } = await failure(o);
    expect(batches).toBe(0);
    expect(error.line).toBeGreaterThan(1);
  });

  test('fuzz: damaged files import or fail with an ImportError that shows nothing of them', async () => {
    const names = Object.keys(GOOD[format].files);
    const damage = fc.record({
      file: fc.constantFrom(...names),
      at: fc.nat(),
      remove: fc.nat(60),
      insert: fc.oneof(
        fc.uint8Array({ maxLength: 12 }),
        fc.string({ maxLength: 12 }).map((s) => Buffer.from(s)),
        fc
          .constantFrom('{', '[', '"', ',', '\n', '\\', 'null', '1e999', '-0', '\u0000', '"Canary', '}{', '[[[[')
          .map((s) => Buffer.from(s)),
      ),
      cut: fc.option(fc.nat(), { freq: 6 }),
    });
    await fc.assert(
      fc.asyncProperty(fc.array(damage, { minLength: 1, maxLength: 3 }), async (damages) => {
        const files: Record<string, Uint8Array> = {};
        for (const d of damages)
          files[d.file] = damaged(files[d.file] ?? Buffer.from(GOOD[format].files[d.file] ?? ''), d);
        const message = await refusal(await good(format, files));
        expect(message).toMatch(REFUSAL);
        expect(message).not.toMatch(/canary/i);
      }),
      { numRuns: fuzzCases() },
    );
  });

  test('fuzz: garbage imports as nothing or fails with an ImportError', async () => {
    const garbage = fc.oneof(
      fc.uint8Array({ maxLength: 300 }),
      fc.string({ unit: 'binary', maxLength: 200 }).map((s) => Buffer.from(s)),
      fc.array(fc.json(), { maxLength: 5 }).map((lines) => Buffer.from(lines.join('\n'))),
    );
    await fc.assert(
      fc.asyncProperty(garbage, async (content) => {
        expect(await refusal(await good(format, { [GOOD[format].main]: content }))).toMatch(REFUSAL);
      }),
      { numRuns: fuzzCases() },
    );
  });
});

function fuzzCases(): number {
  return Math.max(1, Math.ceil(Number(process.env['REDACTORY_FUZZ_CASES'] ?? 300) / (2 * RECORDING_FORMATS.length)));
}

function damaged(
  bytes: Uint8Array,
  d: { at: number; remove: number; insert: Uint8Array; cut: number | null },
): Uint8Array {
  const at = d.at % (bytes.length + 1);
  const whole = Buffer.concat([bytes.subarray(0, at), d.insert, bytes.subarray(at + d.remove)]);
  return d.cut === null ? whole : whole.subarray(0, d.cut % (whole.length + 1));
}

/** The error's message, or '' when all went well. Another error than an ImportError is thrown on. */
async function refusal(o: Parameters<typeof collect>[0]): Promise<string> {
  const outcome = await collect(o).catch((error: unknown) => error);
  if (Array.isArray(outcome)) return '';
  if (outcome instanceof ImportError) return outcome.message;
  throw outcome;
}

// A closed set of messages: names of files and fields, numbers, and advice in plain ASCII.
const REFUSAL = /^$|^(events|top_window|element|recording|log|metadata)\.(jsonl?|csv)(:\d+)?: [\x20-\x7e±]+$/;

describe('large files', () => {
  test('a bad last line is found before the first batch, however late it comes', async () => {
    const folder = await folderOf({});
    const path = join(folder, 'large.jsonl');
    const lines = await writeLarge(path, 1_500_000);
    await appendFile(path, '{"subject":');
    const { error, batches } = await failure(options(path, 'capture-jsonl'));
    expect(batches).toBe(0);
    expect(error.line).toBe(lines + 1);
  });

  test('50 MB pass through in a few megabytes of memory', async () => {
    const folder = await folderOf({});
    const path = join(folder, 'large.jsonl');
    const lines = await writeLarge(path, 50_000_000);
    setFlagsFromString('--expose-gc');
    const collectGarbage: () => void = runInNewContext('gc');
    const heap = (): number => {
      collectGarbage();
      return process.memoryUsage().heapUsed;
    };
    const before = heap();
    let most = 0;
    let events = 0;
    let batches = 0;
    for await (const batch of importRecording(options(path, 'capture-jsonl'))) {
      events += batch.payload.events.length;
      if ((batches += 1) % 400 === 0) most = Math.max(most, heap() - before);
    }
    expect(events).toBeGreaterThan(lines);
    expect(most).toBeLessThan(24_000_000);
  });
});

/** Lines of eight mixed sessions, each with a text of its own. */
async function writeLarge(path: string, bytes: number): Promise<number> {
  const file = await open(path, 'w');
  let lines = 0;
  for (let written = 0; written < bytes;) {
    let block = '';
    for (let i = 0; i < 5_000; i++, lines++) {
      block += `{"subject":"p${lines % 3}","session":"s${lines % 8}-${Math.floor(lines / 50_000)}","at":${START + lines},"kind":"value_change","value":"text number ${lines} of a long recording"}\n`;
    }
    await file.write(block);
    written += block.length;
  }
  await file.close();
  return lines;
}

const DATA = process.env['REDACTORY_DATA'];

describe.skipIf(DATA === undefined)(
  `real recordings${DATA === undefined ? ' (skipped: REDACTORY_DATA names no folder)' : ''}`,
  () => {
    const real = (path: string, format: RecordingFormat, more = {}) =>
      options(join(DATA ?? '', 'recordings', path), format, more);

    test('agentnet: every event, every window, and an element for each of the 21 presses', async () => {
      const o = real('agentnet', 'agentnet', { subject: 'ada' });
      const batches = await collect(o);
      const events = placed(batches);
      expect(events).toHaveLength(4_099 + 4 + 1);
      expect(await validateRecording(o)).toMatchObject({ events: 4_104, records: 4_099, sessions: 1 });
      const presses = events.filter((e) => e.event.kind === 'pointer_down');
      expect(presses).toHaveLength(21);
      expect(presses.filter((e) => e.element !== null)).toHaveLength(21);
      expect(new Set(presses.map((e) => e.element?.role))).toEqual(
        new Set(['button', 'text', 'slider', 'pane', 'window', 'listitem']),
      );
      expect(new Set(events.map((e) => e.context?.app))).toEqual(
        new Set(['agentnet-annotator', 'explorer', 'ShellExperienceHost', 'ApplicationFrameHost']),
      );
      expect(events.every((e, i) => i === 0 || e.event.at >= (events[i - 1]?.event.at ?? 0))).toBe(true);
      expect(new Date(events[0]?.event.at ?? 0).toISOString().slice(0, 16)).toBe('2024-11-05T18:56');
    });

    test('ducktrack: every event', async () => {
      const events = placed(await collect(real('ducktrack', 'ducktrack', { subject: 'ada' })));
      expect(events).toHaveLength(13_401 + 1);
      expect(new Date(events[0]?.event.at ?? 0).toISOString().slice(0, 19)).toBe('2023-10-20T17:19:53');
    });

    test.each([
      ['StudentRecord.csv', 2_409, 3],
      ['Reimbursement.csv', 4_591, 5],
    ])('%s: every row', async (name, rows, sessions) => {
      const o = real(`rpa-logs/${name}`, 'rpa-csv');
      const summary = await validateRecording(o);
      expect(summary).toMatchObject({ records: rows, sessions, subjects: 1 });
      const batches = await collect(o);
      expect(placed(batches)).toHaveLength(summary.events);
      expect(placed(batches).every((e) => e.context !== null)).toBe(true);
      // Clicks are the only rows of more than one event here; markers are of no row.
      const clicks = kinds(batches).filter((k) => k === 'pointer_up').length;
      expect(summary.events - clicks - sessions).toBe(rows);
    });
  },
);
