import { setTimeout as delay } from 'node:timers/promises';
import type { FastifyInstance } from 'fastify';
import type { Erasure } from '../../events/control.ts';
import { createApp, type Service } from '../../producers/gateway/app.ts';
import type { PersonView } from '../../producers/gateway/person-view.ts';
import { createQuotas } from '../../producers/gateway/quotas.ts';
import { VIEW_ROUTES } from '../../producers/gateway/routes.ts';
import type { TableStore } from '../../sinks/index.ts';
import { isUnavailable } from '../unavailable.ts';
import { readTls } from '../read-tls.ts';
import { RunError } from '../run-error.ts';
import { rawReadersSince } from '../audit-readers.ts';
import { createSignIn } from '../sign-in.ts';
import type { Telemetry } from '../telemetry.ts';
import type { Workspace } from '../workspace.ts';
import { eraseOne, openErasures, watchLine, type EraseTools, type WaitingFor } from './erase.ts';
import { createPersonView, type ViewTools } from './view.ts';
import type { ControlTables } from '../control-tables.ts';

/** What the steward's work needs beside the log. */
export interface StewardOptions {
  /** Opened as the steward. */
  readonly workspace: Workspace;
  readonly telemetry: Telemetry;
  readonly openStore: (location: string, access: 'read' | 'write') => Promise<TableStore>;
  /** The policy's guard, ms. */
  readonly guardMs: number;
}

/** Answers about people, and erases them. */
export interface Steward {
  readonly view: PersonView;
  /** Erases those who asked, as far as the line lets it; how many are left. @throws the first failure, after all were tried. */
  eraseDue(signal?: AbortSignal): Promise<number>;
  /** What those wait for that the last try has left; nothing for those that were asked for once more meanwhile. */
  waitsFor(): readonly WaitingFor[];
}

/** @throws as the workspace's control tables do. */
export async function openSteward(options: StewardOptions): Promise<Steward> {
  const { workspace, telemetry, openStore, guardMs } = options;
  const { log, codec, config } = workspace;
  const tables: ControlTables = await workspace.controlTables(guardMs);
  await tables.catchUp();
  const erasures = await openErasures({ log, codec });
  const line = watchLine(log);
  let waiting: ReadonlySet<WaitingFor> = new Set();
  /** What erasures were last said to wait for. */
  let told = '';
  const shared = { log, codec, tables, now: () => workspace.now() };
  const view: ViewTools = {
    ...shared,
    store: await openStore(config.table, 'read'),
    readersSince: (since) => rawReadersSince(log, codec, since),
  };

  async function eraseNow(erasure: Erasure, signal: AbortSignal | undefined): Promise<void> {
    await tables.catchUp();
    const tools: EraseTools = {
      ...shared,
      table: config.table,
      openStore: (location) => openStore(location, 'write'),
      erasures,
      guardMs,
      audit: workspace.audit,
      ...(signal === undefined ? {} : { signal }),
    };
    const erased = await eraseOne(tools, erasure);
    if (erased === undefined) return;
    line.forget(erasure.erasureId);
    telemetry.log.info('an erasure is done', { detail: `${erased.rows} rows`, count: erased.sessions });
  }

  async function eraseDue(signal?: AbortSignal): Promise<number> {
    await erasures.catchUp();
    const due = erasures.open();
    const behind = new Set<WaitingFor>();
    waiting = behind;
    if (due.length === 0) return 0;
    const failures: unknown[] = [];
    for (const erasure of due) {
      signal?.throwIfAborted();
      const on = await line.waitsFor(erasure);
      if (on !== undefined) behind.add(on);
      // One that fails must not hold up the others.
      else await eraseNow(erasure, signal).catch((error: unknown) => failures.push(error));
    }
    const detail = [...behind].join(', ');
    if (detail !== '' && detail !== told) {
      telemetry.log.info('erasures wait until nothing of them is on its way', { detail, count: due.length });
    }
    told = detail;
    if (failures.length > 0) throw failures[0];
    await erasures.catchUp();
    return erasures.open().length;
  }

  return { view: createPersonView(view), eraseDue, waitsFor: () => [...waiting] };
}

