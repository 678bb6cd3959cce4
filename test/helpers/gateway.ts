/** A gateway over HTTP on loopback, on an embedded log of its own, with a clock that stands still until it is moved. */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect } from 'vitest';
import { loadConfig } from '../../src/config.ts';
import type { CapturePayload, SealedBatch } from '../../src/events/raw.ts';
import { loadPolicy } from '../../src/privacy/policy.ts';
import { makeDecision, type DecisionKind } from '../../src/privacy/decisions.ts';
import { createSealer } from '../../src/privacy/sealing/seal.ts';
import { openBatch } from '../../src/processors/openBatch.ts';
import type { Acknowledged, Grant } from '../../src/producers/gateway/protocol.ts';
import { issueDevice } from '../../src/runtime/devices.ts';
import { serveGateway, type RunningGateway } from '../../src/runtime/gateway.ts';
import { appendDecision } from '../../src/runtime/ingest.ts';
import { createLogger, createTelemetry, type Telemetry } from '../../src/runtime/telemetry.ts';
import { TOPICS } from '../../src/runtime/topics.ts';
import { createUnseal } from '../../src/runtime/unseal.ts';
import { openWorkspace, type Workspace } from '../../src/runtime/workspace.ts';

export const START = Date.UTC(2026, 10, 25, 9);
/** Of the strict policy. */
export const GUARD_MS = 5_000;
/** Planted in what is sent; it may come out nowhere but on the raw topic, sealed. */
export const CANARY = 'canary-7421';

export interface Asked {
  readonly token?: string;
  readonly json?: unknown;
  readonly body?: Uint8Array | string;
  readonly headers?: Record<string, string>;
}

export interface Answer<T> {
  readonly status: number;
  readonly headers: Headers;
  readonly body: T & { readonly error?: string; readonly until?: number };
}

export interface TokenOf {
  readonly subject?: string;
  readonly device?: string | null;
  /** Ms. */
  readonly lasts?: number;
}

export interface World {
  /** Ms; both the gateway's time and that of the decisions. */
  clock: number;
  readonly dir: string;
  readonly workspace: Workspace;
  readonly telemetry: Telemetry;
  /** Where the gateway listens. */
  readonly address: string;
  /** Everything that was logged. */
  readonly logged: string;
  /** Starts it (anew), with these settings of the config's `gateway`. */
  readonly serve: (settings?: object, more?: Pick<Parameters<typeof serveGateway>[0], 'view'>) => Promise<void>;
  readonly decide: (kind: DecisionKind, subject?: string, minutes?: number) => Promise<void>;
  readonly tokenOf: (of?: TokenOf) => Promise<string>;
  readonly ask: <T = object>(method: string, path: string, asked?: Asked) => Promise<Answer<T>>;
  /** Somebody who is enrolled since an hour ago: their token. */
  readonly enrolled: (subject?: string) => Promise<string>;
  readonly granted: (token: string, device?: string) => Promise<Grant>;
  readonly put: (
    token: string,
    to: { readonly session: string },
    sequence: number,
    asked?: Asked,
  ) => Promise<Answer<Acknowledged>>;
  readonly batchOf: (change?: object) => CapturePayload;
  /** As a recorder that seals by itself sends it. */
  readonly sealedBody: (grant: Grant, sequence: number, payload: CapturePayload) => Promise<Buffer>;
  /** Everything on the raw topic, as the processors open it. */
  readonly opened: () => Promise<readonly object[]>;
  /** The same, as it lies there. */
  readonly rawBatches: () => Promise<readonly SealedBatch[]>;
}

