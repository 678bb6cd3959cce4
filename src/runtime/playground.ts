import { randomUUID } from 'node:crypto';
import { makeDecision } from '../privacy/decisions.ts';
import type { Page } from '../producers/gateway/pages.ts';
import type { Route } from '../producers/gateway/routes.ts';
import { builtPages } from './built-pages.ts';
import { issueDevice, openDevices, revokeDevice } from './devices.ts';
import { appendDecision } from './ingest.ts';
import { createFeed } from './playground/feed.ts';
import { onlyRecordsOf } from './playground/one-person.ts';
import { playgroundPolicy, showReleased } from './playground/processors.ts';
import { PLAYGROUND_POLICIES, PLAYGROUND_SUBJECT, type SettingsAnswer } from './playground/protocol.ts';
import {
  columnReasons,
  DROPPED,
  lossesOf,
  PLACEHOLDER_REASONS,
  QUARANTINED,
  rawReasons,
  WAITING,
} from './playground/reasons.ts';
import { playgroundRoutes } from './playground/routes.ts';
import { RunError } from './run-error.ts';
import { ensureSealingKey } from './sealing-keys.ts';
import { createTelemetry, type Telemetry } from './telemetry.ts';
import { TOPICS } from './topics.ts';
import type { Workspace } from './workspace.ts';

export interface Playground {
  readonly routes: readonly Route[];
  readonly pages: readonly Page[];
  /** What the page signs in with: goes behind `#token=` of its address. */
  readonly token: string;
  /** Rejects when the processors fail; resolves after {@link close}. */
  readonly done: Promise<void>;
  /** Before the gateway is closed: answers that wait are given. The token is not good any more. */
  close(): Promise<void>;
}

const DAY_MS = 86_400_000;
/** Clocks of trusted machines may differ so much: who was enrolled before that may be recorded at once. */
const ENROLLED_BEFORE_MS = 60_000;
/** Soon enough to look live. */
const FLUSH_MS = 600;
/** A page asks about as often as it sends: with both it stays within three quarters of what a person may. */
const flushMsFor = (requestsPerMinute: number): number =>
  Math.max(FLUSH_MS, Math.ceil((2 * 60_000) / (0.75 * requestsPerMinute)));

/**
 * Opens a playground on the log of a workspace: enrols its made-up person, makes a token for this run, and runs the
 * processors once a policy over what that person records, and over nobody else's.
 *
 * @throws RunError where it would not be on one machine alone, or is not built.
 */
export async function openPlayground({
  workspace,
  telemetry,
  pages,
}: {
  readonly workspace: Workspace;
  readonly telemetry: Telemetry;
  /** In place of those that `npm run build` has built. */
  readonly pages?: readonly Page[];
}): Promise<Playground> {
  const { config, codec, log } = workspace;
  checkPlace(config);
  const served = pages ?? (await builtPages('playground', '/playground'));
  if (served.length === 0) throw new RunError('the page of the playground is not built: run `npm run build`');
  // Before the keys are opened and raw is read.
  const about = { policies: PLAYGROUND_POLICIES.join(' ') };
  await workspace.audit.record({ what: 'playground', stage: 'started', why: '', about });
  const policies = await Promise.all(PLAYGROUND_POLICIES.map(async (name) => (await playgroundPolicy(name)).policy));
  const guardMs = Math.max(...policies.map(({ consent }) => consent.guardSeconds)) * 1_000;
  const tables = await workspace.controlTables(guardMs);
  await tables.catchUp();
  const now = await workspace.trustedNow();
  await ensureSealingKey({ log, codec, tables, now });
  const subjectKeys = await workspace.subjectKeys();
  const subjectKey = subjectKeys(PLAYGROUND_SUBJECT);
  await enrol(workspace, subjectKey, now);
  const { text: token, tokenId } = await issueDevice(workspace, {
    subjectKey,
    device: null,
    issuedAt: now,
    expiresAt: now + DAY_MS,
  });

  const feed = createFeed();
  const stop = new AbortController();
  const tools = {
    log: onlyRecordsOf(log, TOPICS.raw, subjectKey),
    codec,
    feed,
    tables,
    subjectKey: subjectKeys,
    sealed: config.raw.sealed,
    // Its own: what is processed here has been counted, or will be, by the line that keeps it.
    telemetry: createTelemetry(telemetry.log),
    now: workspace.now,
  };
  const runs = PLAYGROUND_POLICIES.map((name) =>
    showReleased(tools, name, stop.signal).catch((error: unknown) => {
      stop.abort();
      throw error;
    }),
  );
  const done = Promise.all(runs).then(() => undefined);
  // Whoever opened this may look later.
  done.catch(() => undefined);

  return {
    token,
    pages: served,
    routes: playgroundRoutes({ subjectKey, feed, settings: await settingsFor(workspace, policies) }),
    done,
    async close() {
      feed.close();
      stop.abort();
      await Promise.allSettled(runs);
      const devices = await openDevices(workspace);
      const issued = devices.all().find((device) => device.tokenId === tokenId);
      if (issued !== undefined) await revokeDevice(workspace, issued, workspace.now());
    },
  };
}

function checkPlace({ kafka, gateway }: Workspace['config']): void {
  if (kafka !== null) {
    throw new RunError(
      'gateway.playground is for trying out on one machine, not on a cluster: leave it out, or leave out `kafka`',
    );
  }
  if (gateway.identity.kind !== 'tokens') {
    throw new RunError('gateway.playground needs `gateway.identity: {kind: tokens}`: its person is known to no proxy');
  }
}

async function enrol({ log, codec }: Workspace, subjectKey: string, now: number): Promise<void> {
  const decidedAt = Math.max(0, now - ENROLLED_BEFORE_MS);
  await appendDecision(log, codec, makeDecision('enrol', { subjectKey, now: decidedAt, randomId: randomUUID }));
}

async function settingsFor(
  { config }: Workspace,
  policies: readonly Awaited<ReturnType<typeof playgroundPolicy>>['policy'][],
): Promise<SettingsAnswer> {
  return {
    subject: PLAYGROUND_SUBJECT,
    flushMs: flushMsFor(config.gateway.requestsPerMinute),
    hasPersonPage: (await builtPages('page', '/me')).length > 0,
    policies: policies.map((policy, i) => ({
      name: PLAYGROUND_POLICIES[i] ?? 'strict',
      description: policy.description,
      columns: { ...columnReasons(policy) },
      losses: Object.fromEntries(Object.entries(lossesOf(policy)).map(([action, losses]) => [action, [...losses]])),
      raw: { ...rawReasons(policy) },
    })),
    dropped: Object.fromEntries(
      Object.entries(DROPPED).map(([reason, { why, kinds }]) => [reason, { why, kinds: [...kinds] }]),
    ),
    quarantined: { ...QUARANTINED },
    placeholders: { ...PLACEHOLDER_REASONS },
    waiting: WAITING,
  };
}
