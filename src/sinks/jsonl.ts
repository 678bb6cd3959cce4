/**
 * JSON lines for a look and for pipes: a line a session, with its steps.
 *
 * Released batches arrive in pieces, so rows are collected by session until the flush; a session that goes on after a
 * flush has another line, with the steps that followed. There is no durable truth behind it: what was written before a
 * crash is not known after it, so lines may repeat. Use the training table where that matters.
 */
import { once } from 'node:events';
import type { Writable } from 'node:stream';
import type { ReleasedAction, ReleasedFields } from '../events/released.ts';
import { openPrivateFile } from '../private-file.ts';
import { ACTION_TEXTS, checkRecord } from './contract.ts';
import { SinkStorageError, type Sink, type SinkRecord, type Taken } from './sink.ts';

export interface JsonlOptions {
  /** A stream, which stays open, or the path of a file, which begins empty and gets mode 0600, also if it is there. */
  readonly out: Writable | string;
  /** Where to begin on each partition, such as a consumer group's position. Default: 0. */
  readonly resumeFrom?: (partition: number) => number | Promise<number>;
  /** Rows after which lines are written without waiting for a flush. Default 100,000. */
  readonly flushRows?: number;
}

export interface JsonlSink extends Sink {
  /** The reader has gone (`| head`): what is written now goes nowhere, and the caller may stop. */
  readonly ended: boolean;
}

/** @throws SinkStorageError when the file cannot be made. */
export async function openJsonlSink(options: JsonlOptions): Promise<JsonlSink> {
  const own = typeof options.out === 'string';
  const out = typeof options.out === 'string' ? await createFile(options.out) : options.out;
  return new LineSink(options, out, own);
}

interface Session {
  readonly head: Pick<ReleasedFields, 'session' | 'subject' | 'day' | 'policy' | 'schema'>;
  readonly steps: ReleasedAction[];
}

class LineSink implements JsonlSink {
  readonly #options: JsonlOptions;
  readonly #out: Writable;
  readonly #own: boolean;
  readonly #taken = new Map<number, number>();
  #sessions = new Map<string, Session>();
  #rows = 0;
  #records = 0;
  #written = { records: 0, rows: 0 };
  #failure: Error | undefined;
  ended = false;

  constructor(options: JsonlOptions, out: Writable, own: boolean) {
    this.#options = options;
    this.#out = out;
    this.#own = own;
    // Without a listener an error of a pipe would end the process.
    out.on('error', this.#onError);
    out.on('close', this.#onClose);
  }

  readonly #onError = (error: Error): void => {
    this.ended = true;
    if (!('code' in error) || error.code !== 'EPIPE') this.#failure = error;
  };

  readonly #onClose = (): void => {
    this.ended = true;
  };

  get counts(): JsonlSink['counts'] {
    return this.#written;
  }

  async resumeFrom(partition: number): Promise<number> {
    const taken = this.#taken.get(partition);
    return taken === undefined ? ((await this.#options.resumeFrom?.(partition)) ?? 0) : taken + 1;
  }

  async taken(partition: number): Promise<Taken> {
    return { next: await this.resumeFrom(partition), sources: new Map() };
  }

  async write(records: readonly SinkRecord[]): Promise<void> {
    for (const record of records) {
      if (record.offset <= (this.#taken.get(record.partition) ?? -1)) continue;
      checkRecord(record);
      this.#collect(record);
      this.#records++;
      this.#taken.set(record.partition, record.offset);
      if (this.#rows >= (this.#options.flushRows ?? 100_000)) await this.flush();
    }
  }

  async flush(): Promise<void> {
    const sessions = [...this.#sessions].sort(([a], [b]) => (a < b ? -1 : 1));
    const { records, rows } = this.#written;
    const written = { records: records + this.#records, rows: rows + this.#rows };
    this.#sessions = new Map();
    this.#rows = 0;
    this.#records = 0;
    for (const [, session] of sessions) await this.#print(renderLine(session));
    if (this.#failure !== undefined) {
      throw new SinkStorageError('The JSON lines could not be written: check the disk or the reader of the pipe.', {
        cause: this.#failure,
      });
    }
    this.#written = written;
  }

  async close(): Promise<void> {
    await this.flush();
    if (this.#own && !this.ended) {
      const closed = once(this.#out, 'close');
      this.#out.end();
      await closed;
    }
    this.#out.off('close', this.#onClose);
  }

  #collect({ batch }: SinkRecord): void {
    if (batch.actions.length === 0) return;
    const { session, subject, day, policy, schema, actions } = batch;
    const known = this.#sessions.get(session) ?? { head: { session, subject, day, policy, schema }, steps: [] };
    for (const action of actions) known.steps.push(action);
    this.#sessions.set(session, known);
    this.#rows += actions.length;
  }

  async #print(line: string): Promise<void> {
    if (this.ended || this.#out.write(line)) return;
    // The reader is slower: wait for it, or for its end.
    const waiting = new AbortController();
    const { signal } = waiting;
    await Promise.race([once(this.#out, 'drain', { signal }), once(this.#out, 'close', { signal })])
      .catch(() => undefined)
      .finally(() => {
        waiting.abort();
      });
  }
}

function renderLine({ head, steps }: Session): string {
  const { day, ...rest } = head;
  const date = new Date(day * 86_400_000).toISOString().slice(0, 10);
  const sorted = steps.toSorted((a, b) => a.step - b.step);
  return `${JSON.stringify({ date, ...rest, steps: sorted.map(present) })}\n`;
}

/** The table's columns and nothing else; those without a value say nothing in a line and are left out. */
function present(action: ReleasedAction): object {
  const texts = ACTION_TEXTS.map(({ name }) => [name, action[name]] as const).filter(([, value]) => value !== null);
  return { step: action.step, ...Object.fromEntries(texts) };
}

async function createFile(path: string): Promise<Writable> {
  try {
    const file = await openPrivateFile(path);
    return file.createWriteStream();
  } catch (error) {
    throw new SinkStorageError(`${path} cannot be written: choose another file.`, { cause: error });
  }
}
