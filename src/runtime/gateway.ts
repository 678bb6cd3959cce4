import type { Config } from '../config.ts';
import type { ConsentDecision, Erasure } from '../events/control.ts';
import { RAW_KINDS } from '../events/raw.ts';
import { openGlobalTable } from '../log/global-table.ts';
import { createConsentTimeline } from '../privacy/consent.ts';
import { KeyError } from '../privacy/keys/key-error.ts';
import type { Policy } from '../privacy/policy.ts';
import { createApp } from '../producers/gateway/app.ts';
import { createGateway, type GatewayPorts } from '../producers/gateway/gateway.ts';
import type { Page } from '../producers/gateway/pages.ts';
import { NO_VIEW, remoteView, type PersonView } from '../producers/gateway/person-view.ts';
import type { Recordable } from '../producers/gateway/protocol.ts';
import { ROUTES, type Route } from '../producers/gateway/routes.ts';
import { createAppender } from './appender.ts';
import { appendErasure, laterErasure } from './erasures.ts';
import { appendDecision } from './ingest.ts';
import { appendRequest, openRequests } from './requests.ts';
import { readTls } from './read-tls.ts';
import { RunError } from './run-error.ts';
import { openSealingKeys } from './sealing-keys.ts';
import { shareRounds } from './shared-round.ts';
import { createSignIn, identityHeader, type SignIn } from './sign-in.ts';
import { clockFrom } from './stamps.ts';
import type { Telemetry } from './telemetry.ts';
import { TOPICS } from './topics.ts';
import { isUnavailable } from './unavailable.ts';
import type { Workspace } from './workspace.ts';

/** How long requests that are under way may take when the gateway stops, ms: less than the process has. */
const CLOSING_MS = 4_000;

export interface RunningGateway {
  /** `http://host:port` where it listens. */
  readonly address: string;
  /** Finishes what was begun, takes nothing new. */
  close(): Promise<void>;
}

/**
 * Serves recorders on the log of a workspace.
 *
 * @throws RunError when it cannot listen; KeyError when there is no key to seal to.
 */
export async function serveGateway(options: {
  readonly workspace: Workspace;
  readonly policy: Policy;
  readonly telemetry: Telemetry;
  /** Answers about what was kept; without it, the config's `steward.url` does, or nobody. */
  readonly view?: PersonView;
  readonly pages?: readonly Page[];
  /** Beside the gateway's own. */
  readonly routes?: readonly Route[];
  /** Ms that have passed since some moment, whatever is done to the clock; `performance.now()` if left out. */
  readonly elapsed?: () => number;
}): Promise<RunningGateway> {
  const { workspace, policy, telemetry } = options;
  const { config } = workspace;
  const { gateway: settings } = config;
  const ports = await openPorts(options);
  const limits = { ...settings, maxPayloadBytes: config.limits.maxPayloadBytes };
  const gateway = createGateway({
    ports: ports.gateway,
    limits: {
      maxBodyBytes: limits.maxBodyBytes,
      maxPayloadBytes: limits.maxPayloadBytes,
      maxRecordBytes: config.limits.maxRecordBytes,
      maxEventsPerBatch: Math.min(settings.maxEventsPerBatch, config.limits.maxEvents),
      maxContexts: config.limits.maxContexts,
      maxElements: config.limits.maxElements,
      requestsPerMinute: settings.requestsPerMinute,
      dataBudgetBytes: settings.dataBudgetBytes,
    },
    record: recordableBy(policy),
    guardMs: policy.consent.guardSeconds * 1_000,
  });
  const app = await createApp({
    service: gateway,
    routes: [...ROUTES, ...(options.routes ?? [])],
    pages: options.pages ?? [],
    signIn: ports.signIn,
    maxBodyBytes: settings.maxBodyBytes,
    maxInFlight: settings.maxInFlight,
    requestTimeoutMs: settings.requestSeconds * 1_000,
    corsOrigins: settings.corsOrigins,
    // A token is a header that a page has to give; a proxy may know people by what their browser sends by itself.
    corsCredentials: settings.identity.kind === 'proxy',
    tls: settings.tls === undefined ? null : await readTls('gateway.tls', settings.tls),
    isUnavailable,
    observe: {
      refused: (reason, isBatch) => telemetry.gatewayRefused(reason, isBatch),
      granted: () => telemetry.gatewayGranted(),
      inFlight: (count) => telemetry.gatewayInFlight(count),
      // Only the kind of an error is known to hold nothing of what was sent.
      failed: (error) =>
        telemetry.log.error('a request failed', { reason: error instanceof Error ? error.name : 'unknown' }),
    },
  });
  telemetry.gatewayLimit(settings.maxInFlight);
  telemetry.gatewayInFlight(0);
  const { host, port } = settings;
  const address = await app.listen({ host, port }).catch((error: unknown) => {
    const code = error instanceof Error && 'code' in error ? String(error.code) : 'unknown error';
    const todo = 'choose another gateway.host or gateway.port';
    throw new RunError(`cannot serve recorders on ${host}:${port} (${code}): ${todo}`, { cause: error });
  });
  return {
    address,
    async close() {
      // Whoever sends slowly has no answer yet, and sends again.
      const late = setTimeout(() => app.server.closeAllConnections(), CLOSING_MS);
      await app.close();
      clearTimeout(late);
    },
  };
}

