import { createHash, randomUUID } from 'node:crypto';
import type { Codec } from '../../events/codec.ts';
import type { ConsentDecision, Erasure, PersonRequest, SealingKey } from '../../events/control.ts';
import type { CaptureEnvelope, SealedBatch } from '../../events/raw.ts';
import type { Zstd } from '../../events/zstd.ts';
import type { ConsentTimeline } from '../../privacy/consent.ts';
import { askErasure, makeDecision } from '../../privacy/decisions.ts';
import type { Sealed } from '../../privacy/sealing/seal.ts';
import type { PersonView } from './person-view.ts';
import { readBatch, type Batch, type Body } from './bodies.ts';
import {
  isRefused,
  MAX_GRANT_MS,
  THINNABLE,
  type Acknowledged,
  type ErasureState,
  type Grant,
  type Recordable,
  type Refused,
  type Requests,
  type Status,
} from './protocol.ts';
import { createQuotas, secondsLeft } from './quotas.ts';
import { createSessions, type Session } from './sessions.ts';

/** Who asks, as the sign-in found. */
export interface Person {
  readonly subjectKey: string;
  /** The only device that the sign-in is good for, or null. */
  readonly device: string | null;
}

/** The way of one batch through the gateway, as traces show it. */
export interface BatchSpan {
  /** For the batch's record. */
  readonly headers: Readonly<Record<string, string>>;
  /** Only of a batch that was to be kept: why one was refused is nothing for whoever sees the sender's traces. */
  end(what: { readonly outcome: 'done' | 'failed'; readonly bytes: number; readonly events?: number }): void;
}

/** What the gateway needs of the line. */
export interface GatewayPorts {
  readonly codec: Pick<Codec, 'packPayload' | 'openPayload'>;
  readonly zstd: Zstd;
  /** The trusted side's clock, ms: what is stamped, and what stamps are compared with. */
  readonly now: () => number;
  /** The machine's own, ms: for what people may use up in a minute or a day. */
  readonly clock: () => number;
  readonly consent: Pick<ConsentTimeline, 'judge' | 'status' | 'pausedUntil' | 'decisions'>;
  /** Waits until consent, erasures and sealing keys hold all that was on their topics when it was called. */
  catchUp(): Promise<void>;
  readonly subjectKey: (subject: string) => string;
  readonly sealingKeys: {
    /** @throws when there is none. */
    current(): SealingKey;
    /** When it stopped being the current one: ms, null while it is; undefined for a key that is not in use. */
    retiredAt(keyId: string): number | null | undefined;
  };
  seal(envelope: CaptureEnvelope, packed: Uint8Array): Promise<Sealed>;
  /** Durable when it resolves. `headers` go with the record. */
  append(subjectKey: string, batch: SealedBatch, headers: BatchSpan['headers']): Promise<void>;
  /** Begins to follow a batch; `traceparent` is the sender's, unchecked. */
  follow(traceparent: string | undefined): BatchSpan;
  /** Durable when it resolves. */
  decide(decision: ConsentDecision): Promise<void>;
  /** As of the last {@link GatewayPorts.catchUp}. */
  readonly erasures: { of(subjectKey: string): Erasure | undefined };
  /** As of the last {@link GatewayPorts.catchUp}; of one person, oldest first. */
  readonly requests: { of(subjectKey: string): readonly PersonRequest[] };
  /** Durable when it resolves. */
  erase(erasure: Erasure): Promise<void>;
  /** Durable when it resolves. */
  ask(request: PersonRequest): Promise<void>;
  readonly view: PersonView;
  /** What became of a batch that was kept. */
  kept(what: { readonly events: number | null; readonly bytes: number; readonly seconds: number }): void;
}

export interface GatewayLimits {
  readonly maxBodyBytes: number;
  readonly maxPayloadBytes: number;
  /** Bytes of a record on the log. */
  readonly maxRecordBytes: number;
  readonly maxEventsPerBatch: number;
  readonly maxContexts: number;
  readonly maxElements: number;
  readonly requestsPerMinute: number;
  readonly dataBudgetBytes: number;
}

