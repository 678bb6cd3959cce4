import { setTimeout as realDelay } from 'node:timers/promises';
import { FencedError, type EventLog, type Membership, type Position, type TopicPartition } from '../log/event-log.ts';
import { watchLag, type LagWatch } from './lag.ts';
import type { FailureReason, RestartReason, Telemetry } from './telemetry.ts';
import { RunError } from './run-error.ts';

/**
 * Work on one partition, until it is stopped, taken away, or done. Throws to be started again from the last commit; says
 * `onProgress` when it has committed something, so that failures far apart are not added up.
 */
export type PartitionWork = (at: TopicPartition, signal: AbortSignal, onProgress: () => void) => Promise<void>;

/** Waits `ms` milliseconds, or until `signal` aborts; never rejects. */
export type Delay = (ms: number, signal: AbortSignal) => Promise<void>;

export const delay: Delay = async (ms, signal) => {
  await realDelay(ms, undefined, { signal }).catch(() => undefined);
};

const FIRST_RETRY_MS = 50;
const LAST_RETRY_MS = 5_000;
const POLL_MS = 200;

/**
 * Works on the partitions that the group gives this process, each by itself, until `isDone` or stopped. Work that fails in
 * a way that another try may mend starts again from the last commit, later each time; `isFatal` errors end everything.
 */
export async function workOnGroup(options: {
  readonly log: EventLog;
  readonly group: string;
  /** What the work is, for metrics. */
  readonly role: 'sanitize' | 'sink';
  readonly topic: string;
  readonly work: PartitionWork;
  /** Asked when nothing of this process is running any more, and now and then. */
  readonly isDone: () => Promise<boolean>;
  readonly isFatal: (error: unknown) => boolean;
  /** After so many failures of one partition's work without progress everything ends; a service goes on trying. */
  readonly maxRestarts?: number | undefined;
  /**
   * A stop from outside is the beginning of a restart: the member does not leave the group, and gets its partitions back
   * if it returns within the session timeout. For members with an instance name.
   */
  readonly keepsSeat?: boolean | undefined;
  readonly telemetry: Telemetry;
  /** By ms since the epoch; for metrics. */
  readonly now: () => number;
  /** What a commit says of time: as {@link watchLag} asks for it. */
  readonly doneBefore?: (committed: Position) => number;
  readonly delay: Delay;
  readonly signal: AbortSignal;
}): Promise<void> {
  const membership = await options.log.join(options.group, options.topic);
  const running = new Map<number, Running>();
  const lag = watchLag(options);
  const failure = new AbortController();
  const stop = AbortSignal.any([options.signal, failure.signal]);
  try {
    let changed: Promise<void> | undefined;
    while (!stop.aborted) {
      const stopping = startAssigned(membership, running, { ...options, lag }, stop, (error) => failure.abort(error));
      // Asking for changes again says that the work on what was taken away has stopped.
      await Promise.all(stopping);
      if (await isDoneNow(options)) break;
      // Work that comes to its end is noticed at once: at the end of a short run there is nothing else to wait for.
      const busy = [...running.values()].filter((one) => !one.ended()).map((one) => one.finished);
      // One question at a time: a second would say that work has stopped which nobody has told to stop yet.
      changed ??= membership.changed(POLL_MS, stop).finally(() => (changed = undefined));
      await Promise.race([changed, ...busy]);
    }
  } finally {
    for (const one of running.values()) one.abort.abort();
    await Promise.all([...running.values()].map((one) => one.finished));
    lag.close();
    const keepsSeat = options.keepsSeat === true && options.signal.aborted;
    if (!keepsSeat) await membership.leave();
  }
  if (!failure.signal.aborted) return;
  reportFailure(options, failure.signal.reason);
  throw failure.signal.reason;
}

/** While the log is away nobody can say; the work that waits for it tells more. */
async function isDoneNow({ isDone }: Parameters<typeof workOnGroup>[0]): Promise<boolean> {
  try {
    return await isDone();
  } catch (error) {
    if (isUnavailable(error)) return false;
    throw error;
  }
}

