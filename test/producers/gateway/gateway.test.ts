/** The rules apart from HTTP: whatever is sent, in whatever order, the log has what was acknowledged, once. */
import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { ConsentDecision, PersonRequest } from '../../../src/events/control.ts';
import type { CapturePayload, SealedBatch } from '../../../src/events/raw.ts';
import { createCodec } from '../../../src/events/codec.ts';
import { DEFAULT_LIMITS } from '../../../src/events/limits.ts';
import { loadContracts, schemaIds } from '../../../src/events/schemas.ts';
import { loadZstd } from '../../../src/events/zstd.ts';
import { createConsentTimeline } from '../../../src/privacy/consent.ts';
import { makeDecision } from '../../../src/privacy/decisions.ts';
import { createSubjectKeys } from '../../../src/privacy/subject-key.ts';
import { createGateway, type Gateway, type Person } from '../../../src/producers/gateway/gateway.ts';
import { NO_VIEW } from '../../../src/producers/gateway/person-view.ts';
import { isRefused, JSON_TYPE, MAX_GRANT_MS } from '../../../src/producers/gateway/protocol.ts';

const START = Date.UTC(2026, 10, 25, 9);
const GUARD_MS = 5_000;
const keyOf = createSubjectKeys(new Uint8Array(32));
const ANA: Person = { subjectKey: keyOf('ana'), device: null };
const BEN: Person = { subjectKey: keyOf('ben'), device: null };

const zstd = await loadZstd();
const codec = createCodec({ zstd, schemas: schemaIds(loadContracts()), limits: DEFAULT_LIMITS });

interface Fake {
  readonly gateway: Gateway;
  /** What is on the log, by key. */
  readonly log: { readonly key: string; readonly batch: SealedBatch }[];
  now: number;
  /** What the next appends do instead. */
  readonly fails: boolean[];
  /** How batches that were followed ended. */
  readonly spans: object[];
  /** What was decided through the gateway, in its order. */
  readonly decided: ConsentDecision[];
  /** Whether the log can't be read. */
  isUnread: boolean;
  decide(kind: ConsentDecision['kind'], person: Person): void;
}

function fake(): Fake {
  const consent = createConsentTimeline({ guardMs: GUARD_MS });
  const key = { keyId: '00'.repeat(8), publicKey: new Uint8Array(32), createdAt: START, state: 'active' as const };
  const asked: PersonRequest[] = [];
  const world: Omit<Fake, 'gateway'> = {
    log: [],
    now: START - 3_600_000,
    fails: [],
    spans: [],
    decided: [],
    isUnread: false,
    decide(kind, { subjectKey }) {
      const of = { subjectKey, now: world.now, randomId: () => `${kind}-${world.now}` };
      consent.apply(makeDecision(kind, kind === 'pause' ? { ...of, minutes: 5 } : of));
    },
  };
  const gateway = createGateway({
    ports: {
      codec,
      zstd,
      now: () => world.now,
      clock: () => world.now,
      consent,
      catchUp: async () => {
        if (world.isUnread) throw new Error('the log cannot be read');
      },
      subjectKey: keyOf,
      sealingKeys: { current: () => key, retiredAt: () => null },
      // Not sealed, so that the test sees what is kept.
      seal: async (_envelope, payload) => ({
        payload,
        seal: { keyId: key.keyId, encapsulated: new Uint8Array(32) },
      }),
      async append(subjectKey, batch) {
        await Promise.resolve();
        if (world.fails.shift() === true) throw new Error('the log does not answer');
        world.log.push({ key: subjectKey, batch });
      },
      follow: () => ({ headers: {}, end: (what) => void world.spans.push(what) }),
      erasures: { of: () => undefined },
      requests: { of: () => asked },
      erase: async () => undefined,
      async ask(request) {
        await Promise.resolve();
        asked.push(request);
      },
      view: NO_VIEW,
      async decide(decision) {
        await Promise.resolve();
        world.decided.push(decision);
        consent.apply(decision);
      },
      kept: () => {},
    },
    limits: {
      maxBodyBytes: 1 << 20,
      maxPayloadBytes: 1 << 20,
      maxRecordBytes: 1 << 20,
      maxEventsPerBatch: 100,
      maxContexts: 100,
      maxElements: 100,
      requestsPerMinute: 100_000,
      dataBudgetBytes: 10_000,
    },
    record: { private: false, excludeApps: [], excludeHosts: [], excludeTitles: [], kinds: [] },
    guardMs: GUARD_MS,
  });
  for (const person of [ANA, BEN]) world.decide('enrol', person);
  world.now = START;
  return Object.assign(world, { gateway });
}

