/** The playground over HTTP, without a browser: the gateway, the log, the processors as they are. */
import { randomUUID } from 'node:crypto';
import { afterEach, describe, expect, it } from 'vitest';
import { kafkaSchema } from '../../../src/config-kafka.ts';
import type { RawEvent } from '../../../src/events/raw.ts';
import { makeDecision } from '../../../src/privacy/decisions.ts';
import type { Grant } from '../../../src/producers/gateway/protocol.ts';
import { lastOfTrail } from '../../../src/runtime/audit/verify.ts';
import { issueDevice } from '../../../src/runtime/devices.ts';
import { appendDecision } from '../../../src/runtime/ingest.ts';
import {
  PLAYGROUND_POLICIES,
  PLAYGROUND_SUBJECT,
  type ProcessedBatch,
} from '../../../src/runtime/playground/protocol.ts';
import { servePlayground, type Served } from './harness.ts';

const SECRET = 'Xylophon-7421-quark';

let served: Served | undefined;
afterEach(async () => {
  await served?.close();
  served = undefined;
});

interface Answer<T> {
  readonly status: number;
  readonly text: string;
  readonly body: T;
}

async function ask<T = unknown>(method: string, path: string, token: string | null, json?: object): Promise<Answer<T>> {
  const response = await fetch(`${served?.address ?? ''}${path}`, {
    method,
    headers: {
      ...(token === null ? {} : { authorization: `Bearer ${token}` }),
      ...(json === undefined ? {} : { 'content-type': 'application/json' }),
    },
    ...(json === undefined ? {} : { body: JSON.stringify(json) }),
  });
  const text = await response.text();
  const isJson = response.headers.get('content-type')?.includes('json') === true;
  return { status: response.status, text, body: isJson ? JSON.parse(text) : null };
}

/** A person with a token, as an operator makes them. */
async function tokenOf(subject: string): Promise<string> {
  const { workspace } = served ?? {};
  if (workspace === undefined) throw new Error('nothing is served');
  const subjectKey = (await workspace.subjectKeys())(subject);
  const now = Date.now();
  const decision = makeDecision('enrol', { subjectKey, now: now - 3_600_000, randomId: randomUUID });
  await appendDecision(workspace.log, workspace.codec, decision);
  const until = now + 3_600_000;
  return (await issueDevice(workspace, { subjectKey, device: null, issuedAt: now, expiresAt: until })).text;
}

/** What a person does who types, pastes and saves a secret: in two batches, since typing is held back at first. */
async function record(token: string, subject: string): Promise<{ readonly session: string; readonly raw: string }> {
  const { body: grant } = await ask<Grant>('POST', '/v1/sessions', token, { device: 'tab' });
  const at = Date.now();
  const place = { context: 0, element: 0, at };
  const typing = Array.from(SECRET).flatMap((key): RawEvent[] => [
    { kind: 'key_down', key, code: '', ...place },
    { kind: 'key_up', key, code: '', ...place },
  ]);
  const after: RawEvent[] = [
    { kind: 'value_change', value: SECRET, ...place },
    { kind: 'clipboard', op: 'paste', text: SECRET, ...place },
    { kind: 'pointer_move', x: 1, y: 1, ...place },
    { kind: 'pointer_down', x: 1, y: 1, button: 'left', ...place, element: 1 },
    { kind: 'pointer_up', x: 1, y: 1, button: 'left', ...place, element: 1 },
    { kind: 'focus', ...place, context: 1 },
    { kind: 'key_down', key: 'Enter', code: 'Enter', ...place, context: 1 },
  ];
  const url = `http://127.0.0.1/playground?q=${SECRET}`;
  const batch = (events: readonly RawEvent[]): object => ({
    subject,
    device: 'tab',
    contexts: [
      { app: 'Browser', title: 'Customers - Browser', url, private: false },
      { app: 'Browser', title: `${SECRET} - Customers - Browser`, url, private: false },
    ],
    elements: [
      { role: 'textbox', name: 'Name', value: SECRET, secure: false, bounds: { x: 0, y: 0, width: 9, height: 9 } },
      { role: 'button', name: 'Save', value: '', secure: false, bounds: { x: 0, y: 0, width: 9, height: 9 } },
    ],
    events,
  });
  for (const [sequence, events] of [typing, after].entries()) {
    const { status } = await ask('PUT', `/v1/sessions/${grant.session}/batches/${sequence}`, token, batch(events));
    expect(status).toBe(200);
  }
  return { session: grant.session, raw: JSON.stringify([batch(typing), batch(after)]) };
}

/** All that the feed tells, up to a session's second batch under every policy; and it as text, as it came. */
async function followed(
  session: string,
): Promise<{ readonly batches: readonly ProcessedBatch[]; readonly text: string }> {
  const batches: ProcessedBatch[] = [];
  let text = '';
  const isDone = (): boolean => batches.filter((one) => one.session === session && one.sequence === 1).length === 3;
  for (let next = 0; !isDone();) {
    const { body, text: came } = await ask<{ batches: ProcessedBatch[]; next: number }>(
      'GET',
      `/playground/released/${next}`,
      served?.token ?? '',
    );
    ({ next } = body);
    batches.push(...body.batches);
    text += came;
  }
  return { batches, text };
}

