import { pino, type DestinationStream, type Logger as PinoLogger } from 'pino';
import { pinoPretty } from './pretty.ts';
import { collectDefaultMetrics, Counter, Gauge, Histogram, Registry } from 'prom-client';
import { QUARANTINE_REASONS } from '../events/outcome.ts';
import { REASONS, type Reason } from '../producers/gateway/protocol.ts';
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

export type Stage = 'fetch' | 'tables' | 'unseal' | 'process' | 'commit' | 'table_write' | 'table_commit';

export interface Telemetry {
  readonly log: Logger;
  /** A raw record was processed and its transaction committed. */
  processed(result: Processed, bytes: number): void;
  stage(stage: Stage, seconds: number): void;
  /** `seconds` is null where the records' own times say nothing: a sanitised record's timestamp is its day. */
  lag(group: 'sanitize' | 'sink', partition: number, messages: number, seconds: number | null): void;
  /** This process no longer works on it: its series go, or they would say for ever what was last. */
  partitionEnded(group: 'sanitize' | 'sink', partition: number): void;
  controlLag(table: 'consent' | 'keyring' | 'erasures', messages: number): void;
  /** `at`: when the present key epoch ends, ms. */
  keyEpochEnds(at: number): void;
  sessions(partition: number, open: number, pendingEvents: number): void;
  tableCommitted(rows: number, bytes: number): void;
  workerRestarted(role: 'sanitize' | 'sink', reason: RestartReason): void;
  /** The table's store, or the schema registry, did not answer as it should and is asked again. */
  retried(service: 'table_store' | 'registry', operation: string, reason: string): void;
  /** Work cannot go on: another try would meet the same again, or records are gone. */
  workerFailed(role: 'sanitize' | 'sink', reason: FailureReason): void;
  /** The gateway kept a batch; `events` is null where it is sealed. `seconds`: sealing it and waiting for the disk. */
  gatewayKept(events: number | null, bytes: number, seconds: number): void;
  gatewayRefused(reason: Reason, isBatch: boolean): void;
  gatewayGranted(): void;
  /** Requests that are worked on now. */
  gatewayInFlight(count: number): void;
  /** Erasures that are not done, and that one of them failed and will be tried again. */
  erasuresOpen(count: number): void;
  erasureFailed(): void;
  /** Requests that may be worked on at once. */
  gatewayLimit(count: number): void;
  /** From now on the metrics tell of the process as well: processor time, memory, the event loop (`process_*`, `nodejs_*`). */
  measureProcess(): void;
  /**
   * `measure` runs before metrics are shown, until the function that comes back is called. It is waited for half a second; what it
   * throws is left to the work, which meets the same.
   */
  whenShown(measure: () => Promise<void>): () => void;
  /** The metrics in Prometheus' text format, with its content type. */
  render(): Promise<{ readonly contentType: string; readonly body: string }>;
}

