/** A simulated recorder that behaves as docs/recorders.md asks, on one connection that it keeps open. */
import { createHash } from 'node:crypto';
import { Agent, request } from 'node:http';
import { setTimeout as delay } from 'node:timers/promises';
import type { Codec } from '../src/events/codec.ts';
import type { CapturePayload } from '../src/events/raw.ts';
import { NodeHkdf } from '../src/privacy/sealing/node-hkdf.ts';
import { createSealer, type Sealer } from '../src/privacy/sealing/seal.ts';
import { CAPTURE_TYPE, JSON_TYPE, SEALED_TYPE, type Grant } from '../src/producers/gateway/protocol.ts';

/** How recorders hand over their batches; each keeps to one. */
export const FORMS = [JSON_TYPE, CAPTURE_TYPE, SEALED_TYPE] as const;
export type Form = (typeof FORMS)[number];

/** A batch that was sent at least once, by `session/sequence`. */
export interface SentBatch {
  readonly id: string;
  readonly subjectKey: string;
  /** SHA-256 of the payload as it is packed. */
  readonly digest: string;
  /** Set when the gateway said that it is kept. */
  acknowledged: boolean;
}

/** What all recorders count together. */
export interface Tally {
  /** Requests that carried a batch. */
  sent: number;
  accepted: number;
  grants: number;
  /** By status and reason. */
  readonly refused: Map<string, number>;
  noAnswer: number;
  /** Given up with a session that is gone, as the protocol asks. */
  dropped: number;
  /** Of a batch: from the request that was accepted to its answer, ms. */
  readonly answered: number[];
  /** Of a batch: from its first request to its acknowledgement, ms, over refusals and waits. */
  readonly acknowledged: number[];
  readonly batches: SentBatch[];
}

export const newTally = (): Tally => ({
  sent: 0,
  accepted: 0,
  grants: 0,
  refused: new Map(),
  noAnswer: 0,
  dropped: 0,
  answered: [],
  acknowledged: [],
  batches: [],
});

export interface RecorderOptions {
  readonly address: string;
  readonly token: string;
  readonly subject: string;
  readonly subjectKey: string;
  readonly form: Form;
  readonly codec: Pick<Codec, 'packPayload'>;
  /** What this recorder captures next, of the person and device given. */
  readonly capture: (subject: string, device: string) => CapturePayload;
  /** Time between two batches, ms, a fifth more or less. */
  readonly everyMs: number;
  /** From 0 to 1. */
  readonly random: () => number;
  readonly tally: Tally;
  /** Time (performance.now) at which it captures no more. */
  readonly until: number;
}

const DEVICE = 'laptop';
const ANSWER_MS = 15_000;
/** With no answer at all: gateways that restart are not asked by everybody at once. */
const RETRY_MS = 1_000;

interface Open {
  readonly grant: Grant;
  readonly sealer: Sealer | undefined;
  sequence: number;
}

/** Records until the time is over; resolves when what it sent last was answered, or given up. */
export async function record(options: RecorderOptions): Promise<void> {
  const { everyMs, random, until } = options;
  const agent = new Agent({ keepAlive: true, maxSockets: 1 });
  try {
    let open: Open | undefined;
    for (let next = performance.now() + random() * everyMs; next < until; next += everyMs * (0.8 + 0.4 * random())) {
      await delay(Math.max(0, next - performance.now()));
      open ??= await ask(options, agent);
      if (open !== undefined && !(await sendNext(options, agent, open))) open = undefined;
      // A recorder that waited for long has nothing to catch up with: what it could not send was never captured.
      next = Math.max(next, performance.now() - everyMs);
    }
  } finally {
    agent.destroy();
  }
}

/** A session; undefined when time is over or the gateway says that there is none to be had. */
async function ask(
  { address, token, tally, random, until, form }: RecorderOptions,
  agent: Agent,
): Promise<Open | undefined> {
  while (performance.now() < until) {
    const body = Buffer.from(JSON.stringify({ device: DEVICE }));
    const answer = await send(agent, `${address}/v1/sessions`, { method: 'POST', token, type: JSON_TYPE, body });
    if (answer?.status === 201) {
      tally.grants++;
      // What a gateway of this program answers, as its own schema checked it.
      const grant = answer.body as Grant;
      const publicKey = Buffer.from(grant.sealing.publicKey, 'base64');
      const sealer = form === SEALED_TYPE ? await createSealer(publicKey, new NodeHkdf()) : undefined;
      return { grant, sealer, sequence: 0 };
    }
    count(tally, answer);
    if (answer !== undefined && !isTemporary(answer)) return undefined;
    await delay(waitFor(answer, random));
  }
  return undefined;
}

