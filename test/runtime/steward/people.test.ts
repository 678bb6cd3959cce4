/** What people ask of the gateway about themselves, with a steward that is a server of its own. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { loadPolicy } from '../../../src/privacy/policy.ts';
import type { Kept } from '../../../src/producers/gateway/protocol.ts';
import { issueDevice, revokeDevice, openDevices } from '../../../src/runtime/devices.ts';
import { serveGateway, type RunningGateway } from '../../../src/runtime/gateway.ts';
import { answerRequest, openRequests } from '../../../src/runtime/requests.ts';
import { openErasures } from '../../../src/runtime/steward/erase.ts';
import { openSteward, serveSteward, type Steward } from '../../../src/runtime/steward/steward.ts';
import { createTelemetry, silentLogger } from '../../../src/runtime/telemetry.ts';
import { TOPICS } from '../../../src/runtime/topics.ts';
import type { Workspace } from '../../../src/runtime/workspace.ts';
import { readTopic } from '../../simulation/oracle.ts';
import { foundCompany, START, type Company } from './company.ts';

const telemetry = createTelemetry(silentLogger);

let company: Company;
let steward: Steward;
let stewardServer: Awaited<ReturnType<typeof serveSteward>>;
let gateway: RunningGateway;
const tokens: string[] = [];

/** The company's workspace, with a free port for each server. */
const withPorts = (workspace: Workspace, url?: string): Workspace => ({
  ...workspace,
  config: {
    ...workspace.config,
    gateway: { ...workspace.config.gateway, port: 0 },
    steward: { ...workspace.config.steward, port: 0, ...(url === undefined ? {} : { url }) },
  },
});

async function serve(url?: string): Promise<RunningGateway> {
  const { policy } = await loadPolicy(company.workspace.config.policy);
  return serveGateway({ workspace: withPorts(company.workspace, url), policy, telemetry, elapsed: () => START });
}

beforeAll(async () => {
  company = await foundCompany();
  await company.run();
  const workspace = withPorts(company.workspace);
  steward = await openSteward({ workspace, telemetry, openStore: () => company.store(), guardMs: 5_000 });
  stewardServer = await serveSteward(steward, { workspace, telemetry });
  gateway = await serve(stewardServer.address);
  for (const subjectKey of company.people.slice(0, 2)) {
    const of = { subjectKey, device: null, issuedAt: START, expiresAt: START + 86_400_000 };
    tokens.push((await issueDevice(workspace, of)).text);
  }
});
afterAll(async () => {
  await gateway.close();
  await stewardServer.close();
  await company.close();
});

// oxlint-disable-next-line typescript/no-unnecessary-type-parameters -- who asks says what is answered
async function ask<T = Record<string, unknown>>(
  address: string,
  path: string,
  token: string | undefined,
  json?: unknown,
): Promise<{ readonly status: number; readonly body: T }> {
  const response = await fetch(`${address}${path}`, {
    method: json === undefined ? 'GET' : 'POST',
    headers: {
      ...(token === undefined ? {} : { authorization: `Bearer ${token}` }),
      ...(json === undefined ? {} : { 'content-type': 'application/json' }),
    },
    ...(json === undefined ? {} : { body: JSON.stringify(json) }),
  });
  return { status: response.status, body: (await response.json()) as T };
}

describe('what was kept, through the gateway', () => {
  it('is what the steward knows of who asks, and of nobody else', async () => {
    const answers = await Promise.all(tokens.map((token) => ask<Kept>(gateway.address, '/v1/me/kept', token)));
    expect(answers.map(({ status }) => status)).toEqual([200, 200]);
    for (const [i, { body }] of answers.entries()) {
      const own = await steward.view.kept(
        { subjectKey: company.people[i] ?? '', device: null },
        { headers: {}, remoteAddress: undefined },
      );
      expect(body).toEqual(own);
    }
    expect(answers[0]?.body).not.toEqual(answers[1]?.body);
  });

  it("asks with the person's own token: who holds the gateway gets nothing of the steward without", async () => {
    for (const path of ['/v1/me/kept', '/v1/me/readers']) {
      expect((await ask(stewardServer.address, path, undefined)).status).toBe(401);
      expect(
        (await ask(stewardServer.address, path, tokens[0]?.replace(/_[\w-]{43}$/u, `_${'A'.repeat(43)}`))).status,
      ).toBe(401);
      expect((await ask(gateway.address, path, undefined)).status).toBe(401);
    }
  });

  it('comes with who had access to raw data, and for what', async () => {
    const { status, body } = await ask(gateway.address, '/v1/me/readers', tokens[0]);
    expect(status).toBe(200);
    expect(body).toEqual({ readers: [{ at: START, who: expect.any(String), what: 'run', why: '' }] });
  });

  it('ends with the token, at the steward too', async () => {
    const of = { subjectKey: company.people[0] ?? '', device: null, issuedAt: START, expiresAt: START + 86_400_000 };
    const { text, tokenId } = await issueDevice(company.workspace, of);
    expect((await ask(stewardServer.address, '/v1/me/kept', text)).status).toBe(200);
    const known = (await openDevices(company.workspace)).all().find((one) => one.tokenId === tokenId);
    if (known === undefined) throw new Error('a token that was issued is known');
    await revokeDevice(company.workspace, known, START);
    expect((await ask(stewardServer.address, '/v1/me/kept', text)).status).toBe(401);
  });

  it('is no longer looked for when who asked has gone, however it came to the steward', async () => {
    let sees = (): void => {};
    const seen = new Promise<void>((resolve) => (sees = resolve));
    let ends = (): void => {};
    const ended = new Promise<void>((resolve) => (ends = resolve));
    const waiting: Steward = {
      ...steward,
      view: {
        ...steward.view,
        kept: async (_person, { gone }) => {
          gone?.().addEventListener('abort', () => ends());
          sees();
          await ended;
          return { refused: 'unavailable' };
        },
      },
    };
    const server = await serveSteward(waiting, { workspace: withPorts(company.workspace), telemetry });
    const between = await serve(server.address);
    try {
      const leave = new AbortController();
      const asked = fetch(`${between.address}/v1/me/kept`, {
        headers: { authorization: `Bearer ${tokens[0]}` },
        signal: leave.signal,
      }).catch(() => undefined);
      await seen;
      leave.abort();
      await ended;
      expect(await asked).toBeUndefined();
    } finally {
      await between.close();
      await server.close();
    }
  });

  it('is for nobody where there is no steward, and comes later when there is none just now', async () => {
    const alone = await serve();
    const lost = await serve('http://127.0.0.1:9');
    try {
      expect(await ask(alone.address, '/v1/me/kept', tokens[0])).toMatchObject({
        status: 503,
        body: { error: 'not_served' },
      });
      expect(await ask(lost.address, '/v1/me/readers', tokens[0])).toMatchObject({
        status: 503,
        body: { error: 'unavailable' },
      });
    } finally {
      await alone.close();
      await lost.close();
    }
  });
});

