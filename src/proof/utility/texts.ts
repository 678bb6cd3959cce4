/** How much of the texts on real screens is kept. */
import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { randomBytes } from 'node:crypto';
import type { ReleasedAction } from '../../events/released.ts';
import type { Captured } from '../../producers/captured.ts';
import { openRecording, type RecordingFormat } from '../../producers/recordings/index.ts';
import { rawActions } from '../data/office.ts';
import { needFolder, requireFile } from '../data/tables.ts';
import { createLine, LINE_START } from '../line.ts';
import type { PolicyUnderTest } from '../policies.ts';

const COLUMNS = ['app', 'window', 'url', 'target'] as const;
export type TextColumn = (typeof COLUMNS)[number];

/** Of the actions with a text in a column: how many keep all of it but numbers, and how many some of it. */
export interface KeptTexts {
  readonly column: TextColumn;
  readonly shown: number;
  readonly whole: number;
  readonly partly: number;
}

const RECORDINGS: readonly {
  readonly folder: string;
  readonly format: RecordingFormat;
  readonly files: RegExp | null;
}[] = [
  { folder: 'agentnet', format: 'agentnet', files: null },
  { folder: 'rpa-logs', format: 'rpa-csv', files: /\.csv$/u },
];

/**
 * Sends real recordings through the line and counts what is kept of the texts that their actions show.
 * @throws MissingDataError
 */
export async function keptTexts(
  source: { readonly folder: string | undefined },
  policies: readonly PolicyUnderTest[],
): Promise<readonly (readonly KeptTexts[])[]> {
  const folder = join(needFolder(source), 'recordings');
  const line = await createLine(policies);
  const shown = new Map<TextColumn, number>();
  const kept = policies.map(() => new Map<TextColumn, { whole: number; partly: number }>());
  for (const { folder: name, format, files } of RECORDINGS) {
    const path = await requireFile(join(folder, name), 'a real recording');
    const names = files === null ? [''] : (await readdir(path)).filter((file) => files.test(file)).toSorted();
    for (const file of names) {
      for (const batches of await sessionsIn(join(path, file), format, line.subjectKey)) {
        countShown(rawActions(batches, policies), shown);
        for (const [i, { actions }] of line.capture(batches).entries()) countKept(actions, kept[i] ?? new Map());
      }
    }
  }
  return kept.map((counts) =>
    COLUMNS.map((column) => ({
      column,
      shown: shown.get(column) ?? 0,
      ...(counts.get(column) ?? { whole: 0, partly: 0 }),
    })),
  );
}

async function sessionsIn(
  path: string,
  format: RecordingFormat,
  subjectKey: (subject: string) => string,
): Promise<Captured[][]> {
  const recording = await openRecording({
    path,
    format,
    subject: 'somebody',
    subjectKey,
    now: () => LINE_START,
    randomId: () => randomBytes(16).toString('hex'),
  });
  try {
    const sessions = new Map<string, Captured[]>();
    for await (const captured of recording.batches()) {
      const { session } = captured.envelope;
      const batches = sessions.get(session) ?? [];
      sessions.set(session, batches);
      batches.push(captured);
    }
    return [...sessions.values()];
  } finally {
    await recording.close();
  }
}

function countShown(actions: readonly ReleasedAction[], shown: Map<TextColumn, number>): void {
  for (const action of actions) {
    for (const column of COLUMNS) {
      if ((action[column] ?? '') !== '') shown.set(column, (shown.get(column) ?? 0) + 1);
    }
  }
}

function countKept(actions: readonly ReleasedAction[], kept: Map<TextColumn, { whole: number; partly: number }>): void {
  for (const action of actions) {
    for (const column of COLUMNS) {
      const text = action[column];
      if (text === null) continue;
      const counts = kept.get(column) ?? { whole: 0, partly: 0 };
      kept.set(column, counts);
      // A number as {n} is still the label; every other placeholder stands for something that was cut.
      const withoutNumbers = text.replaceAll('{n}', '');
      if (!/\{[a-z_]+\}/u.test(withoutNumbers)) counts.whole += 1;
      else if (/\p{L}/u.test(withoutNumbers.replaceAll(/\{[a-z_]+\}|^https?:/gu, ''))) counts.partly += 1;
    }
  }
}