/** Sends one batch until it is acknowledged, or must be given up; false when the session is gone. */
async function sendNext(options: RecorderOptions, agent: Agent, open: Open): Promise<boolean> {
  const { address, token, subject, subjectKey, form, codec, capture, tally, random, until } = options;
  const { session, grantedAt } = open.grant;
  const sequence = open.sequence++;
  const payload = capture(subject, DEVICE);
  const packed = codec.packPayload(payload);
  const body = await bodyOf(form, payload, packed, open.sealer, { session, sequence, grantedAt });
  const digest = createHash('sha256').update(packed).digest('base64');
  const batch: SentBatch = { id: `${session}/${sequence}`, subjectKey, digest, acknowledged: false };
  tally.batches.push(batch);
  const first = performance.now();
  for (;;) {
    const url = `${address}/v1/sessions/${session}/batches/${sequence}`;
    const started = performance.now();
    const answer = await send(agent, url, { method: 'PUT', token, type: form, body });
    const now = performance.now();
    tally.sent++;
    if (answer?.status === 200) {
      tally.accepted++;
      tally.answered.push(now - started);
      tally.acknowledged.push(now - first);
      batch.acknowledged = true;
      return true;
    }
    count(tally, answer);
    const isGone = answer !== undefined && (answer.status === 404 || answer.status === 410);
    if (isGone || (answer !== undefined && !isTemporary(answer)) || now > until + ANSWER_MS) {
      tally.dropped++;
      return !isGone;
    }
    await delay(waitFor(answer, random));
  }
}

async function bodyOf(
  form: Form,
  payload: CapturePayload,
  packed: Uint8Array,
  sealer: Sealer | undefined,
  as: { readonly session: string; readonly sequence: number; readonly grantedAt: number },
): Promise<Buffer> {
  if (form === JSON_TYPE) return Buffer.from(JSON.stringify(payload));
  if (form === CAPTURE_TYPE || sealer === undefined) return Buffer.from(packed);
  const { seal, payload: closed } = await sealer.seal(as, packed);
  return Buffer.concat([Buffer.from(seal.keyId, 'hex'), seal.encapsulated, closed]);
}

interface Answer {
  readonly status: number;
  readonly retryAfter: number | undefined;
  readonly body: unknown;
}

const isTemporary = ({ status }: Answer): boolean => status === 429 || status === 503;

function count(tally: Tally, answer: Answer | undefined): void {
  if (answer === undefined) {
    tally.noAnswer++;
    return;
  }
  const { body } = answer;
  const reason = typeof body === 'object' && body !== null && 'error' in body ? String(body.error) : '?';
  const key = `${answer.status} ${reason}`;
  tally.refused.set(key, (tally.refused.get(key) ?? 0) + 1);
}

/** What the gateway asks for, and a random share more, so that recorders which were refused together do not come back together. */
function waitFor(answer: Answer | undefined, random: () => number): number {
  const least = answer?.retryAfter === undefined ? RETRY_MS : answer.retryAfter * 1_000;
  return least * (1 + random());
}

/** Undefined when there was no answer. */
function send(
  agent: Agent,
  url: string,
  {
    method,
    token,
    type,
    body,
  }: { readonly method: string; readonly token: string; readonly type: string; readonly body: Buffer },
): Promise<Answer | undefined> {
  return new Promise((done) => {
    const headers = { authorization: `Bearer ${token}`, 'content-type': type, 'content-length': body.length };
    const asked = request(url, { method, agent, headers, timeout: ANSWER_MS }, (response) => {
      const parts: Buffer[] = [];
      response.on('data', (part: Buffer) => parts.push(part));
      response.on('error', () => done(undefined));
      response.on('end', () => {
        const retryAfter = response.headers['retry-after'];
        const text = Buffer.concat(parts).toString();
        done({
          status: response.statusCode ?? 0,
          retryAfter: retryAfter === undefined ? undefined : Number(retryAfter),
          body: text === '' ? undefined : JSON.parse(text),
        });
      });
    });
    asked.on('timeout', () => asked.destroy());
    asked.on('error', () => done(undefined));
    asked.end(body);
  });
}
