/**
 * Whatever is sent, the gateway answers what its document says, and what was sent comes out nowhere. REDACTORY_FUZZ_CASES
 * sets how many requests are tried, REDACTORY_SEED repeats a run.
 */
import * as fc from 'fast-check';
import { Agent, request } from 'node:http';
import { connect } from 'node:net';
import { gzipSync } from 'node:zlib';
import { expect, it } from 'vitest';
import { CAPTURE_TYPE, JSON_TYPE, refusalAnswer, SEALED_TYPE } from '../../src/producers/gateway/protocol.ts';
import { ROUTES } from '../../src/producers/gateway/routes.ts';
import { FUZZ_CASES } from '../events/arbitraries.ts';
import { CANARY, useGateway } from '../helpers/gateway.ts';

const world = useGateway();
const { serve, enrolled, granted, ask, batchOf, sealedBody } = world;
const seed = Number(process.env['REDACTORY_SEED'] ?? 7);
const MAX_BODY = 65_536;
/** Far above what one person sends in earnest: limits that refuse first would hide what lies behind them. */
const UNLIMITED = { requestsPerMinute: 100_000, dataBudgetBytes: 2 ** 40 };

interface Sent {
  readonly method: string;
  readonly path: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: Buffer;
}

interface Got {
  readonly status: number;
  readonly type: string | undefined;
  /** Headers and body as they came. */
  readonly text: string;
  readonly body: string;
}

/** Any method and header, which `fetch` would not send. Undefined when the connection ended without an answer. */
function send({ method, path, headers, body }: Sent, agent: Agent): Promise<Got | undefined> {
  return new Promise((done) => {
    const sent = request(world.address, { method, path, headers, agent }, (response) => {
      const parts: Buffer[] = [];
      response.on('data', (part: Buffer) => parts.push(part));
      response.on('error', () => done(undefined));
      response.on('end', () => {
        const answer = Buffer.concat(parts).toString();
        const { statusCode: status = 0, rawHeaders } = response;
        const type = response.headers['content-type'];
        done({ status, type, text: `${rawHeaders.join('\n')}\n${answer}`, body: answer });
      });
    });
    sent.on('error', () => done(undefined));
    sent.end(body);
  });
}

/** Flips, overwrites, cuts and repeats; positions are fractions of the length. */
const damage = fc.array(
  fc.record({ where: fc.double({ min: 0, max: 1, noNaN: true }), what: fc.nat(4), byte: fc.nat(255), run: fc.nat(12) }),
  { maxLength: 4 },
);
type Damage = typeof damage extends fc.Arbitrary<infer T> ? T : never;

function damaged(value: Uint8Array, changes: Damage): Buffer {
  let bytes = Buffer.from(value);
  for (const { where, what, byte, run } of changes) {
    const at = Math.min(Math.floor(where * bytes.length), Math.max(0, bytes.length - 1));
    if (what === 0) bytes[at] = (bytes[at] ?? 0) ^ (1 << (byte & 7));
    else if (what === 1) bytes[at] = byte;
    else if (what === 2) bytes = bytes.subarray(0, at);
    else if (what === 3) bytes = Buffer.concat([bytes.subarray(0, at), Buffer.alloc(run, byte), bytes.subarray(at)]);
    else bytes = Buffer.concat([bytes.subarray(0, at), bytes.subarray(at + run)]);
  }
  return bytes;
}