/** The rules of the protocol, apart from HTTP. Every answer is a value; a throw is a fault of the line or of the program. */
export interface Gateway {
  /** Counts a request of a person: every one, before anything else is done for it. Decisions are counted by themselves. */
  admit(person: Person, isDecision: boolean): Refused | undefined;
  grant(person: Person, device: string): Promise<Grant | Refused>;
  /** `traceparent` is the header as it came, if it did. */
  put(
    person: Person,
    session: string,
    sequence: number,
    body: Body,
    traceparent?: string,
  ): Promise<Acknowledged | Refused>;
  end(person: Person, session: string): Refused | undefined;
  status(person: Person): Promise<Status>;
  /**
   * On the log when it resolves, unless what holds already is as much. A pause or a withdrawal is never refused; ending
   * pauses early is, to whoever does it all the time.
   */
  decide(person: Person, kind: Decided, minutes?: number): Promise<Status | Refused>;
  requests(person: Person): Promise<Requests>;
  /** In the person's own words. */
  askExemption(person: Person, reason: string): Promise<Requests | Refused>;
  erasure(person: Person): Promise<ErasureState>;
  /** Of all that came before now: an erasure that is under way then reaches up to now. */
  erase(person: Person): Promise<ErasureState>;
  readonly view: PersonView;
}

/** What people decide for themselves. */
export type Decided = 'pause' | 'resume' | 'withdraw';

/** Requests of one person that nobody has answered. */
const MAX_OPEN_REQUESTS = 3;
/** Of one person: more than anybody clicks. */
const DECISIONS_PER_MINUTE = 12;
/** Pauses and resumptions of one person in a day, before only time makes room for more. */
const MAX_DECISIONS_A_DAY = 100;
/** By less than this, a running pause is made longer only while there is room, ms. */
const MIN_EXTENSION_MS = 60_000;

const SUITE = 'DHKEM(X25519, HKDF-SHA256), HKDF-SHA256, AES-128-GCM';
/** From this share of the budget on, recorders are asked to leave out what matters least. */
const THIN_FROM = 0.8;
/** Room for what a record has around its payload. */
const ENVELOPE_BYTES = 1_024;
/** Bodies that are unpacked and read side by side: bounds the memory for it. */
const READ_AT_ONCE = 4;
/** A recorder looks again for a key when its session ends; a little more for the way. */
const RETIRED_KEY_MS = MAX_GRANT_MS + 60_000;

