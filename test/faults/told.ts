/** What a user sees of each fault. docs/faults.md tells it, and a test compares the two. */
import { metricOf, type Worker } from './worker.ts';
import { until } from './until.ts';

export interface Told {
  /** The title of its section in docs/faults.md. */
  readonly title: string;
  /** What stands in log lines, or in the error that a process ends with: as far as it is the same each time. */
  readonly log: readonly string[];
  /** Series that have risen. */
  readonly metrics: readonly string[];
}

const RESTARTED = 'work on a partition failed and starts again from its last commit';
const LOST = 'partitions: no heartbeat was acknowledged for a session timeout.';

export const FAULTS = {
  killed: {
    title: 'A worker is killed',
    log: ["The member of group 'sanitize' on 'interactions.raw' has"],
    metrics: [],
  },
  zombie: { title: 'A worker stands still for longer than its session', log: ['has lost its'], metrics: [] },
  twoOwners: {
    title: 'Two workers work on one partition',
    log: [RESTARTED, '"reason":"FencedError"'],
    metrics: ['redactory_partition_restarts_total{role="sanitize",reason="fenced"}'],
  },
  instance: {
    title: 'Two processes have one instance name',
    log: [
      'Another process has joined group',
      'so this one ends. Give each running process a name of its own (kafka.instance).',
    ],
    metrics: [],
  },
  brokerAway: { title: 'The cluster is away', log: ['Connection error: connect ECONNREFUSED', LOST], metrics: [] },
  lostAnswer: {
    title: 'A commit whose answer never comes',
    log: [RESTARTED, '"reason":"LogUnavailableError"'],
    metrics: ['redactory_partition_restarts_total{role="sanitize",reason="unavailable"}'],
  },
  decided: {
    title: 'A person decides while partitions change hands',
    log: [],
    metrics: ['redactory_raw_batches_total{outcome="dropped"'],
  },
  sinkKilled: { title: 'The sink is killed before its commit', log: [], metrics: ['redactory_table_commits_total'] },
  twoSinks: {
    title: 'Two sinks write the same partitions',
    log: [RESTARTED, '"reason":"FencedSinkError"'],
    metrics: ['redactory_partition_restarts_total{role="sink",reason="other"}'],
  },
  retention: {
    title: 'Retention passes the reader',
    log: [
      'work ends: another try would meet the same again',
      '"reason":"offset_out_of_range"',
      'those records are gone (retention)',
    ],
    metrics: ['redactory_worker_failures_total{role="sanitize",reason="offset_out_of_range"}'],
  },
  poison: {
    title: 'A poisoned message',
    log: [],
    metrics: ['redactory_raw_batches_total{outcome="quarantined",reason="bad_envelope"}'],
  },
  registryAway: {
    title: 'The schema registry is away',
    log: ['the schema registry is asked again'],
    metrics: ['redactory_lag_messages{group="sanitize"}', 'redactory_lag_seconds{group="sanitize"}'],
  },
  storeAway: {
    title: 'The object store is away',
    log: ["the table's store did not do a", '"reason":"unreachable"'],
    metrics: ['redactory_lag_messages{group="sink"}'],
  },
  scaled: {
    title: 'Workers come and go',
    log: ["The member of group 'sanitize' on 'interactions.raw' has"],
    metrics: [],
  },
  givenUp: { title: 'Transactions that were given up', log: [], metrics: [] },
} as const satisfies Readonly<Record<string, Told>>;

/** Waits until the worker has told what belongs to the fault: in its log and, if it still runs, in its metrics. */
export async function told(worker: Worker, fault: keyof typeof FAULTS): Promise<void> {
  const { log, metrics }: Told = FAULTS[fault];
  for (const text of log) await worker.logs(text);
  if (!worker.isAlive) return;
  for (const series of metrics) {
    const [, name = '', labels = ''] = /^(\w+)(?:\{([^}]*)\}?)?$/u.exec(series) ?? [];
    const rise = async (): Promise<true | undefined> => metricOf(await worker.metrics(), name, labels) > 0 || undefined;
    await until(`${worker.name} to count ${series}`, rise, { state: () => worker.told() });
  }
}