const ROLES = ['sanitize', 'sink'] as const;
const RESTART_REASONS = ['fenced', 'storage', 'unavailable', 'other'] as const;
export type RestartReason = (typeof RESTART_REASONS)[number];
const FAILURE_REASONS = ['offset_out_of_range', 'access', 'key', 'storage', 'contract', 'restarts', 'other'] as const;
export type FailureReason = (typeof FAILURE_REASONS)[number];

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
  let measuresProcess = false;
  const measures = new Set<() => Promise<void>>();
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
    help: 'For how long records have been waiting, at most: since all before was done. 0 while none wait.',
    labelNames: ['group', 'partition'] as const,
    registers,
  });
  const control = new Gauge({
    name: 'redactory_control_table_lag_messages',
    help: 'Records of consent, keyring and erasures that this worker has not applied yet.',
    labelNames: ['table'] as const,
    registers,
  });
  const epochEnds = new Gauge({
    name: 'redactory_key_epoch_end_timestamp_seconds',
    help: 'When the present epoch of the keys ends, seconds since the Unix epoch.',
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
  const retries = new Counter({
    name: 'redactory_service_retries_total',
    help: "Requests to the table's store and to the schema registry that are tried again.",
    labelNames: ['service', 'operation', 'reason'] as const,
    registers,
  });
  const failures = new Counter({
    name: 'redactory_worker_failures_total',
    help: 'Times that work ended for good after an error; the log says what to do.',
    labelNames: ['role', 'reason'] as const,
    registers,
  });

  const gatewayBatches = new Counter({
    name: 'redactory_gateway_batches_total',
    help: 'Batches that recorders sent, by what became of them.',
    labelNames: ['outcome', 'reason'] as const,
    registers,
  });
  const gatewayRefusals = new Counter({
    name: 'redactory_gateway_refusals_total',
    help: 'Requests other than batches that were refused.',
    labelNames: ['reason'] as const,
    registers,
  });
  const gatewayEvents = new Counter({
    name: 'redactory_gateway_events_total',
    help: 'Events of batches that were kept and came unsealed; sealed ones cannot be counted.',
    registers,
  });
  const gatewayBytes = new Counter({
    name: 'redactory_gateway_bytes_total',
    help: 'Bytes of the bodies of batches that were kept.',
    registers,
  });
  const gatewayGrants = new Counter({
    name: 'redactory_gateway_grants_total',
    help: 'Sessions granted.',
    registers,
  });
  const gatewayInFlight = new Gauge({
    name: 'redactory_gateway_in_flight_requests',
    help: 'Requests that the gateway works on now.',
    registers,
  });
  const erasuresOpen = new Gauge({
    name: 'redactory_erasures_open',
    help: 'Erasures that people asked for and that are not done.',
    registers,
  });
  const erasureFailures = new Counter({
    name: 'redactory_erasure_failures_total',
    help: 'Times that the steward could not do an erasure; it tries again.',
    registers,
  });
  const gatewayLimit = new Gauge({
    name: 'redactory_gateway_in_flight_limit_requests',
    help: 'Requests that the gateway works on at once, at most.',
    registers,
  });
  const gatewaySeconds = new Histogram({
    name: 'redactory_gateway_append_seconds',
    help: 'Seconds to seal a batch and to have it on the disk of the log.',
    buckets: [0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.5, 2, 10],
    registers,
  });

  // A gauge without labels would say 0 where nobody sets it, and 0 is an answer as well.
  for (const gauge of [eventBytes, epochEnds, erasuresOpen, gatewayInFlight, gatewayLimit]) gauge.remove();

  // A counter that appears with its first event shows no increase: what alerts wait for is there from the start.
  for (const role of ROLES) {
    for (const reason of RESTART_REASONS) restarts.inc({ role, reason }, 0);
    for (const reason of FAILURE_REASONS) failures.inc({ role, reason }, 0);
  }
  retries.inc({ service: 'table_store', operation: 'put', reason: 'unreachable' }, 0);
  retries.inc({ service: 'registry', operation: 'ask', reason: 'unavailable' }, 0);
  gatewayBatches.inc({ outcome: 'kept', reason: '' }, 0);
  for (const reason of REASONS) {
    gatewayBatches.inc({ outcome: 'refused', reason }, 0);
    gatewayRefusals.inc({ reason }, 0);
  }
  for (const outcome of ['released', 'quarantined']) events.inc({ outcome, reason: '' }, 0);
  for (const reason of QUARANTINE_REASONS) batches.inc({ outcome: 'quarantined', reason }, 0);

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
    partitionEnded(group, partition) {
      lagMessages.remove({ group, partition });
      lagSeconds.remove({ group, partition });
      if (group === 'sink') return;
      open.remove({ partition });
      pending.remove({ partition });
    },
    controlLag: (table, messages) => control.set({ table }, messages),
    keyEpochEnds: (at) => epochEnds.set(at / 1000),
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
    retried: (service, operation, reason) => retries.inc({ service, operation, reason }),
    workerFailed: (role, reason) => failures.inc({ role, reason }),
    gatewayKept(count, size, seconds) {
      gatewayBatches.inc({ outcome: 'kept', reason: '' });
      gatewayEvents.inc(count ?? 0);
      gatewayBytes.inc(size);
      gatewaySeconds.observe(seconds);
    },
    gatewayRefused(reason, isBatch) {
      if (isBatch) gatewayBatches.inc({ outcome: 'refused', reason });
      else gatewayRefusals.inc({ reason });
    },
    gatewayGranted: () => gatewayGrants.inc(),
    gatewayInFlight: (count) => gatewayInFlight.set(count),
    erasuresOpen: (count) => erasuresOpen.set(count),
    erasureFailed: () => erasureFailures.inc(),
    gatewayLimit: (count) => gatewayLimit.set(count),
    whenShown(measure) {
      measures.add(measure);
      return () => void measures.delete(measure);
    },
    measureProcess() {
      if (!measuresProcess) collectDefaultMetrics({ register: registry });
      measuresProcess = true;
    },
    async render() {
      await withinPatience(Promise.allSettled([...measures].map((measure) => measure())));
      return { contentType: registry.contentType, body: await registry.metrics() };
    },
  };

  function countEvents(counts: EventCounts): void {
    readEvents.inc(counts.read);
    events.inc({ outcome: 'released', reason: '' }, counts.released);
    events.inc({ outcome: 'quarantined', reason: '' }, counts.quarantined);
    for (const [reason, n] of Object.entries(counts.dropped)) events.inc({ outcome: 'dropped', reason }, n);
  }
}

/** How long metrics wait for what is measured anew: less than a scrape does, if it comes each second. */
const PATIENCE_MS = 500;

/** Whoever asks for metrics has to have an answer when what is measured has none. */
async function withinPatience(work: Promise<unknown>): Promise<void> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<void>((resolve) => {
    timer = setTimeout(resolve, PATIENCE_MS);
  });
  await Promise.race([work, late]);
  clearTimeout(timer);
}

const OUTCOMES = { keep: 'kept', drop: 'dropped', quarantine: 'quarantined' } as const;