function bodyOf(subject: string, value: string): { type: string; encoding: undefined; bytes: Uint8Array } {
  const events = [{ kind: 'value_change', at: START, value }];
  const text = JSON.stringify({ subject, device: 'laptop', events });
  return { type: JSON_TYPE, encoding: undefined, bytes: Buffer.from(text) };
}

async function granted({ gateway }: Fake, person: Person): Promise<string> {
  const grant = await gateway.grant(person, 'laptop');
  if (isRefused(grant)) throw new Error(grant.refused);
  return grant.session;
}

const valueOf = ({ payload }: SealedBatch): string => {
  const opened = codec.openPayload(payload);
  const events: CapturePayload['events'] = opened.ok ? opened.value.events : [];
  return events[0]?.kind === 'value_change' ? events[0].value : '';
};

const act = fc.oneof(
  {
    weight: 8,
    arbitrary: fc.record({
      kind: fc.constant('put' as const),
      sequence: fc.nat(7),
      value: fc.constantFrom('a', 'b', 'c'.repeat(2_000)),
      fails: fc.boolean(),
      /** Not waited for, before the next is done. */
      isAtOnce: fc.boolean(),
      by: fc.constantFrom(ANA, ANA, ANA, BEN),
    }),
  },
  { weight: 1, arbitrary: fc.record({ kind: fc.constantFrom('pause' as const, 'exempt' as const, 'late' as const) }) },
);

describe('what comes again, late, out of order, at once or from somebody else', () => {
  it('is acknowledged only if it is on the log, once, in order, and within the session', async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(act, { maxLength: 30 }), async (acts) => {
        const world = fake();
        const session = await granted(world, ANA);
        const acknowledged = new Map<string, number>();
        const under: Promise<unknown>[] = [];
        let endedAt: number | undefined;
        for (const one of acts) {
          if (one.kind !== 'put') {
            await Promise.all(under);
            world.now += one.kind === 'late' ? MAX_GRANT_MS : 10_000;
            if (one.kind !== 'late') world.decide(one.kind, ANA);
            endedAt ??= world.log.length;
            continue;
          }
          const { sequence, value, by } = one;
          // Failures are those of appends, in their order, whoever they hit.
          world.fails.push(one.fails);
          const put = world.gateway.put(by, session, sequence, bodyOf('ana', value)).then(
            (answer) => {
              if (!isRefused(answer))
                acknowledged.set(`${by === ANA ? '' : 'by another: '}${sequence}/${value}`, answer.receivedAt);
              return answer;
            },
            (error: unknown) => {
              if (!String(error).includes('the log does not answer')) throw error;
            },
          );
          if (one.isAtOnce) under.push(put);
          else await put;
        }
        await Promise.all(under);
        const kept = world.log.map(({ batch }) => `${batch.sequence}/${valueOf(batch)}`);
        // Once, and no more than was acknowledged; in rising order; nothing after its end.
        expect(new Set(kept)).toEqual(new Set(acknowledged.keys()));
        expect(kept).toHaveLength(acknowledged.size);
        const sequences = world.log.map(({ batch }) => batch.sequence);
        expect(sequences).toEqual([...new Set(sequences)].toSorted((a, b) => a - b));
        expect(world.log).toHaveLength(endedAt ?? world.log.length);
        for (const { key, batch } of world.log) {
          expect(key).toBe(ANA.subjectKey);
          expect(batch.receivedAt).toBe(acknowledged.get(`${batch.sequence}/${valueOf(batch)}`));
        }
        // What was kept is what was counted: failures gave back what they took.
        const bytes = world.log.reduce((sum, { batch }) => sum + bodyOf('ana', valueOf(batch)).bytes.length, 0);
        expect(await world.gateway.status(ANA)).toMatchObject({ sentBytesToday: bytes });
        expect(bytes).toBeLessThanOrEqual(10_000);
      }),
    );
  });

  it('is acknowledged at its first time when it comes again after a pause, and is not kept again', async () => {
    const world = fake();
    const session = await granted(world, ANA);
    const first = await world.gateway.put(ANA, session, 0, bodyOf('ana', 'a'));
    world.now += 10_000;
    await world.gateway.decide(ANA, 'pause', 5);
    expect(await world.gateway.put(ANA, session, 1, bodyOf('ana', 'a'))).toMatchObject({
      refused: 'paused',
      status: 410,
    });
    expect(await world.gateway.put(ANA, session, 0, bodyOf('ana', 'a'))).toMatchObject({ ...first });
    expect(world.log).toHaveLength(1);
  });
});

