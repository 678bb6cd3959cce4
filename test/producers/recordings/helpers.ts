import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach } from 'vitest';
import type { Context, RawEvent, UiElement } from '../../../src/events/raw.ts';
import type { Captured } from '../../../src/producers/captured.ts';
import {
  ImportError,
  importRecording,
  type RecordingFormat,
  type RecordingOptions,
} from '../../../src/producers/recordings/index.ts';

const folders: string[] = [];

afterEach(async () => {
  await Promise.all(folders.splice(0).map((folder) => rm(folder, { recursive: true, force: true })));
});

/** A folder with these files, removed after the test. */
export async function folderOf(files: Readonly<Record<string, string | Uint8Array>>): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'redactory-import-'));
  folders.push(folder);
  await Promise.all(Object.entries(files).map(([name, content]) => writeFile(join(folder, name), content)));
  return folder;
}

/** Lines of JSON. */
export function jsonl(...lines: readonly unknown[]): string {
  return lines.map((line) => `${JSON.stringify(line)}\n`).join('');
}

/** Import time in tests. */
export const NOW = Date.UTC(2030, 0, 2, 3, 4, 5);

/** Options with a fixed clock and counted ids. */
export function options(path: string, format: RecordingFormat, more: Partial<RecordingOptions> = {}): RecordingOptions {
  let ids = 0;
  return {
    path,
    format,
    subjectKey: (subject) => `key of ${subject}`,
    now: () => NOW,
    randomId: () => `id-${(ids += 1)}`,
    ...more,
  };
}

export async function collect(o: RecordingOptions): Promise<Captured[]> {
  const batches: Captured[] = [];
  for await (const batch of importRecording(o)) batches.push(batch);
  return batches;
}

/** An event with its place spelled out. */
export interface Placed {
  readonly session: string;
  readonly event: RawEvent;
  readonly context: Context | null;
  readonly element: UiElement | null;
}

/** All events of all batches, in the order of the batches. */
export function placed(batches: readonly Captured[]): Placed[] {
  return batches.flatMap(({ envelope, payload }) =>
    payload.events.map((event) => ({
      session: envelope.session,
      event,
      context: payload.contexts[event.context] ?? null,
      element: payload.elements[event.element] ?? null,
    })),
  );
}

/** Kinds of all events, in order. */
export function kinds(batches: readonly Captured[]): string[] {
  return placed(batches).map(({ event }) => event.kind);
}

/** The error that the import ends with, and how many batches came before it. */
export async function failure(o: RecordingOptions): Promise<{ error: ImportError; batches: number }> {
  let batches = 0;
  try {
    for await (const batch of importRecording(o)) batches += batch.payload.events.length > 0 ? 1 : 0;
  } catch (error) {
    if (error instanceof ImportError) return { error, batches };
    throw error;
  }
  throw new Error('the import did not fail');
}

export function groupBy<T>(items: readonly T[], keyOf: (item: T) => string): Map<string, T[]> {
  const groups = new Map<string, T[]>();
  for (const item of items) {
    const group = groups.get(keyOf(item));
    if (group === undefined) groups.set(keyOf(item), [item]);
    else group.push(item);
  }
  return groups;
}