/** A world for each test of the file; nothing is served until `serve`. */
export function useGateway(): World {
  let dir = '';
  let clock = START;
  let logged = '';
  let telemetry: Telemetry;
  let workspace: Workspace | undefined;
  let gateway: RunningGateway | undefined;

  beforeEach(async () => {
    dir = await mkdtemp(join(tmpdir(), 'redactory-gateway-'));
    clock = START;
    logged = '';
    telemetry = createTelemetry(
      createLogger({ level: 'info', pretty: false, to: { write: (line) => (logged += line) } }),
    );
  });
  async function stop(): Promise<void> {
    await gateway?.close();
    gateway = undefined;
    await workspace?.close();
    workspace = undefined;
  }
  afterEach(async () => {
    await stop();
    await rm(dir, { recursive: true });
  });

  const here = (): Workspace => {
    if (workspace === undefined) throw new Error('nothing is served yet');
    return workspace;
  };

  const world: World = {
    get clock() {
      return clock;
    },
    set clock(time) {
      clock = time;
    },
    get dir() {
      return dir;
    },
    get workspace() {
      return here();
    },
    get telemetry() {
      return telemetry;
    },
    get address() {
      return gateway?.address ?? '';
    },
    get logged() {
      return logged;
    },
    async serve(settings = {}, more = {}) {
      await stop();
      const config = await loadConfig({ env: {}, cwd: dir });
      workspace = await openWorkspace(
        { ...config, gateway: { ...config.gateway, port: 0, ...settings } },
        {},
        { role: 'gateway', now: () => clock },
      );
      const { policy } = await loadPolicy(config.policy);
      expect(policy.consent.guardSeconds * 1_000).toBe(GUARD_MS);
      gateway = await serveGateway({ workspace, policy, telemetry, elapsed: () => clock, ...more });
    },
    async decide(kind, subject = 'ana', minutes) {
      const subjectKey = (await here().subjectKeys())(subject);
      const length = minutes === undefined ? {} : { minutes };
      const decision = makeDecision(kind, { subjectKey, now: clock, randomId: () => `${kind}-${clock}`, ...length });
      await appendDecision(here().log, here().codec, decision);
    },
    async tokenOf({ subject = 'ana', device = null, lasts = 86_400_000 } = {}) {
      const subjectKey = (await here().subjectKeys())(subject);
      const { text } = await issueDevice(here(), { subjectKey, device, issuedAt: clock, expiresAt: clock + lasts });
      return text;
    },
    ask: (method, path, asked) => askAt(world.address, method, path, asked),
    async enrolled(subject = 'ana') {
      clock -= 3_600_000;
      await world.decide('enrol', subject);
      clock += 3_600_000;
      return world.tokenOf({ subject });
    },
    async granted(token, device = 'laptop') {
      const { status, body } = await world.ask<Grant>('POST', '/v1/sessions', { token, json: { device } });
      expect(status).toBe(201);
      return body;
    },
    put: (token, { session }, sequence, asked = {}) =>
      world.ask('PUT', `/v1/sessions/${session}/batches/${sequence}`, {
        token,
        ...(asked.body === undefined ? { json: world.batchOf() } : {}),
        ...asked,
      }),
    batchOf: (change = {}) => ({
      subject: 'ana',
      device: 'laptop',
      contexts: [{ app: 'Word', title: CANARY, url: '', private: false }],
      elements: [{ role: 'textbox', name: '', value: '', secure: false, bounds: null }],
      events: [{ kind: 'value_change', at: clock, context: 0, element: 0, value: CANARY }],
      ...change,
    }),
    async sealedBody({ session, grantedAt, sealing }, sequence, payload) {
      const sealer = await createSealer(Buffer.from(sealing.publicKey, 'base64'));
      expect(sealer.keyId).toBe(sealing.keyId);
      const packed = here().codec.packPayload(payload);
      const { seal, payload: closed } = await sealer.seal({ session, sequence, grantedAt }, packed);
      return Buffer.concat([Buffer.from(seal.keyId, 'hex'), seal.encapsulated, closed]);
    },
    opened: () => openAll(here(), () => clock),
    rawBatches: () => readAll(here()),
  };
  return world;
}

async function askAt<T>(
  address: string,
  method: string,
  path: string,
  { token, json, body: given, headers = {} }: Asked = {},
): Promise<Answer<T>> {
  const body = given ?? (json === undefined ? undefined : JSON.stringify(json));
  const response = await fetch(`${address}${path}`, {
    method,
    headers: {
      ...(token === undefined ? {} : { authorization: `Bearer ${token}` }),
      ...(body === undefined ? {} : { 'content-type': 'application/json' }),
      ...headers,
    },
    ...(body === undefined ? {} : { body: Buffer.from(body) }),
  });
  const text = await response.text();
  return { status: response.status, headers: response.headers, body: text === '' ? {} : JSON.parse(text) };
}

async function openAll(workspace: Workspace, now: () => number): Promise<readonly object[]> {
  const { log, codec } = workspace;
  // A gateway may not open keys: another part of the line does.
  const other = await openWorkspace(workspace.config, {}, { role: 'sanitizer', now });
  const tables = await other.controlTables(0);
  await tables.catchUp();
  const unseal = createUnseal({ codec, keyring: tables.keyring, sealed: 'required' });
  const subjectKey = await workspace.subjectKeys();
  const outcomes: object[] = [];
  for (const [partition, end] of (await log.endOffsets(TOPICS.raw)).entries()) {
    if (end === 0) continue;
    const at = { topic: TOPICS.raw, partition, offset: 0, maxRecords: 1_000, maxBytes: 1 << 24, waitMs: 0 };
    const { records } = await log.read(at);
    outcomes.push(...(await unseal(records)).map((record) => openBatch({ codec, subjectKey })(record)));
  }
  await other.close();
  return outcomes;
}

async function readAll({ log, codec }: Workspace): Promise<readonly SealedBatch[]> {
  const batches: SealedBatch[] = [];
  for (const [partition, end] of (await log.endOffsets(TOPICS.raw)).entries()) {
    const at = { topic: TOPICS.raw, partition, offset: 0, maxRecords: 10_000, maxBytes: 1 << 26, waitMs: 0 };
    const { records } = end === 0 ? { records: [] } : await log.read(at);
    for (const { value } of records) {
      const batch = codec.openEnvelope(value ?? new Uint8Array());
      if (batch.ok) batches.push(batch.value);
    }
  }
  return batches;
}