it('another person’s session is not there, whatever is asked of it', async () => {
  const world = fake();
  const session = await granted(world, ANA);
  expect(await world.gateway.put(BEN, session, 0, bodyOf('ben', 'a'))).toEqual({ refused: 'not_found' });
  expect(world.gateway.end(BEN, session)).toEqual({ refused: 'not_found' });
  expect(await world.gateway.put(ANA, session, 0, bodyOf('ben', 'a'))).toEqual({ refused: 'subject_mismatch' });
  expect(await world.gateway.put(ANA, session, 0, bodyOf('ana', 'a'))).toMatchObject({ sequence: 0 });
});

it('a token of one device neither writes to nor ends the session of another', async () => {
  const world = fake();
  const session = await granted(world, ANA);
  const phone = { ...ANA, device: 'phone' };
  expect(await world.gateway.put(phone, session, 0, bodyOf('ana', 'a'))).toEqual({ refused: 'device_mismatch' });
  expect(world.gateway.end(phone, session)).toEqual({ refused: 'device_mismatch' });
  const laptop = { ...ANA, device: 'laptop' };
  expect(await world.gateway.put(laptop, session, 0, bodyOf('ana', 'a'))).toMatchObject({ sequence: 0 });
  expect(world.gateway.end(laptop, session)).toBeUndefined();
  expect(world.log).toHaveLength(1);
});

it('of exemptions that are asked for at once, no more are open than one after the other', async () => {
  const { gateway } = fake();
  const answers = await Promise.all(Array.from({ length: 16 }, () => gateway.askExemption(ANA, 'why')));
  expect(answers.filter((answer) => isRefused(answer))).toHaveLength(13);
  const { requests } = await gateway.requests(ANA);
  expect(requests).toHaveLength(3);
});