/** Erases who asks until it is stopped. What fails is told, and tried again: nobody else would do it. */
export async function eraseMeanwhile(
  steward: Steward,
  { everyMs, signal, telemetry }: { everyMs: number; signal: AbortSignal; telemetry: Telemetry },
): Promise<void> {
  while (!signal.aborted) {
    try {
      telemetry.erasuresOpen(await steward.eraseDue(signal));
    } catch (error) {
      if (signal.aborted) return;
      telemetry.erasureFailed();
      // Only the kind of an error is known to hold nothing of a person.
      telemetry.log.error('an erasure failed and is tried again', {
        reason: error instanceof Error ? error.name : 'unknown',
      });
    }
    await delay(everyMs, undefined, { signal }).catch(() => undefined);
  }
}

/**
 * Erases who asked, and waits up to `waitMs` for what of them is on its way: a line that is always busy comes past it all the
 * same.
 *
 * @returns how many are left.
 * @throws the first failure of a try; an AbortError when it is stopped in the middle of one.
 */
export async function eraseOnce(
  steward: Pick<Steward, 'eraseDue'>,
  { everyMs, waitMs, signal }: { everyMs: number; waitMs: number; signal: AbortSignal },
): Promise<number> {
  const end = AbortSignal.any([signal, AbortSignal.timeout(waitMs)]);
  for (let isLast = waitMs === 0; ; isLast = end.aborted) {
    const left = await steward.eraseDue(signal);
    if (left === 0 || isLast || signal.aborted) return left;
    await delay(everyMs, undefined, { signal: end }).catch(() => undefined);
  }
}

/** Requests of one person in a minute; each may read a table. */
const REQUESTS_PER_MINUTE = 60;
const MAX_IN_FLIGHT = 16;

/**
 * Serves what {@link Steward.view} knows, to whom it is about: people sign in here as they do at the gateway, which passes
 * their own credentials on.
 *
 * @throws RunError when it cannot listen.
 */
export async function serveSteward(
  steward: Steward,
  { workspace, telemetry }: Pick<StewardOptions, 'workspace' | 'telemetry'>,
): Promise<{ readonly address: string; close(): Promise<void> }> {
  const { log, codec, config } = workspace;
  const { host, port, tls } = config.steward;
  const quotas = createQuotas({ requestsPerMinute: REQUESTS_PER_MINUTE, dataBudgetBytes: 0 });
  const signIn = await createSignIn({
    log,
    codec,
    identity: config.gateway.identity,
    subjectKey: await workspace.subjectKeys(),
    now: () => workspace.now(),
  });
  const app: FastifyInstance = await createApp<PersonView & Service>({
    service: {
      ...steward.view,
      admit({ subjectKey }) {
        const wait = quotas.request(subjectKey, workspace.now());
        return wait === 0 ? undefined : { refused: 'rate', retryAfter: wait };
      },
    },
    routes: VIEW_ROUTES,
    signIn,
    maxBodyBytes: 1_024,
    maxInFlight: MAX_IN_FLIGHT,
    requestTimeoutMs: 30_000,
    corsOrigins: [],
    corsCredentials: false,
    tls: tls === undefined ? null : await readTls('steward.tls', tls),
    isUnavailable,
    observe: {
      refused: () => undefined,
      granted: () => undefined,
      inFlight: () => undefined,
      // Only the kind of an error is known to hold nothing of a person.
      failed: (error) =>
        telemetry.log.error('a request failed', { reason: error instanceof Error ? error.name : 'unknown' }),
    },
  });
  const address = await app.listen({ host, port }).catch((error: unknown) => {
    const code = error instanceof Error && 'code' in error ? String(error.code) : 'unknown error';
    throw new RunError(`cannot serve on ${host}:${port} (${code}): choose another steward.host or steward.port`, {
      cause: error,
    });
  });
  return {
    address,
    close: () => app.close(),
  };
}