export function createGateway(options: {
  readonly ports: GatewayPorts;
  readonly limits: GatewayLimits;
  readonly record: Recordable;
  /** The policy's guard: for so long after a pause no session is granted, ms. */
  readonly guardMs: number;
}): Gateway {
  const { ports, limits, record, guardMs } = options;
  const sessions = createSessions(randomUUID);
  const quotas = createQuotas(limits);
  const decisionQuotas = createQuotas({ requestsPerMinute: DECISIONS_PER_MINUTE, dataBudgetBytes: 0 });
  const reading = atMost(READ_AT_ONCE);
  const bodyTools = {
    codec: ports.codec,
    zstd: ports.zstd,
    maxPayloadBytes: limits.maxPayloadBytes,
    maxEvents: limits.maxEventsPerBatch,
    maxContexts: limits.maxContexts,
    maxElements: limits.maxElements,
  };

  const sentToday = (person: string): number => quotas.sent(person, ports.clock());
  const remaining = (person: string): number => Math.max(0, limits.dataBudgetBytes - sentToday(person));
  const thin = (person: string): Status['thin'] =>
    sentToday(person) >= limits.dataBudgetBytes * THIN_FROM ? [...THINNABLE] : [];

  async function grant({ subjectKey, device: only }: Person, device: string): Promise<Grant | Refused> {
    if (isElsewhere({ device: only }, { device })) return { refused: 'device_mismatch' };
    await ports.catchUp();
    const now = ports.now();
    const verdict = ports.consent.judge(subjectKey, now, now);
    if (!verdict.allowed) return denied(subjectKey, verdict.reason, now);
    const key = ports.sealingKeys.current();
    const session = sessions.open({ subjectKey, device, now });
    return {
      session: session.id,
      grantedAt: session.grantedAt,
      endsAt: session.endsAt,
      limits: {
        maxBodyBytes: limits.maxBodyBytes,
        maxPayloadBytes: limits.maxPayloadBytes,
        maxEventsPerBatch: limits.maxEventsPerBatch,
        requestsPerMinute: limits.requestsPerMinute,
        dataBudgetBytes: limits.dataBudgetBytes,
        remainingBytes: remaining(subjectKey),
      },
      sealing: { keyId: key.keyId, publicKey: Buffer.from(key.publicKey).toString('base64'), suite: SUITE },
      record,
    };
  }

  type Denial = Exclude<ReturnType<ConsentTimeline['judge']>, { allowed: true }>['reason'];

  function denied(subjectKey: string, reason: Denial, now: number): Refused {
    if (reason !== 'paused' && reason !== 'session_ended_by_consent') return { refused: reason, retryAfter: 60 };
    const status = ports.consent.status(subjectKey, now);
    // Over, or not begun by a clock that is ahead of ours: what is left is the guard.
    const until = (status.kind === 'paused' ? status.until : now) + guardMs;
    return { refused: 'paused', until, retryAfter: Math.max(1, Math.ceil((until - now) / 1_000)) };
  }

  async function put(
    person: Person,
    id: string,
    sequence: number,
    body: Body,
    traceparent?: string,
  ): Promise<Acknowledged | Refused> {
    const span = ports.follow(traceparent);
    const session = sessions.find(id, person.subjectKey);
    if (session === undefined) return { refused: 'not_found' };
    if (isElsewhere(person, session)) return { refused: 'device_mismatch' };
    const mine = session.turn.then(() => putNext(session, sequence, body, span));
    session.turn = mine.catch(() => undefined);
    return mine;
  }

  async function putNext(
    session: Session,
    sequence: number,
    body: Body,
    span: BatchSpan,
  ): Promise<Acknowledged | Refused> {
    const { subjectKey } = session;
    const digest = digestOf(body);
    const before = session.acknowledged.get(sequence);
    if (before !== undefined) {
      return before.digest === digest ? acknowledged(sequence, before.receivedAt) : { refused: 'conflict' };
    }
    const closed = await closedBy(session);
    if (closed !== undefined) return closed;
    if (sequence <= session.last) return { refused: 'out_of_order' };

    const batch = await reading(() => readBatch(body, bodyTools));
    if (isRefused(batch)) return batch;
    const refused = check(session, batch);
    if (refused !== undefined) return refused;
    const receivedAt = ports.now();
    const size = body.bytes.length;
    const spentAt = ports.clock();
    if (!quotas.spend(subjectKey, size, spentAt)) return { refused: 'over_budget', retryAfter: secondsLeft(spentAt) };
    try {
      const started = performance.now();
      const envelope = { session: session.id, sequence, grantedAt: session.grantedAt, receivedAt };
      const { payload, seal } = batch.kind === 'sealed' ? batch : await ports.seal(envelope, batch.packed);
      await ports.append(subjectKey, { ...envelope, payload, seal }, span.headers);
      const seconds = (performance.now() - started) / 1_000;
      ports.kept({ events: batch.kind === 'sealed' ? null : batch.events, bytes: size, seconds });
      span.end({ outcome: 'done', bytes: size, ...(batch.kind === 'sealed' ? {} : { events: batch.events }) });
    } catch (error) {
      span.end({ outcome: 'failed', bytes: size });
      quotas.refund(subjectKey, size, spentAt);
      throw error;
    }
    session.acknowledged.set(sequence, { digest, receivedAt });
    session.last = sequence;
    return acknowledged(sequence, receivedAt);

    function acknowledged(number: number, at: number): Acknowledged {
      return { sequence: number, receivedAt: at, remainingBytes: remaining(subjectKey), thin: thin(subjectKey) };
    }
  }

  /** Judged anew for each batch, on consent as it is now: a decision ends a session with the next batch. */
  async function closedBy(session: Session): Promise<Refused | undefined> {
    await ports.catchUp();
    const now = ports.now();
    // By a clock that was set back, it can't be told what was decided since the grant.
    if (session.ended === null && (now >= session.endsAt || now < session.grantedAt)) session.ended = 'expired';
    if (session.ended === null) {
      const verdict = ports.consent.judge(session.subjectKey, session.grantedAt, now);
      if (!verdict.allowed) session.ended = denied(session.subjectKey, verdict.reason, now).refused;
    }
    if (session.ended === null) return undefined;
    const why: Refused =
      session.ended === 'paused' ? denied(session.subjectKey, 'paused', now) : { refused: session.ended };
    return { ...why, status: 410 };
  }

  function check(session: Session, batch: Batch): Refused | undefined {
    if (batch.kind === 'sealed') {
      if (batch.payload.length + ENVELOPE_BYTES > limits.maxRecordBytes) return { refused: 'too_large' };
      const retiredAt = ports.sealingKeys.retiredAt(batch.seal.keyId);
      const inUse = retiredAt !== undefined && (retiredAt === null || ports.now() - retiredAt <= RETIRED_KEY_MS);
      return inUse ? undefined : { refused: 'unknown_sealing_key' };
    }
    if (batch.packed.length + ENVELOPE_BYTES > limits.maxRecordBytes) return { refused: 'too_large' };
    if (ports.subjectKey(batch.subject) !== session.subjectKey) return { refused: 'subject_mismatch' };
    return batch.device === session.device ? undefined : { refused: 'device_mismatch' };
  }

  async function status({ subjectKey }: Person, notBefore = 0): Promise<Status> {
    await ports.catchUp();
    const now = Math.max(ports.now(), notBefore);
    const standing = ports.consent.status(subjectKey, now);
    return {
      recording: standing.kind,
      until: standing.kind === 'paused' ? standing.until : null,
      now,
      sessions: sessions.openOf(subjectKey, now).length,
      sentBytesToday: sentToday(subjectKey),
      dataBudgetBytes: limits.dataBudgetBytes,
      thin: thin(subjectKey),
    };
  }

  return {
    admit({ subjectKey }, isDecision) {
      const wait = (isDecision ? decisionQuotas : quotas).request(subjectKey, ports.clock());
      return wait === 0 ? undefined : { refused: 'rate', retryAfter: wait };
    },
    grant,
    put,
    end(person, id) {
      const session = sessions.find(id, person.subjectKey);
      if (session === undefined) return { refused: 'not_found' };
      if (isElsewhere(person, session)) return { refused: 'device_mismatch' };
      session.ended ??= 'ended';
      return undefined;
    },
    status: (person) => status(person),
    decide: oneByOne(async (person, kind: Decided, minutes?: number) => {
      const { subjectKey } = person;
      // Protection waits for no reading: where it fails, too much is written rather than nothing.
      const isKnown = await ports.catchUp().then(
        () => true,
        (error: unknown) => {
          if (kind === 'resume') throw error;
          return false;
        },
      );
      const now = ports.now();
      const need = isKnown ? needOf(kind, subjectKey, now, minutes) : { write: true };
      if (isRefused(need)) return need;
      const length = minutes === undefined ? {} : { minutes };
      if (need.write) await ports.decide(makeDecision(kind, { subjectKey, now, randomId: randomUUID, ...length }));
      if (kind === 'pause') sessions.endAll(subjectKey, 'paused');
      if (kind === 'withdraw') sessions.endAll(subjectKey, 'withdrawn');
      // A pause still holds in the millisecond in which it is ended.
      return status(person, now + 1);
    }),
    requests,
    askExemption: oneByOne(async (person, reason: string) => {
      const { subjectKey } = person;
      await ports.catchUp();
      const open = ports.requests.of(subjectKey).filter(({ answer }) => answer === null);
      if (open.length >= MAX_OPEN_REQUESTS) return { refused: 'too_many_requests' };
      const asked = { subjectKey, requestId: randomUUID(), kind: 'exemption', reason, askedAt: ports.now() } as const;
      await ports.ask({ ...asked, answer: null, answeredAt: null, comment: '' });
      return requests(person);
    }),
    erasure,
    erase: oneByOne(async (person) => {
      const { subjectKey } = person;
      await ports.catchUp();
      const asked = { subjectKey, by: 'person', now: ports.now(), randomId: randomUUID } as const;
      await ports.erase(askErasure(ports.erasures.of(subjectKey), asked));
      sessions.endAll(subjectKey, 'erased');
      return erasure(person);
    }),
    view: ports.view,
  };

  /**
   * Whether a decision changes anything. Each one on the log stays there, so what could be asked for in a loop is bounded: by
   * time, or else to so many in a day.
   */
  function needOf(kind: Decided, subjectKey: string, now: number, minutes = 0): { readonly write: boolean } | Refused {
    if (kind === 'withdraw') return { write: ports.consent.status(subjectKey, now).kind !== 'withdrawn' };
    // A pause still holds in the millisecond in which it was ended.
    const until = ports.consent.pausedUntil(subjectKey, now + 1);
    const roomAt = roomForDecisions(subjectKey, now);
    if (kind === 'pause') {
      const gained = until === undefined ? Infinity : now + minutes * 60_000 - until;
      return { write: gained > 0 && (gained >= MIN_EXTENSION_MS || roomAt <= now) };
    }
    if (until === undefined) return { write: false };
    return roomAt <= now ? { write: true } : { refused: 'rate', retryAfter: Math.ceil((roomAt - now) / 1_000) };
  }

  /** When there is room for one more, ms: as the log tells, so for all gateways together. */
  function roomForDecisions(subjectKey: string, now: number): number {
    const lately = ports.consent
      .decisions(subjectKey)
      .filter(({ kind, decidedAt }) => (kind === 'pause' || kind === 'resume') && decidedAt > now - DAY_MS);
    return (lately.at(-MAX_DECISIONS_A_DAY)?.decidedAt ?? now - DAY_MS) + DAY_MS;
  }

  async function requests({ subjectKey }: Person): Promise<Requests> {
    await ports.catchUp();
    return {
      requests: ports.requests
        .of(subjectKey)
        .slice(-SHOWN_REQUESTS)
        .map(({ kind, reason, askedAt, answer, answeredAt, comment }) => {
          return { kind, reason, askedAt, answer, answeredAt, comment };
        }),
    };
  }

  async function erasure({ subjectKey }: Person): Promise<ErasureState> {
    await ports.catchUp();
    const found = ports.erasures.of(subjectKey);
    if (found === undefined) return { state: 'none', requestedAt: null, doneAt: null, rows: 0, sessions: 0 };
    const { requestedAt, doneAt, rows, sessions: count } = found;
    return { state: doneAt === null ? 'under_way' : 'done', requestedAt, doneAt, rows, sessions: count };
  }
}

