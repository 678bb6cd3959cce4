/** A simulated company's records in the order in which they reach the log, with some of them damaged or delivered twice. */
import type { ConsentDecision, Erasure } from '../../src/events/control.ts';
import type { Codec } from '../../src/events/codec.ts';
import type { NewRecord } from '../../src/log/event-log.ts';
import { simulate, type SimulatedRecord } from '../../src/producers/simulator/index.ts';
import { Random } from '../../src/producers/simulator/random.ts';
import { TOPICS } from '../../src/runtime/topics.ts';
import type { RunPlan } from './plan.ts';

export interface Item {
  readonly topic: string;
  readonly record: NewRecord;
}

/** More goes wrong here than at any real company, so that minutes show what otherwise takes weeks. */
const FAULTS = { late: 0.03, repeated: 0.03, missing: 0.01, unknown: 0.02, noEnd: 0.2 };
const CONSENT = { pauses: 0.35, withdraws: 0.12, exempt: 0.1, neverEnrolled: 0.08, enrolsLate: 0.1 };

export function companyItems(plan: RunPlan, codec: Codec, subjectKey: (subject: string) => string): Item[] {
  const random = new Random(plan.seed, 'company');
  const stream = simulate({ ...plan, faults: FAULTS, consent: CONSENT, subjectKey });
  const simulated = [...stream];
  const items: Item[] = [];
  const later: { at: number; item: Item }[] = [];
  const erased = plan.erasure ? erasureIn(simulated, random) : undefined;
  for (const [i, one] of simulated.entries()) {
    while (later[0] !== undefined && later[0].at <= i) items.push(later.shift()?.item ?? unreachable());
    if (erased?.at === i) items.push(erasureItem(codec, erased.erasure));
    const item = itemOf(one, codec, random, plan);
    items.push(item);
    if (item.topic === TOPICS.raw && random.chance(plan.redelivered)) {
      later.push({ at: i + random.whole(1, random.chance(0.3) ? simulated.length : 40), item });
      later.sort((a, b) => a.at - b.at);
    }
  }
  items.push(...later.map(({ item }) => item));
  if (!plan.consentFirst) return items;
  const isRaw = ({ topic }: Item): boolean => topic === TOPICS.raw;
  return [...items.filter((item) => !isRaw(item)), ...items.filter(isRaw)];
}

function itemOf(one: SimulatedRecord, codec: Codec, random: Random, plan: RunPlan): Item {
  if (one.kind === 'consent') return consentItem(codec, one.decision);
  const { key, envelope, payload } = one.record;
  const value = codec.encodeCapture(envelope, payload);
  const record = { key, value, timestamp: envelope.receivedAt };
  return { topic: TOPICS.raw, record: random.chance(plan.damaged) ? damaged(record, random) : record };
}

/** Stamps are never touched: they are the trusted side's own. */
function damaged(record: NewRecord & { readonly value: Uint8Array }, random: Random): NewRecord {
  const { value } = record;
  switch (random.pick(['cut', 'flip', 'empty', 'none', 'key', 'schema'] as const)) {
    case 'cut':
      return { ...record, value: value.slice(0, random.whole(1, value.length - 1)) };
    case 'flip': {
      const copy = value.slice();
      const at = random.whole(Math.ceil((value.length * 2) / 3), value.length - 1);
      copy[at] = (copy[at] ?? 0) ^ (1 << random.whole(0, 7));
      return { ...record, value: copy };
    }
    case 'empty':
      return { ...record, value: new Uint8Array() };
    case 'none':
      return { ...record, value: null };
    case 'key':
      return { ...record, key: random.hex128() + random.hex128() };
    case 'schema': {
      const copy = value.slice();
      copy[4] = 250;
      return { ...record, value: copy };
    }
  }
}

function consentItem(codec: Codec, decision: ConsentDecision): Item {
  const key = `${decision.subjectKey}/${decision.decisionId}`;
  return {
    topic: TOPICS.consent,
    record: { key, value: codec.encodeConsent(decision), timestamp: decision.decidedAt },
  };
}

function erasureItem(codec: Codec, erasure: Erasure): Item {
  return {
    topic: TOPICS.erasures,
    record: { key: erasure.subjectKey, value: codec.encodeErasure(erasure), timestamp: erasure.requestedAt },
  };
}

function erasureIn(
  simulated: readonly SimulatedRecord[],
  random: Random,
): { readonly at: number; readonly erasure: Erasure } | undefined {
  const at = random.whole(0, simulated.length - 1);
  const one = simulated[at];
  if (one?.kind !== 'capture') return undefined;
  const asked = { subjectKey: one.record.key, requestedAt: one.at, erasureId: random.hex128() };
  return { at, erasure: { ...asked, by: 'person', doneAt: null, rows: 0, sessions: 0 } };
}

function unreachable(): never {
  throw new Error('the queue was not empty');
}
