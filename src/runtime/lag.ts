import type { EventLog, Position, TopicPartition } from '../log/event-log.ts';
import type { Telemetry } from './telemetry.ts';

/** What waits in the partitions that this process works on, as the log has it: it is told whatever the work does. */
export interface LagWatch {
  /** Work on a partition begins: from now on it is told of. */
  begins(partition: number): void;
  /** It is over: somebody else tells of it, or nobody. */
  ends(partition: number): void;
  close(): void;
}

interface Watched {
  /** Offsets, as far as the log has ever answered. */
  end: number | undefined;
  done: number | undefined;
  /** All that came before this moment (ms) is done; 0 is not known. */
  doneBefore: number;
  readonly begun: number;
}

/**
 * Tells, with each look at the metrics, how far the group's commits are behind the ends of the topic's partitions. While the
 * log does not answer, the last that it said goes on to age.
 *
 * `doneBefore` says of a commit before which moment (ms) all that came is done, 0 if it does not say; undefined where commits
 * say nothing of time: then no seconds are told.
 */
export function watchLag(options: {
  readonly log: Pick<EventLog, 'endOffsets' | 'beginOffsets' | 'committed'>;
  readonly group: string;
  readonly role: 'sanitize' | 'sink';
  readonly topic: string;
  readonly telemetry: Pick<Telemetry, 'lag' | 'partitionEnded' | 'whenShown'>;
  readonly now: () => number;
  readonly doneBefore?: ((committed: Position) => number) | undefined;
}): LagWatch {
  const { log, group, role, topic, telemetry, now, doneBefore } = options;
  const partitions = new Map<number, Watched>();
  let asking: Promise<void> | undefined;

  function tell(): void {
    for (const [partition, watched] of partitions) {
      if (watched.end === undefined || watched.done === undefined) continue;
      const waiting = Math.max(0, watched.end - watched.done);
      const since = watched.doneBefore === 0 ? watched.begun : watched.doneBefore;
      const seconds = waiting === 0 ? 0 : Math.max(0, (now() - since) / 1000);
      telemetry.lag(role, partition, waiting, doneBefore === undefined ? null : seconds);
    }
  }

  async function ask(): Promise<void> {
    const asked = now();
    const ends = await log.endOffsets(topic);
    const begins = await log.beginOffsets(topic);
    await Promise.all(
      [...partitions].map(async ([partition, watched]) => {
        const at: TopicPartition = { topic, partition };
        const committed = await log.committed(group, at);
        watched.end = ends[partition];
        watched.done = committed?.offset ?? begins[partition];
        const isAtEnd = (watched.done ?? 0) >= (watched.end ?? 0);
        const said = committed === undefined ? 0 : (doneBefore?.(committed) ?? 0);
        watched.doneBefore = Math.max(watched.doneBefore, said, isAtEnd ? asked : 0);
      }),
    );
  }

  const stop = telemetry.whenShown(async () => {
    // First what is known: the log may not answer.
    tell();
    asking ??= ask().finally(() => {
      asking = undefined;
    });
    await asking;
    tell();
  });
  return {
    begins: (partition) =>
      void partitions.set(partition, { end: undefined, done: undefined, doneBefore: 0, begun: now() }),
    ends(partition) {
      partitions.delete(partition);
      telemetry.partitionEnded(role, partition);
    },
    close: stop,
  };
}