describe('the playground', () => {
  it('tells what was released under each policy, with counts that add up, and nothing of what was typed', async () => {
    served = await servePlayground({ gateway: { playground: true } });
    const { token } = served;
    const { session, raw } = await record(token, PLAYGROUND_SUBJECT);
    expect(raw).toContain(SECRET);
    const { batches, text } = await followed(session);
    for (const part of [SECRET, 'Xylophon', '7421', 'quark'])
      expect(text.toLowerCase()).not.toContain(part.toLowerCase());
    for (const policy of PLAYGROUND_POLICIES) {
      const of = batches.filter((one) => one.policy === policy);
      expect(of.map(({ sequence }) => sequence)).toEqual([0, 1]);
      // Typing is held back: at first only that keys were let go is accounted for.
      expect(of[0]).toMatchObject({ read: 38, released: 0, dropped: { key_up: 19 }, batch: null });
      const actions = of[1]?.batch?.actions ?? [];
      expect(actions.map(({ action }) => action)).toEqual(expect.arrayContaining(['type', 'click', 'clipboard']));
      expect(actions.find(({ action }) => action === 'type')).toMatchObject({ length: '<64', target: 'Name' });
      expect(of[1]?.dropped).toMatchObject({ pointer_path: 1 });
      expect(of[1]?.batch?.subject === null).toBe(policy !== 'balanced');
    }
  });

  it('is on the audit trail from its start: it reads raw and opens keys', async () => {
    served = await servePlayground({ gateway: { playground: true } });
    expect(await lastOfTrail(served.workspace, 10)).toMatchObject([
      { what: 'playground', stage: 'started', about: '{"policies":"strict balanced recognizers"}' },
    ]);
  });

  it('is for its made-up person alone', async () => {
    served = await servePlayground({ gateway: { playground: true } });
    const other = await tokenOf('ana@example.org');
    for (const path of ['/playground/settings', '/playground/released/0']) {
      expect((await ask('GET', path, null)).status).toBe(401);
      expect((await ask('GET', path, 'rdt_0123456789abcdef_nothing')).status).toBe(401);
      expect((await ask('GET', path, other)).status).toBe(404);
    }
    expect((await ask('GET', '/playground/released/x', served.token)).status).toBe(400);
    expect((await ask('GET', '/playground', null)).status).toBe(200);
  });

  it('processes nobody else: neither the feed nor its topics hold anything of them', async () => {
    served = await servePlayground({ gateway: { playground: true } });
    const other = await record(await tokenOf('ana@example.org'), 'ana@example.org');
    // On the same topic, after it.
    const own = await record(served.token, PLAYGROUND_SUBJECT);
    const { batches } = await followed(own.session);
    expect(batches.map(({ session }) => session)).not.toContain(other.session);
    const { log, codec } = served.workspace;
    for (const policy of PLAYGROUND_POLICIES) {
      const topic = `playground.sanitized.${policy}`;
      const { records } = await log.read({ topic, partition: 0, offset: 0, maxRecords: 99, maxBytes: 1e6, waitMs: 0 });
      const sessions = new Set(records.map(({ value }) => (value === null ? '' : codec.decodeReleased(value).session)));
      expect(sessions).toEqual(
        new Set(batches.flatMap((one) => (one.policy === policy && one.batch !== null ? [one.batch.session] : []))),
      );
    }
  });

  it('logs neither its token nor anything of what was recorded, and ends the token with itself', async () => {
    served = await servePlayground({ gateway: { playground: true } });
    const was = served;
    const { token } = was;
    const { session } = await record(token, PLAYGROUND_SUBJECT);
    await followed(session);
    // Waits in vain; closing answers it.
    const { next } = (await ask<{ next: number }>('GET', '/playground/released/0', token)).body;
    const waiting = ask('GET', `/playground/released/${next}`, token);
    await served.close();
    served = undefined;
    expect((await waiting).status).toBe(200);
    for (const secret of [token, SECRET, PLAYGROUND_SUBJECT]) expect(was.logged()).not.toContain(secret);
  });

  it('is not there unless the config says so', async () => {
    served = await servePlayground({});
    expect(served.playground).toBeNull();
    const token = await tokenOf(PLAYGROUND_SUBJECT);
    for (const path of ['/playground', '/playground/playground.js', '/playground/settings', '/playground/released/0']) {
      expect([path, (await ask('GET', path, token)).status]).toEqual([path, 404]);
    }
  });

  it.each([
    ['on a cluster', { config: { kafka: kafkaSchema.parse({ brokers: ['127.0.0.1:1'] }) } }, 'not on a cluster'],
    [
      'behind a proxy that signs people in',
      { gateway: { identity: { kind: 'proxy' as const, header: 'x-user', trustedProxies: ['127.0.0.1'] } } },
      'gateway.identity',
    ],
  ])('is refused %s', async (_where, { gateway = {}, ...change }: Parameters<typeof servePlayground>[0], message) => {
    await expect(servePlayground({ ...change, gateway: { ...gateway, playground: true } })).rejects.toThrow(message);
  });
});