const isUnavailable = (error: unknown): boolean => error instanceof Error && error.name.includes('Unavailable');

function reportFailure({ telemetry, role }: Parameters<typeof workOnGroup>[0], error: unknown): void {
  const name = error instanceof Error ? error.name : '';
  const reason = error instanceof TooManyRestartsError ? 'restarts' : (FAILURES[name] ?? 'other');
  telemetry.workerFailed(role, reason);
  telemetry.log.error('work ends: another try would meet the same again', { reason });
}

const FAILURES: Readonly<Record<string, FailureReason>> = {
  OffsetOutOfRangeError: 'offset_out_of_range',
  LogAccessError: 'access',
  KafkaSecurityError: 'access',
  InstanceFencedError: 'access',
  KeyError: 'key',
  LogStorageError: 'storage',
  CorruptBatchError: 'storage',
  CompressionError: 'storage',
  SinkStorageError: 'storage',
  ForeignRecordError: 'contract',
  TableBehindError: 'storage',
  TableAheadError: 'storage',
  ContractError: 'contract',
  CodecError: 'contract',
  RunError: 'contract',
};

class TooManyRestartsError extends RunError {}

interface Running {
  readonly abort: AbortController;
  readonly finished: Promise<void>;
  readonly ended: () => boolean;
}

type Watched = Parameters<typeof workOnGroup>[0] & { readonly lag: LagWatch };

/** Starts work on what is new; ends it on what is gone, and gives back what to wait for. */
function startAssigned(
  membership: Membership,
  running: Map<number, Running>,
  options: Watched,
  stop: AbortSignal,
  onFatal: (error: unknown) => void,
): readonly Promise<void>[] {
  const stopping: Promise<void>[] = [];
  const assigned = new Set(membership.assignment().map((at) => at.partition));
  for (const [partition, one] of running) {
    if (assigned.has(partition)) continue;
    one.abort.abort();
    running.delete(partition);
    stopping.push(one.finished);
  }
  for (const at of membership.assignment()) {
    if (running.has(at.partition)) continue;
    const abort = new AbortController();
    const signal = AbortSignal.any([stop, abort.signal]);
    let hasEnded = false;
    options.lag.begins(at.partition);
    const finished = keepWorking(at, options, signal, onFatal).finally(() => {
      options.lag.ends(at.partition);
      hasEnded = true;
    });
    running.set(at.partition, { abort, finished, ended: () => hasEnded });
  }
  return stopping;
}

/** Never rejects: fatal errors go to `onFatal`. */
async function keepWorking(
  at: TopicPartition,
  options: Parameters<typeof workOnGroup>[0],
  signal: AbortSignal,
  onFatal: (error: unknown) => void,
): Promise<void> {
  let retryMs = FIRST_RETRY_MS;
  let restarts = 0;
  const onProgress = (): void => {
    retryMs = FIRST_RETRY_MS;
    restarts = 0;
  };
  while (!signal.aborted) {
    try {
      await options.work(at, signal, onProgress);
      return;
    } catch (error) {
      if (signal.aborted) return;
      if (options.isFatal(error)) {
        onFatal(error);
        return;
      }
      if (restarts++ >= (options.maxRestarts ?? Infinity)) {
        onFatal(
          new TooManyRestartsError(
            `work on ${at.topic}/${at.partition} failed ${restarts} times: the warnings before say how`,
          ),
        );
        return;
      }
      options.telemetry.workerRestarted(options.role, restartReason(error));
      options.telemetry.log.warn('work on a partition failed and starts again from its last commit', {
        topic: at.topic,
        partition: at.partition,
        reason: error instanceof Error ? error.name : 'unknown',
      });
      await options.delay(retryMs, signal);
      retryMs = Math.min(retryMs * 2, LAST_RETRY_MS);
    }
  }
}

function restartReason(error: unknown): RestartReason {
  if (error instanceof FencedError) return 'fenced';
  if (isUnavailable(error)) return 'unavailable';
  return error instanceof Error && error.name.includes('Storage') ? 'storage' : 'other';
}