/** Whether a sign-in is good for another device only. */
const isElsewhere = ({ device: only }: Pick<Person, 'device'>, { device }: { readonly device: string }): boolean =>
  only !== null && only !== device;

const DAY_MS = 86_400_000;

/** Lets one at a time of each person do it, so that what is looked up still holds when it is acted on. */
function oneByOne<A extends readonly unknown[], T>(
  work: (person: Person, ...rest: A) => Promise<T>,
): (person: Person, ...rest: A) => Promise<T> {
  const turns = new Map<string, Promise<unknown>>();
  return (person, ...rest) => {
    const before = turns.get(person.subjectKey) ?? Promise.resolve();
    const mine = before.then(() => work(person, ...rest));
    const turn = mine
      .catch(() => undefined)
      .finally(() => {
        if (turns.get(person.subjectKey) === turn) turns.delete(person.subjectKey);
      });
    turns.set(person.subjectKey, turn);
    return mine;
  };
}

/** Requests that are shown, the last ones. */
const SHOWN_REQUESTS = 20;

function digestOf({ type, encoding = '', bytes }: Body): string {
  return createHash('sha256').update(`${type}\0${encoding}\0`).update(bytes).digest('base64');
}

/** Runs so many at a time; the others wait for their turn. */
function atMost(count: number): <T>(work: () => Promise<T>) => Promise<T> {
  const waiting: (() => void)[] = [];
  let free = count;
  return async (work) => {
    if (free === 0) await new Promise<void>((go) => waiting.push(go));
    else free--;
    try {
      return await work();
    } finally {
      const next = waiting.shift();
      if (next === undefined) free++;
      else next();
    }
  };
}
