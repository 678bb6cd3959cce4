/** Recordings that other tools have made, as capture batches. The list of formats is here and nowhere else. */

import { randomBytes } from 'node:crypto';
import type { Captured } from '../captured.ts';
import { agentnet } from './agentnet.ts';
import { captureJsonl } from './capture-jsonl.ts';
import { ducktrack } from './ducktrack.ts';
import type { Format, OpenFormat } from './format.ts';
import { IMPORT_LIMITS, type ImportLimits } from './limits.ts';
import { rpaCsv } from './rpa-csv.ts';
import { createSessions, type SessionCounts } from './sessions.ts';
import { openSource } from './source.ts';

export { ImportError } from './import-error.ts';
export { IMPORT_LIMITS, type ImportLimits } from './limits.ts';

export const RECORDING_FORMATS = ['agentnet', 'ducktrack', 'rpa-csv', 'capture-jsonl'] as const;
export type RecordingFormat = (typeof RECORDING_FORMATS)[number];

const FORMATS: Readonly<Record<RecordingFormat, Format>> = {
  agentnet,
  ducktrack,
  'rpa-csv': rpaCsv,
  'capture-jsonl': captureJsonl,
};

export interface RecordingOptions {
  /** File, or folder for agentnet and ducktrack. */
  readonly path: string;
  readonly format: RecordingFormat;
  /** The person, for formats that do not say; overrules the recording where it does. */
  readonly subject?: string | undefined;
  readonly subjectKey: (subject: string) => string;
  /** The trusted clock, ms since the epoch: the stamps of the batches. Default: the system's. */
  readonly now?: () => number;
  /** Session ids; default: 128 random bits in hex, so that an id says nothing and no two imports share one. */
  readonly randomId?: () => string;
  /** Bytes read so far of all that will be read: the file is read twice. */
  readonly onProgress?: (bytesRead: number, totalBytes: number) => void;
  readonly signal?: AbortSignal | undefined;
  readonly limits?: Partial<ImportLimits>;
}

export interface RecordingSummary {
  /** Raw events that {@link OpenRecording.batches} will yield, end markers with them. */
  readonly events: number;
  /** What was read: lines of JSON or CSV records. */
  readonly records: number;
  readonly sessions: number;
  readonly subjects: number;
  /** Keys of the people in it, to enrol them before the batches are appended. */
  readonly subjectKeys: readonly string[];
}

/** A recording that has been read to its end once without an error. */
export interface OpenRecording {
  readonly summary: RecordingSummary;
  /**
   * The batches, read again as they are taken: memory stays bounded. Sessions of one person follow in order.
   * @throws ImportError when the file changes meanwhile; what was yielded before stands.
   */
  batches(): AsyncGenerator<Captured>;
  close(): Promise<void>;
}

/**
 * Opens a recording and checks all of it.
 * @throws ImportError naming file and line; a file with an error yields nothing at all.
 */
export async function openRecording(o: RecordingOptions): Promise<OpenRecording> {
  const limits: ImportLimits = { ...IMPORT_LIMITS, ...o.limits };
  const now = o.now ?? Date.now;
  let bytesRead = 0;
  let totalBytes = 0;
  const onRead = (bytes: number): void => {
    bytesRead += bytes;
    o.onProgress?.(bytesRead, totalBytes);
  };
  const format = await FORMATS[o.format]({
    path: o.path,
    subject: o.subject,
    limits,
    now,
    openEvents: (path) => openSource(path, { signal: o.signal, onRead }),
    openBeside: (path) => openSource(path, { signal: o.signal }),
  });
  totalBytes = 2 * format.source.size;
  const run = { format, limits, now, subjectKey: o.subjectKey, randomId: o.randomId ?? randomId };
  try {
    const summary = await check(run);
    return { summary, batches: () => convert(run, () => undefined), close: () => format.source.close() };
  } catch (error) {
    await format.source.close();
    throw error;
  }
}

/** Checks a whole recording without importing it. @throws ImportError */
export async function validateRecording(o: RecordingOptions): Promise<RecordingSummary> {
  const recording = await openRecording(o);
  await recording.close();
  return recording.summary;
}

/** {@link openRecording} and its batches in one. @throws ImportError before the first batch if anything is wrong. */
export async function* importRecording(o: RecordingOptions): AsyncGenerator<Captured> {
  const recording = await openRecording(o);
  try {
    yield* recording.batches();
  } finally {
    await recording.close();
  }
}

interface Run {
  readonly format: OpenFormat;
  readonly limits: ImportLimits;
  readonly now: () => number;
  readonly subjectKey: (subject: string) => string;
  readonly randomId: () => string;
}

async function check(run: Run): Promise<RecordingSummary> {
  let counts: SessionCounts & { readonly records: number } = { events: 0, sessions: 0, subjectKeys: [], records: 0 };
  // The first reading makes the same batches and throws them away: then nothing that the second one does is unchecked.
  const unused = convert({ ...run, now: () => 0, randomId: () => '' }, (c) => (counts = c));
  while ((await unused.next()).done !== true);
  return { ...counts, subjects: counts.subjectKeys.length };
}

async function* convert(
  run: Run,
  onEnd: (counts: SessionCounts & { readonly records: number }) => void,
): AsyncGenerator<Captured> {
  const { fail, labelsRestart } = run.format;
  const sessions = createSessions({ ...run, fail, labelsRestart });
  let records = 0;
  let lastLine = 0;
  const out: Captured[] = [];
  for await (const block of run.format.read()) {
    for (const recorded of block) {
      sessions.add(recorded, out);
      if (recorded.line !== lastLine) records += 1;
      lastLine = recorded.line;
    }
    yield* out.splice(0);
  }
  sessions.finish(out);
  yield* out.splice(0);
  onEnd({ ...sessions.counts(), records });
}

function randomId(): string {
  return randomBytes(16).toString('hex');
}
