import { copyFile, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { onTestFinished } from 'vitest';
import { packagePath } from '../../src/package-path.ts';
import { openTableStore, readTable, type TableRow } from '../../src/sinks/index.ts';
import { createBench } from '../cli/harness.ts';

/** The folder of real recordings, if the environment names one. */
export const RECORDINGS = process.env['REDACTORY_DATA'];

/** For the titles of tests that need it. */
export const why = RECORDINGS === undefined ? ' (skipped: REDACTORY_DATA names no folder of real recordings)' : '';

export const recording = (...path: string[]): string => join(RECORDINGS ?? '', 'recordings', ...path);

export interface Imported {
  readonly events: number;
  readonly read: number;
  /** By session, in the order of its steps. */
  readonly rows: readonly TableRow[];
}

/** A recording through the whole line, by the commands that a person would give. */
export async function throughTheLine(path: string, format: string, ...more: string[]): Promise<Imported> {
  const bench = await createBench();
  onTestFinished(() => bench.remove());
  const imported = await bench.json<{ events: number }>(['import', path, '--format', format, '--enrol', ...more]);
  // Under one pseudonym, so that all of a recording's actions can be compared in their order.
  const policy = join(bench.data, 'whole.yaml');
  const strict = await readFile(packagePath('policies/strict.yaml'), 'utf8');
  await writeFile(policy, strict.replace(/maxActions: \d+/u, 'maxActions: 100000'));
  await copyFile(packagePath('policies/vocabulary.txt'), join(bench.data, 'vocabulary.txt'));
  const ran = await bench.json<{ sanitized: { read: number } }>(['run', '--until-end', '--policy', policy]);
  const rows: TableRow[] = [];
  for await (const batch of (await readTable({ store: await openTableStore(join(bench.data, 'table')) })).batches())
    rows.push(...batch);
  rows.sort((a, b) => (a.session === b.session ? a.step - b.step : a.session < b.session ? -1 : 1));
  return { events: imported.events, read: ran.sanitized.read, rows };
}
