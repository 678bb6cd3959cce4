import { pino, type DestinationStream, type Logger as PinoLogger } from 'pino';
import { pinoPretty } from './pretty.ts';
import { Counter, Gauge, Histogram, Registry } from 'prom-client';
import type { EventCounts, Processed } from '../processors/pipeline.ts';

/** The only module that knows the metrics and logging libraries: everybody else names what happened. */

/** Log fields are coordinates, counts and reasons; there is no field that could hold a payload or a person. */
export interface LogFields {
  readonly topic?: string;
  readonly partition?: number;
  readonly offset?: number;
  readonly count?: number;
  readonly reason?: string;
  readonly version?: number;
  readonly milliseconds?: number;
  readonly address?: string;
  readonly detail?: string;
}

export interface Logger {
  info(message: string, fields?: LogFields): void;
  warn(message: string, fields?: LogFields): void;
  error(message: string, fields?: LogFields): void;
}

export type Stage = 'fetch' | 'tables' | 'process' | 'commit' | 'table_write' | 'table_commit';

export interface Telemetry {
  readonly log: Logger;
  /** A raw record was processed and its transaction committed. */
  processed(result: Processed, bytes: number): void;
  stage(stage: Stage, seconds: number): void;
  /** `seconds` is null where the records' own times say nothing: a sanitised record's timestamp is its day. */
  lag(group: 'sanitize' | 'sink', partition: number, messages: number, seconds: number | null): void;
  controlLag(table: 'consent' | 'keyring' | 'erasures', messages: number): void;
  sessions(partition: number, open: number, pendingEvents: number): void;
  tableCommitted(rows: number, bytes: number): void;
  workerRestarted(role: 'sanitize' | 'sink', reason: RestartReason): void;
  /** The metrics in Prometheus' text format, with its content type. */
  render(): Promise<{ readonly contentType: string; readonly body: string }>;
}

export type RestartReason = 'fenced' | 'storage' | 'other';

/** Where logs go: JSON lines, or readable lines on a terminal; always to the error output, so that stdout is free for results. */
export function createLogger(options: {
  readonly level: string;
  readonly pretty: boolean;
  readonly to: DestinationStream;
}): Logger {
  const base = { level: options.level, base: null, timestamp: pino.stdTimeFunctions.isoTime };
  const logger = pino(base, options.pretty ? pinoPretty(options.to) : options.to);
  return { info: at(logger, 'info'), warn: at(logger, 'warn'), error: at(logger, 'error') };
}

const at =
  (logger: PinoLogger, level: 'info' | 'warn' | 'error') =>
  (message: string, fields: LogFields = {}): void =>
    logger[level](fields, message);

export const silentLogger: Logger = { info: () => {}, warn: () => {}, error: () => {} };

export function createTelemetry(log: Logger): Telemetry {
  const registers = [new Registry()];
  const registry = registers[0] ?? new Registry();
  const batches = new Counter({
    name: 'redactory_raw_batches_total',
    help: 'Raw batches by what became of them.',
    labelNames: ['outcome', 'reason'] as const,
    registers,
  });
  const events = new Counter({
    name: 'redactory_raw_events_total',
    help: 'Raw events by what became of them.',
    labelNames: ['outcome', 'reason'] as const,
    registers,
  });
  const rawBytes = new Counter({ name: 'redactory_raw_bytes_total', help: 'Bytes of raw batches read.', registers });
  const readEvents = new Counter({ name: 'redactory_raw_events_read_total', help: 'Raw events read.', registers });
  const eventBytes = new Gauge({
    name: 'redactory_raw_event_bytes',
    help: 'Bytes on the raw topic for each event, over the last batch with events.',
    registers,
  });
  const stages = new Histogram({
    name: 'redactory_stage_seconds',
    help: 'Seconds for each stage of work on one fetch.',
    labelNames: ['stage'] as const,
    buckets: [0.001, 0.005, 0.02, 0.1, 0.5, 2, 10],
    registers,
  });
  const lagMessages = new Gauge({
    name: 'redactory_lag_messages',
    help: 'Records that a group has not processed yet.',
    labelNames: ['group', 'partition'] as const,
    registers,
  });
  const lagSeconds = new Gauge({
    name: 'redactory_lag_seconds',
    help: 'Age of the last record processed while records are waiting, else 0.',
    labelNames: ['group', 'partition'] as const,
    registers,
  });
  const control = new Gauge({
    name: 'redactory_control_table_lag_messages',
    help: 'Records of consent, keyring and erasures that this worker has not applied yet.',
    labelNames: ['table'] as const,
    registers,
  });
  const open = new Gauge({
    name: 'redactory_open_sessions',
    help: 'Sessions with open state.',
    labelNames: ['partition'] as const,
    registers,
  });
  const pending = new Gauge({
    name: 'redactory_pending_events',
    help: 'Raw events held back in open sessions.',
    labelNames: ['partition'] as const,
    registers,
  });
  const commits = new Counter({ name: 'redactory_table_commits_total', help: 'Commits to the table.', registers });
  const rows = new Counter({ name: 'redactory_table_rows_total', help: 'Rows committed to the table.', registers });
  const bytes = new Counter({ name: 'redactory_table_bytes_total', help: 'Bytes of data files committed.', registers });
  const restarts = new Counter({
    name: 'redactory_partition_restarts_total',
    help: 'Times that work on a partition started again after an error.',
    labelNames: ['role', 'reason'] as const,
    registers,
  });

  return {
    log,
    processed(result, size) {
      batches.inc({ outcome: OUTCOMES[result.kind], reason: result.reason ?? '' });
      rawBytes.inc(size);
      countEvents(result.counts);
      if (result.counts.read > 0) eventBytes.set(size / result.counts.read);
    },
    stage: (stage, seconds) => stages.observe({ stage }, seconds),
    lag(group, partition, messages, seconds) {
      lagMessages.set({ group, partition }, messages);
      if (seconds !== null) lagSeconds.set({ group, partition }, seconds);
    },
    controlLag: (table, messages) => control.set({ table }, messages),
    sessions(partition, openNow, pendingEvents) {
      open.set({ partition }, openNow);
      pending.set({ partition }, pendingEvents);
    },
    tableCommitted(rowCount, byteCount) {
      commits.inc();
      rows.inc(rowCount);
      bytes.inc(byteCount);
    },
    workerRestarted: (role, reason) => restarts.inc({ role, reason }),
    render: async () => ({ contentType: registry.contentType, body: await registry.metrics() }),
  };

  function countEvents(counts: EventCounts): void {
    readEvents.inc(counts.read);
    events.inc({ outcome: 'released', reason: '' }, counts.released);
    events.inc({ outcome: 'quarantined', reason: '' }, counts.quarantined);
    for (const [reason, n] of Object.entries(counts.dropped)) events.inc({ outcome: 'dropped', reason }, n);
  }
}

const OUTCOMES = { keep: 'kept', drop: 'dropped', quarantine: 'quarantined' } as const;
