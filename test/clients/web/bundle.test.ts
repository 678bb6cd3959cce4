import * as fc from 'fast-check';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { afterEach, expect, it, vi } from 'vitest';
import { createBatch, KINDS, type Captured } from '../../../clients/web/batch.ts';
import { createSeal } from '../../../clients/web/seal.ts';
import type { createRecorder as CreateRecorder } from '../../../clients/web/recorder.ts';
import { bundleRecorder } from '../../../dev/build-clients.ts';
import { CLIPBOARD_OPS, POINTER_BUTTONS, RAW_KINDS, type RawEvent } from '../../../src/events/raw.ts';
import { newSealingKeyPair } from '../../../src/privacy/sealing/key-pair.ts';
import { createSealOpener } from '../../../src/privacy/sealing/open.ts';
import { payload } from '../../events/arbitraries.ts';
import { openPage, startTestGateway, testCodec } from './page.ts';

const SUITE = 'DHKEM(X25519, HKDF-SHA256), HKDF-SHA256, AES-128-GCM';

afterEach(() => {
  vi.unstubAllGlobals();
});

it('is one module of less than 12 KB that imports nothing, evaluates nothing and logs nothing', async () => {
  const code = await bundleRecorder();
  expect(Buffer.byteLength(code)).toBeLessThan(12 * 1024);
  expect(code).not.toMatch(/\bimport\b|\beval\b|new Function|\bconsole\b|localStorage|sessionStorage|indexedDB/u);
});

it('records and seals as its sources do, also when its names are shortened', async () => {
  const dir = await mkdtemp(join(tmpdir(), 'recorder-'));
  try {
    const file = join(dir, 'recorder.mjs');
    await writeFile(file, await bundleRecorder());
    const { createRecorder } = (await import(/* @vite-ignore */ pathToFileURL(file).href)) as {
      createRecorder: typeof CreateRecorder;
    };
    const gateway = await startTestGateway();
    const page = openPage('<button aria-label="Save">x</button>');
    const button = page.document.querySelector('button') ?? page.document;
    let status = '';
    const recorder = createRecorder({
      gateway: 'https://gateway.example',
      subject: 'ana',
      device: 'laptop',
      window: page.window,
      onState: (state) => ({ status } = state),
    });
    recorder.start();
    await vi.waitFor(() => expect(status).toBe('recording'));
    page.do(button, 'pointerdown', { screenX: 30, screenY: 40, clientX: 10, clientY: 10, button: 2 });
    page.press(button, 'a');
    page.do(button, 'copy');
    page.do(button, 'wheel', { deltaX: 3, deltaY: 120 });
    await recorder.stop();
    const [opened] = await gateway.opened();
    expect(opened).toMatchObject({
      subject: 'ana',
      device: 'laptop',
      contexts: [{ app: 'Web', title: 'A page', url: 'https://app.example/page', private: false }],
      elements: [{ role: 'button', name: 'Save', value: '', secure: false, bounds: { x: 20, y: 30 } }],
      events: [
        { kind: 'navigate', context: 0, element: -1 },
        { kind: 'pointer_down', x: 30, y: 40, button: 'right', element: 0 },
        { kind: 'key_down', key: 'a', code: 'Keya' },
        { kind: 'key_up' },
        { kind: 'clipboard', op: 'copy', text: '' },
        { kind: 'wheel', dx: 3, dy: -120 },
        { kind: 'session_end', context: -1, element: -1 },
      ],
    });
    expect(recorder.cost()).toMatchObject({ captured: 7, acknowledged: 7, dropped: 0, unsent: 0, requests: 3 });
  } finally {
    await rm(dir, { recursive: true });
  }
});

/** An event as the recorder has it. */
function asCaptured(event: Exclude<RawEvent, { kind: 'unknown' }>): Captured {
  const { kind, at, context: _context, element: _element, ...fields } = event;
  return {
    ...fields,
    kind: KINDS.indexOf(kind),
    at,
    ...('button' in event ? { pressed: POINTER_BUTTONS.indexOf(event.button) } : {}),
    ...('op' in event ? { op: CLIPBOARD_OPS.indexOf(event.op) } : {}),
    ...('value' in event ? { entered: event.value } : {}),
    ...('text' in event ? { entered: event.text } : {}),
  } as Captured; // its own fields under its own names
}

it('what it packs and seals opens to the same events', async () => {
  const codec = await testCodec();
  const pair = await newSealingKeyPair();
  const opener = await createSealOpener(pair.privateKey);
  const seal = await createSeal({
    keyId: pair.keyId,
    publicKey: Buffer.from(pair.publicKey).toString('base64'),
    suite: SUITE,
  });
  expect(KINDS).toEqual(RAW_KINDS);
  await fc.assert(
    fc.asyncProperty(payload, fc.string({ unit: 'binary' }), fc.nat(), async (given, session, sequence) => {
      const batch = createBatch(given.subject, given.device);
      const expected: object[] = [];
      for (const event of given.events) {
        if (event.kind === 'unknown') continue;
        const context = given.contexts[event.context];
        const element = given.elements[event.element];
        const bounds = element?.bounds ?? { x: 1, y: 2, width: 3, height: 4 };
        const { x, y, width, height } = bounds;
        batch.add(
          asCaptured(event),
          context,
          element && { role: element.role, name: element.name, bounds: [x, y, width, height] },
        );
        expected.push({
          ...event,
          context: context && { ...context, private: false },
          element: element && { ...element, value: '', secure: false, bounds },
        });
      }
      const as = { session, sequence, grantedAt: 1_767_600_000_000 };
      const packed = batch.pack();
      expect(Math.abs(packed.length - batch.sizeNow() - Buffer.byteLength(given.subject + given.device))).toBeLessThan(
        90,
      );
      const body = Buffer.from(await seal(as, packed));
      expect(body.subarray(0, 8).toString('hex')).toBe(pair.keyId);
      const sealed = { keyId: pair.keyId, encapsulated: body.subarray(8, 40) };
      const opened = await opener.open({ ...as, receivedAt: 0, seal: sealed, payload: body.subarray(40) });
      const read = codec.openPayload(opened ?? new Uint8Array());
      if (!read.ok) throw new Error(read.reason);
      const { subject, device, contexts, elements, events } = read.value;
      expect([subject, device]).toEqual([given.subject, given.device]);
      expect(
        events.map((event) => ({ ...event, context: contexts[event.context], element: elements[event.element] })),
      ).toEqual(expected);
    }),
    { numRuns: 200 },
  );
});

it('seals to no key of another suite, and to no bytes that are no key', async () => {
  const { keyId, publicKey } = await newSealingKeyPair();
  const good = { keyId, publicKey: Buffer.from(publicKey).toString('base64'), suite: SUITE };
  await expect(createSeal({ ...good, suite: 'another' })).rejects.toThrow(RangeError);
  await expect(createSeal({ ...good, publicKey: 'AAAA' })).rejects.toThrow(/\S/u);
});