describe('an exemption', () => {
  const reason = 'I talk to patients.';

  it('is asked for with a reason, and shown with its answer, to who asked', async () => {
    expect((await ask(gateway.address, '/v1/me/exemption', tokens[0], { reason: ' ' })).status).toBe(400);
    const asked = await ask(gateway.address, '/v1/me/exemption', tokens[0], { reason });
    expect(asked).toMatchObject({ status: 200, body: { requests: [{ kind: 'exemption', reason, answer: null }] } });
    expect((await ask(gateway.address, '/v1/me/requests', tokens[1])).body).toEqual({ requests: [] });

    const [request] = (await openRequests(company.workspace)).all();
    if (request === undefined) throw new Error('a request that was made is known');
    await answerRequest(company.workspace, request, { answer: 'refused', comment: 'Use the pause.', now: START + 5 });
    // Kafka compacts ended segments only.
    expect((await readTopic(company.workspace.log, TOPICS.requests)).at(-1)).toMatchObject({ key: 'segment-end' });
    expect((await ask(gateway.address, '/v1/me/requests', tokens[0])).body).toMatchObject({
      // Once it is decided, nobody needs the reason.
      requests: [{ reason: '', answer: 'refused', answeredAt: START + 5, comment: 'Use the pause.' }],
    });
  });

  it('cannot be asked for without end', async () => {
    const statuses: number[] = [];
    for (let i = 0; i < 4; i++)
      statuses.push((await ask(gateway.address, '/v1/me/exemption', tokens[1], { reason })).status);
    expect(statuses).toEqual([200, 200, 200, 409]);
  });
});

describe('an erasure', () => {
  it('is asked for by a word, ends sessions, and is done when the steward has done it', async () => {
    expect((await ask(gateway.address, '/v1/me/erasure', tokens[0], { confirm: 'yes' })).status).toBe(400);
    expect((await ask(gateway.address, '/v1/me/erasure', tokens[0])).body).toMatchObject({ state: 'none' });
    const asked = await ask(gateway.address, '/v1/me/erasure', tokens[0], { confirm: 'erase' });
    expect(asked).toMatchObject({ status: 200, body: { state: 'under_way', rows: 0 } });
    // Again is no second one, but reaches further.
    const [first] = (await openErasures(company.workspace)).open();
    if (first === undefined) throw new Error('an erasure that was asked for is open');
    const { erasureId, requestedAt } = first;
    expect((await ask(gateway.address, '/v1/me/erasure', tokens[0], { confirm: 'erase' })).body).toMatchObject({
      requestedAt: requestedAt + 1,
    });
    const open = (await openErasures(company.workspace)).open();
    expect(open).toEqual([{ ...first, requestedAt: requestedAt + 1 }]);
    expect((await ask(gateway.address, '/v1/sessions', tokens[0], { device: 'laptop' })).body).toMatchObject({
      error: 'erased',
    });

    const before = (await ask<Kept>(gateway.address, '/v1/me/kept', tokens[0])).body.days;
    expect(await steward.eraseDue()).toBe(0);
    expect((await ask(gateway.address, '/v1/me/erasure', tokens[0])).body).toMatchObject({
      state: 'done',
      rows: before.reduce((sum, { rows }) => sum + rows, 0),
    });
    expect((await ask<Kept>(gateway.address, '/v1/me/kept', tokens[0])).body).toEqual({ days: [] });
    // Who goes on being recorded can ask again.
    expect((await ask(gateway.address, '/v1/me/erasure', tokens[0], { confirm: 'erase' })).body).toMatchObject({
      state: 'under_way',
    });
    expect((await openErasures(company.workspace)).open().map((one) => one.erasureId)).not.toEqual([erasureId]);
    expect((await ask<Kept>(gateway.address, '/v1/me/kept', tokens[1])).body.days).not.toEqual([]);
  });
});