async function openPorts({ workspace, policy, telemetry, view, ...more }: Parameters<typeof serveGateway>[0]): Promise<{
  readonly gateway: GatewayPorts;
  readonly signIn: SignIn;
}> {
  const { log, codec, zstd, config } = workspace;
  const { identity } = config.gateway;
  const guardMs = policy.consent.guardSeconds * 1_000;
  const clock = (): number => workspace.now();
  // Not behind what was stamped before, as for every producer. On a cluster stamps come from the clocks of many machines, of
  // which none may be held back by what it once said itself.
  const { elapsed = () => performance.now() } = more;
  const now = config.kafka === null ? clockFrom(await workspace.trustedNow(), clock, elapsed) : clock;
  const consent = createConsentTimeline({ guardMs });
  let isOpen = false;
  const decided = await openGlobalTable({
    log,
    topic: TOPICS.consent,
    apply({ value }) {
      if (value === null) return;
      const decision = codec.decodeConsent(value);
      consent.apply(decision);
      // Who decides elsewhere knows the latest stamp on the log, not how far this clock has gone on since.
      const isAhead = now() - Math.max(clock(), decision.decidedAt) > guardMs;
      if (isOpen && isAhead && PROTECTIVE.has(decision.kind)) consent.apply(asOf(decision, now()));
    },
  });
  isOpen = true;
  const erasures = new Map<string, Erasure>();
  const erased = await openGlobalTable({
    log,
    topic: TOPICS.erasures,
    apply: ({ value }) => {
      if (value === null) return;
      const erasure = codec.decodeErasure(value);
      consent.applyErasure(erasure);
      erasures.set(erasure.subjectKey, laterErasure(erasures.get(erasure.subjectKey), erasure));
    },
  });
  const requests = await openRequests({ log, codec });
  const sealer = await workspace.sealer();
  const sealing = await openSealingKeys({ log, codec });
  if (sealing.current() === undefined) throw noSealingKey();
  const subjectKey = await workspace.subjectKeys();
  const append = createAppender(log, TOPICS.raw);
  const traces = await workspace.traces();
  const catchUp = shareRounds(async () => {
    await Promise.all([
      log.endOffsets(TOPICS.consent).then((ends) => decided.caughtUpTo(ends)),
      log.endOffsets(TOPICS.erasures).then((ends) => erased.caughtUpTo(ends)),
      sealing.catchUp(),
      requests.catchUp(),
    ]);
  });
  const signIn = await createSignIn({ log, codec, identity, subjectKey, now: clock });

  return {
    signIn,
    gateway: {
      codec,
      zstd,
      now,
      clock,
      consent,
      catchUp,
      subjectKey,
      sealingKeys: {
        current() {
          const key = sealing.current();
          if (key === undefined) throw noSealingKey();
          return key;
        },
        retiredAt(keyId) {
          const isActive = sealing.all().some((key) => key.keyId === keyId && key.state === 'active');
          return isActive ? sealing.retiredAt(keyId) : undefined;
        },
      },
      async seal(envelope, packed) {
        const [sealed] = await sealer.seal([{ envelope, packed }]);
        if (sealed === undefined) throw new RangeError('a sealer gives as many payloads as it gets');
        return sealed;
      },
      append: (key, batch, headers) =>
        append({ key, value: codec.encodeEnvelope(batch), timestamp: batch.receivedAt, headers }),
      follow: (parent) => traces.start('gateway.put', { parent }),
      decide: (decision) => appendDecision(log, codec, decision),
      erasures: { of: (key) => erasures.get(key) },
      requests: { of: (key) => requests.of(key) },
      erase: (erasure) => appendErasure({ log, codec }, erasure),
      ask: (request) => appendRequest({ log, codec }, request),
      view: view ?? viewBy(config),
      kept: ({ events, bytes, seconds }) => telemetry.gatewayKept(events, bytes, seconds),
    },
  };
}

function viewBy({ steward, gateway }: Config): PersonView {
  if (steward.url === undefined) return NO_VIEW;
  return remoteView({ url: steward.url, header: identityHeader(gateway.identity) });
}

const PROTECTIVE: ReadonlySet<ConsentDecision['kind']> = new Set(['pause', 'withdraw', 'exempt']);

/** The same decision as if it were made at this time (ms); a pause is as long. */
const asOf = (decision: ConsentDecision, now: number): ConsentDecision => ({
  ...decision,
  decidedAt: now,
  until: decision.until === null ? null : decision.until + now - decision.decidedAt,
});

const noSealingKey = (): KeyError =>
  new KeyError('there is no key to seal payloads to: run `redactory keys sealing rotate`');

/**
 * What a policy drops whatever else holds, and all kinds that there are: no action comes from pointer moves, but values of the
 * elements under them help to find the echoes of what was typed.
 */
function recordableBy({ contexts }: Policy): Recordable {
  return {
    private: false,
    excludeApps: [...contexts.excludeApps],
    excludeHosts: [...contexts.excludeHosts],
    excludeTitles: [...contexts.excludeTitles],
    kinds: [...RAW_KINDS],
  };
}
