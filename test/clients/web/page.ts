/** A page for the recorder in happy-dom, and a gateway that keeps what it is sent. */
import { Window } from 'happy-dom';
import { vi } from 'vitest';
import {
  createRecorder,
  type Recorder,
  type RecorderOptions,
  type RecorderState,
} from '../../../clients/web/recorder.ts';
import { createCodec, type Codec } from '../../../src/events/codec.ts';
import { DEFAULT_LIMITS } from '../../../src/events/limits.ts';
import { RAW_KINDS, type CapturePayload } from '../../../src/events/raw.ts';
import { loadContracts, schemaIds } from '../../../src/events/schemas.ts';
import { loadZstd } from '../../../src/events/zstd.ts';
import { newSealingKeyPair } from '../../../src/privacy/sealing/key-pair.ts';
import { createSealOpener } from '../../../src/privacy/sealing/open.ts';

export const START = Date.UTC(2026, 10, 25, 9);

export interface Sent {
  readonly method: string;
  readonly path: string;
  readonly body: Uint8Array | string | null;
  readonly keepalive: boolean;
  readonly type: string | null;
}
export interface Answer {
  readonly status: number;
  /** As JSON; a text as it is. */
  readonly body?: object | string;
  readonly retryAfter?: number;
}

export interface TestGateway {
  /** What it says, where not what it says by itself; 'none' for no answer. */
  answer: (sent: Sent) => Answer | 'none' | undefined | Promise<Answer>;
  readonly sent: Sent[];
  readonly batches: () => readonly Sent[];
  /** What was in the batches, by the server's own unsealing and codec; each number once. */
  readonly opened: () => Promise<readonly CapturePayload[]>;
}

export const testCodec = async (): Promise<Codec> =>
  createCodec({ zstd: await loadZstd(), schemas: schemaIds(loadContracts()), limits: DEFAULT_LIMITS });

const BATCH = /^\/v1\/sessions\/([^/]+)\/batches\/(\d+)$/u;

/** Stands in for `fetch` until the test's stubs are undone. */
export async function startTestGateway(
  change: { record?: object; limits?: object; endsAt?: number } = {},
): Promise<TestGateway> {
  const pair = await newSealingKeyPair();
  const opener = await createSealOpener(pair.privateKey);
  const codec = await testCodec();
  let sessions = 0;
  const gateway: TestGateway = {
    answer: () => undefined,
    sent: [],
    batches: () => gateway.sent.filter(({ path }) => BATCH.test(path)),
    async opened() {
      const byPath = new Map(gateway.batches().map((sent) => [sent.path, sent.body]));
      return Promise.all(
        [...byPath].map(async ([path, body]) => {
          const [, session = '', sequence = ''] = BATCH.exec(path) ?? [];
          const bytes = body instanceof Uint8Array ? Buffer.from(body) : Buffer.alloc(0);
          const seal = { keyId: bytes.subarray(0, 8).toString('hex'), encapsulated: bytes.subarray(8, 40) };
          const as = { session, sequence: Number(sequence), grantedAt: START, receivedAt: START };
          const packed = await opener.open({ ...as, seal, payload: bytes.subarray(40) });
          if (seal.keyId !== pair.keyId || packed === undefined) throw new Error('it does not open');
          const payload = codec.openPayload(packed);
          if (!payload.ok) throw new Error(payload.reason);
          return payload.value;
        }),
      );
    },
  };
  function own({ method, path }: Sent): Answer {
    if (method === 'DELETE') return { status: 204 };
    const sequence = BATCH.exec(path)?.[2];
    if (sequence !== undefined) return { status: 200, body: { sequence: Number(sequence), thin: [] } };
    if (path !== '/v1/sessions') {
      return { status: 200, body: { recording: path === '/v1/me/pause' ? 'paused' : 'enrolled' } };
    }
    const grant = {
      session: `session-${sessions++}`,
      grantedAt: START,
      endsAt: START + (change.endsAt ?? 1_800_000),
      limits: { maxBodyBytes: 1 << 20, maxEventsPerBatch: 10_000, ...change.limits },
      sealing: {
        keyId: pair.keyId,
        publicKey: Buffer.from(pair.publicKey).toString('base64'),
        suite: 'DHKEM(X25519, HKDF-SHA256), HKDF-SHA256, AES-128-GCM',
      },
      record: { excludeApps: [], excludeHosts: [], excludeTitles: [], kinds: RAW_KINDS, ...change.record },
    };
    return { status: 201, body: grant };
  }
  vi.stubGlobal('fetch', async (url: string, init: RequestInit) => {
    const sent: Sent = {
      method: init.method ?? '',
      path: new URL(url).pathname,
      body: init.body as Sent['body'], // of no other kind
      keepalive: init.keepalive ?? false,
      type: new Headers(init.headers).get('content-type'),
    };
    gateway.sent.push(sent);
    const answer = (await gateway.answer(sent)) ?? own(sent);
    if (answer === 'none') throw new TypeError('no network');
    const headers = answer.retryAfter === undefined ? {} : { 'retry-after': String(answer.retryAfter) };
    const body = typeof answer.body === 'object' ? JSON.stringify(answer.body) : (answer.body ?? null);
    return new Response(body, { status: answer.status, headers });
  });
  return gateway;
}

export interface TestPage {
  readonly document: Document;
  readonly window: globalThis.Window & typeof globalThis;
  /** Dispatches it as if a person had done it. */
  readonly do: (target: EventTarget, type: string, fields?: object) => void;
  readonly press: (target: EventTarget, key: string) => void;
}

export function openPage(html: string, url = 'https://app.example/page'): TestPage {
  const page = new Window({ url });
  page.document.body.innerHTML = html;
  page.document.title = 'A page';
  const window = page as unknown as TestPage['window']; // happy-dom's is as near as it gets
  const act: TestPage['do'] = (target, type, fields = {}) => {
    const event = new page.Event(type, { bubbles: true, composed: true });
    Object.defineProperty(event, 'isTrusted', { value: true, configurable: true });
    for (const [name, value] of Object.entries(fields)) Object.defineProperty(event, name, { value });
    target.dispatchEvent(event as unknown as Event); // as above
  };
  return {
    document: window.document,
    window,
    do: act,
    press(target, key) {
      act(target, 'keydown', { key, code: `Key${key}` });
      act(target, 'keyup', { key, code: `Key${key}` });
    },
  };
}

export interface Recording {
  readonly recorder: Recorder;
  readonly states: RecorderState[];
}

/** Starts one, and waits until it records or says why it does not. */
export async function record(page: TestPage, options: Partial<RecorderOptions> = {}): Promise<Recording> {
  const states: RecorderState[] = [];
  const recorder = createRecorder({
    gateway: 'https://gateway.example/',
    token: 'token',
    subject: 'ana',
    device: 'laptop',
    window: page.window,
    onState: (state) => states.push(state),
    ...options,
  });
  recorder.start();
  await vi.waitFor(() => {
    if (states.length < 2) throw new Error('no answer yet');
  });
  return { recorder, states };
}