const deep = (depth: number): string => `${'['.repeat(depth)}"${CANARY}"${']'.repeat(depth)}`;
const number = fc.constantFrom('1e999', '-1', '0.5', '9007199254740993', `1${'0'.repeat(400)}`, 'null', '"1"', '1e3');
const oddJson = fc.oneof(
  fc.json().map((text) => Buffer.from(text)),
  fc.constantFrom(10, 1_000, 100_000).map((depth) => Buffer.from(deep(depth))),
  fc
    .tuple(number, number)
    .map(([at, context]) =>
      Buffer.from(
        `{"subject":"ana","device":"laptop","contexts":[{"app":"${CANARY}"}],"events":[{"kind":"focus","at":${at},"context":${context}}]}`,
      ),
    ),
  fc.constant(Buffer.from(`{"__proto__":{"device":"${CANARY}"},"constructor":1,"device":"laptop"}`)),
  // Not UTF-8, or with a mark of byte order that JSON does not have.
  fc.constantFrom('c328', 'eda080', 'fffe', 'f0288cbc').map((hex) => Buffer.from(`7b22${hex}22${hex}`, 'hex')),
  fc
    .constantFrom('', ' ', '{}', '{"device":""}', '{"device":"laptop"}', '{"minutes":5}', '{"minutes":1e9}')
    .map((text) => Buffer.from(text)),
);