describe('what people decide', () => {
  const kinds = ({ decided }: Fake): readonly string[] => decided.map(({ kind }) => kind);
  const MINUTE = 60_000;

  it('is written once, where more of it changes nothing', async () => {
    const world = fake();
    const { gateway } = world;
    await Promise.all(Array.from({ length: 9 }, () => gateway.decide(ANA, 'resume')));
    expect(kinds(world)).toEqual([]);
    const paused = await Promise.all(Array.from({ length: 9 }, () => gateway.decide(ANA, 'pause', 5)));
    expect(new Set(paused.map((answer) => 'until' in answer && answer.until))).toEqual(new Set([START + 5 * MINUTE]));
    expect(await gateway.decide(ANA, 'pause', 3)).toMatchObject({ recording: 'paused', until: START + 5 * MINUTE });
    expect(kinds(world)).toEqual(['pause']);
    await gateway.decide(ANA, 'pause', 10);
    world.now += 1_000;
    await Promise.all(Array.from({ length: 9 }, () => gateway.decide(ANA, 'resume')));
    await Promise.all(Array.from({ length: 9 }, () => gateway.decide(ANA, 'withdraw')));
    expect(kinds(world)).toEqual(['pause', 'pause', 'resume', 'withdraw']);
  });

  it('in a loop fills no topic, and no pause of it holds for less than was asked by more than a minute', async () => {
    const world = fake();
    const { gateway } = world;
    for (let i = 0; i < 1_000; i++) {
      const minutes = 1 + (i % 30);
      const answer = await gateway.decide(ANA, 'pause', minutes);
      const until = 'until' in answer ? answer.until : undefined;
      expect(until).toBeGreaterThan(world.now + (minutes - 1) * MINUTE);
      world.now += 10;
      const isFull = world.decided.length >= 100;
      const resumed = await gateway.decide(ANA, 'resume');
      expect(isRefused(resumed)).toBe(isFull);
      world.now += 10;
    }
    // A hundred, and those that make a pause longer by a minute or more.
    expect(world.decided.length).toBeGreaterThanOrEqual(100);
    expect(world.decided.length).toBeLessThan(140);
    expect(await gateway.status(ANA)).toMatchObject({ recording: 'paused' });
  });

  it('to end a pause early has room again a day after what took it', async () => {
    const world = fake();
    const { gateway } = world;
    for (let i = 0; i < 50; i++) {
      await gateway.decide(ANA, 'pause', 5);
      world.now += 10_000;
      await gateway.decide(ANA, 'resume');
      world.now += 10_000;
    }
    await gateway.decide(ANA, 'pause', 30);
    const refused = await gateway.decide(ANA, 'resume');
    // The second of them: the first has room to come back to the pause that was just made.
    const roomAt = (world.decided[1]?.decidedAt ?? 0) + 86_400_000;
    expect(refused).toEqual({ refused: 'rate', retryAfter: (roomAt - world.now) / 1_000 });
    world.now = roomAt;
    await gateway.decide(ANA, 'pause', 5);
    world.now += 1;
    expect(await gateway.decide(ANA, 'resume')).toMatchObject({ refused: 'rate' });
    world.now = (world.decided[2]?.decidedAt ?? 0) + 86_400_000;
    expect(await gateway.decide(ANA, 'resume')).toMatchObject({ recording: 'enrolled' });
  });

  it('for protection is written even where what was decided before cannot be read', async () => {
    const world = fake();
    world.isUnread = true;
    for (const [kind, minutes] of [['pause', 5], ['resume'], ['withdraw']] as const) {
      await expect(world.gateway.decide(ANA, kind, minutes)).rejects.toThrow('the log cannot be read');
    }
    expect(kinds(world)).toEqual(['pause', 'withdraw']);
  });
});

it('a session that by the clock was not granted yet is over: the clock was set back, and nobody knows what came since', async () => {
  const world = fake();
  const session = await granted(world, ANA);
  world.now -= 1;
  const ended = { refused: 'expired', status: 410 };
  expect(await world.gateway.put(ANA, session, 0, bodyOf('ana', 'a'))).toEqual(ended);
  world.now += 1;
  expect(await world.gateway.put(ANA, session, 0, bodyOf('ana', 'a'))).toEqual(ended);
});

it('only a batch that is to be kept is told of to traces: why another is not, is nobody’s business', async () => {
  const world = fake();
  const session = await granted(world, ANA);
  const body = bodyOf('ana', 'a');
  world.fails.push(true);
  await expect(world.gateway.put(ANA, session, 0, body)).rejects.toThrow('the log does not answer');
  await world.gateway.put(ANA, session, 0, body);
  // Again, another one in its place, another person's, and after a pause.
  expect(await world.gateway.put(ANA, session, 0, body)).toMatchObject({ sequence: 0 });
  expect(await world.gateway.put(ANA, session, 0, bodyOf('ana', 'b'))).toEqual({ refused: 'conflict' });
  expect(await world.gateway.put(ANA, session, 1, bodyOf('ben', 'a'))).toEqual({ refused: 'subject_mismatch' });
  world.decide('pause', ANA);
  expect(await world.gateway.put(ANA, session, 1, body)).toMatchObject({ refused: 'paused' });
  const bytes = body.bytes.length;
  expect(world.spans).toEqual([
    { outcome: 'failed', bytes },
    { outcome: 'done', bytes, events: 1 },
  ]);
});