const token = fc.stringMatching(/^[!#$%&'*+.^_`|~0-9A-Za-z-]{1,20}$/u);
const oddHeaders = fc.dictionary(
  token.map((name) => `x-${name}`),
  fc.constantFrom(CANARY, `${CANARY}, ${CANARY}`, ''),
  { maxKeys: 3 },
);
const TYPES = fc.constantFrom(
  '',
  `application/${CANARY}`,
  `${JSON_TYPE}; charset=utf-8`,
  CAPTURE_TYPE,
  'text/plain',
  'multipart/form-data',
);
const ENCODINGS = fc.constantFrom('', '', '', 'identity', 'gzip', 'GZIP', 'zstd', 'gzip, gzip', 'br', CANARY);
const part = fc.oneof(
  fc.constantFrom(CANARY, '..', '%2e%2e', '%00', '%ff', 'a'.repeat(200), '0', '-1', '1e3', '99999999999', '2147483648'),
  fc.nat(200).map(String),
  fc.uuid(),
  fc.webSegment(),
);

const asBatch = (made: MadeBatch): { readonly batch: MadeBatch } => ({ batch: made });
const asOther = (made: MadeOther): { readonly other: MadeOther } => ({ other: made });

/** A batch in one of its forms, damaged or not, and packed as its header says or not. */
const batch = fc.record({
  form: fc.nat(3),
  changes: fc.oneof(fc.constant<Damage>([]), damage),
  type: fc.option(TYPES, { freq: 8 }),
  encoding: ENCODINGS,
  isPacked: fc.boolean(),
});
type MadeBatch = typeof batch extends fc.Arbitrary<infer T> ? T : never;

/** Anything else, to any path. */
const other = fc.record({
  body: fc.oneof(
    fc.uint8Array({ maxLength: 300 }).map((bytes) => Buffer.from(bytes)),
    oddJson,
    fc.constant(MAX_BODY),
    fc.constant(MAX_BODY + 1),
  ),
  method: fc.constantFrom('GET', 'HEAD', 'POST', 'PUT', 'DELETE', 'PATCH', 'OPTIONS', 'TRACE', 'PROPFIND'),
  route: fc.option(fc.constantFrom(...ROUTES), { freq: 3 }),
  isItsMethod: fc.boolean(),
  parts: fc.array(part, { minLength: 2, maxLength: 5 }),
  query: fc.constantFrom('', `?${CANARY}`, '?a=%ff'),
  type: fc.oneof(fc.constant(JSON_TYPE), TYPES),
  encoding: ENCODINGS,
  headers: oddHeaders,
  who: fc.constantFrom('ben', 'ben', 'eve', '', CANARY),
});
type MadeOther = typeof other extends fc.Arbitrary<infer T> ? T : never;

function otherRequest(made: MadeOther, tokens: ReadonlyMap<string, string>): Sent {
  const { route, parts, who, type, encoding } = made;
  const body = typeof made.body === 'number' ? Buffer.alloc(made.body, 32) : made.body;
  const [first = '', second = ''] = parts;
  const path = route?.path.replace(':session', first).replace(':sequence', second) ?? `/${parts.join('/')}`;
  const bearer = tokens.get(who) ?? who;
  return {
    method: made.isItsMethod ? (route?.method ?? 'GET') : made.method,
    path: path + made.query,
    headers: {
      ...made.headers,
      ...(bearer === '' ? {} : { authorization: `Bearer ${bearer}` }),
      ...(type === '' ? {} : { 'content-type': type }),
      ...(encoding === '' ? {} : { 'content-encoding': encoding }),
      'content-length': String(body.length),
    },
    body,
  };
}

/** Somebody's session, opened again whenever it has ended. */
async function batchSender(bearer: string): Promise<(made: MadeBatch) => Promise<Sent>> {
  const { codec, zstd } = world.workspace;
  const grant = await granted(bearer);
  let sequence = 0;
  const packers: Readonly<Record<string, (bytes: Buffer) => Buffer>> = {
    gzip: (bytes) => gzipSync(bytes),
    GZIP: (bytes) => gzipSync(gzipSync(bytes)),
    'gzip, gzip': (bytes) => gzipSync(gzipSync(bytes)),
    zstd: (bytes) => Buffer.from(zstd.compress(bytes)),
  };
  const whole = batchOf();
  const packed = codec.packPayload(whole);
  return async ({ form, changes, type, encoding, isPacked }) => {
    // Now and then one that was acknowledged comes again.
    if (form !== 0 || changes.length === 0) sequence++;
    const forms = [
      [JSON_TYPE, Buffer.from(JSON.stringify(whole))],
      [CAPTURE_TYPE, Buffer.from(packed)],
      [CAPTURE_TYPE, Buffer.from(zstd.decompress(packed, 1 << 20))],
      [SEALED_TYPE, await sealedBody(grant, sequence, whole)],
    ] as const;
    const [usual, bytes] = forms[form] ?? forms[0];
    const spoilt = damaged(bytes, changes);
    const body = isPacked ? (packers[encoding]?.(spoilt) ?? spoilt) : spoilt;
    const headers = {
      authorization: `Bearer ${bearer}`,
      ...(type === '' ? {} : { 'content-type': type ?? usual }),
      ...(encoding === '' ? {} : { 'content-encoding': encoding }),
      'content-length': String(body.length),
    };
    return { method: 'PUT', path: `/v1/sessions/${grant.session}/batches/${sequence}`, headers, body };
  };
}

async function documented(): Promise<(sent: Sent) => readonly string[]> {
  const { body } = await ask<Document>('GET', '/v1/openapi.json');
  const operations = Object.entries(body.paths).map(([path, methods]) => ({
    matches: new RegExp(`^${path.replaceAll(/\{\w+\}/gu, '[^/]*')}$`, 'u'),
    methods,
  }));
  return ({ method, path }) => {
    const found = operations.find(({ matches }) => matches.test(path.split('?')[0] ?? ''));
    const operation = found?.methods[method === 'HEAD' ? 'get' : method.toLowerCase()];
    return Object.keys(operation?.responses ?? NOT_ROUTED);
  };
}

interface Document {
  readonly paths: Readonly<Record<string, Readonly<Record<string, { readonly responses: object }>>>>;
}
/** What a request may meet that the document does not have. */
const NOT_ROUTED = { 400: '', 401: '', 404: '', 405: '', 429: '' };

function check({ status, type, text, body }: Got, sent: Sent, statuses: readonly string[]): void {
  expect(statuses).toContain(String(status));
  // Some answers need a service that is not set up here, and say so.
  const isNotServed = status === 503 && (sent.method === 'HEAD' || body.includes('"error":"not_served"'));
  expect(status < 500 || isNotServed).toBe(true);
  expect(text).not.toContain(CANARY);
  if (sent.method === 'HEAD' || status === 204) return;
  expect(type).toBe('application/json; charset=utf-8');
  if (status >= 400) refusalAnswer.parse(JSON.parse(body));
}

async function expectNothingTold(tokens: Iterable<string>): Promise<void> {
  const metrics = (await world.telemetry.render()).body;
  expect(metrics).not.toMatch(/^redactory_gateway_\w+_total\{.*reason="(?:busy|unavailable|internal)"\} [1-9]/mu);
  for (const secret of [CANARY, ...tokens]) {
    expect(world.logged).not.toContain(secret);
    expect(metrics).not.toContain(secret);
  }
}

it(`over HTTP is answered as the document says, and comes out nowhere (seed ${seed})`, async () => {
  await serve({ ...UNLIMITED, maxBodyBytes: MAX_BODY, maxEventsPerBatch: 100 });
  const ana = await enrolled();
  const tokens = new Map([
    ['ben', await enrolled('ben')],
    ['eve', await enrolled('eve')],
  ]);
  const statuses = await documented();
  const makeBatch = await batchSender(ana);
  const agent = new Agent({ keepAlive: true });
  const met = new Set<number>();
  try {
    await fc.assert(
      fc.asyncProperty(fc.oneof(batch.map(asBatch), other.map(asOther)), async (made) => {
        const sent = 'batch' in made ? await makeBatch(made.batch) : otherRequest(made.other, tokens);
        const got = await send(sent, agent);
        expect(got).toBeDefined();
        if (got === undefined) return;
        met.add(got.status);
        check(got, sent, statuses(sent));
      }),
      { numRuns: FUZZ_CASES, seed },
    );
  } finally {
    agent.destroy();
  }
  // What is answered in one way only has been tried in one way only.
  expect([200, 400, 401, 404, 405, 413, 415, 422].filter((status) => !met.has(status))).toEqual([]);
  await expectNothingTold([ana, ...tokens.values()]);
}, 600_000);

it(`and what is not even HTTP is answered 4xx or not at all (seed ${seed})`, async () => {
  await serve(UNLIMITED);
  const line = fc.constantFrom(
    `GET /${CANARY} HTTP/1.1`,
    `${CANARY} / HTTP/1.1`,
    'PUT /v1/sessions HTTP/9.9',
    'PUT /v1/sessions HTTP/1.1',
    `GET /${'a'.repeat(20_000)} HTTP/1.1`,
  );
  const field = fc.constantFrom(
    'host: x',
    CANARY,
    `x: ${CANARY.repeat(4_000)}`,
    'content-length: 5',
    'content-length: -1',
    'content-length: 6',
    'transfer-encoding: chunked',
    'transfer-encoding: chunked, gzip',
    'expect: 100-continue',
    'upgrade: h2c',
    'connection: upgrade, close',
    'connection: close',
  );
  const end = fc.constantFrom(
    '\r\n\r\n',
    '\n\n',
    `\r\n\r\nzz\r\n${CANARY}\r\n0\r\n\r\n`,
    '\r\n\r\n5\r\nabcde\r\n0\r\n\r\n',
  );
  const bytes = fc.oneof(
    fc
      .tuple(line, fc.array(field, { maxLength: 5 }), end)
      .map(([first, fields, last]) => [first, ...fields].join('\r\n') + last),
    fc.uint8Array({ maxLength: 200 }).map((raw) => Buffer.from(raw).toString('latin1')),
  );
  const { port } = new URL(world.address);
  await fc.assert(
    fc.asyncProperty(bytes, async (text) => {
      const socket = connect(Number(port), '127.0.0.1');
      let got = '';
      socket.on('data', (part_: Buffer) => (got += part_.toString('latin1')));
      socket.on('error', () => undefined);
      socket.end(Buffer.from(text, 'latin1'));
      // A connection that is reset is closed as well.
      await new Promise<void>((closed) => socket.once('close', () => closed()));
      for (const [, status] of got.matchAll(/HTTP\/1\.1 (\d{3})/gu)) expect(status).toMatch(/^(?:4\d\d|100)$/u);
      expect(got).not.toContain(CANARY);
      const [, body = ''] = /\r\n\r\n(\{.*\})/su.exec(got) ?? [];
      if (body !== '' && !body.includes('HTTP/1.1')) refusalAnswer.parse(JSON.parse(body));
    }),
    { numRuns: Math.min(FUZZ_CASES, 1_000), seed },
  );
  await expectNothingTold([]);
}, 600_000);
