/** One value of every record, with every kind of event in it. The fixtures hold these very values: do not change them. */
import type {
  ConsentDecision,
  DeviceToken,
  AuditRecord,
  Erasure,
  PersonRequest,
  SessionOwner,
  KeyringEntry,
  QuarantineRecord,
  SealingKey,
} from '../../src/events/control.ts';
import type { CaptureEnvelope, CapturePayload, SealedBatch } from '../../src/events/raw.ts';
import type { ReleasedBatch, ReleasedFields } from '../../src/events/released.ts';

const T = Date.UTC(2025, 5, 2, 9);

export const ENVELOPE: CaptureEnvelope = { session: 's-1', sequence: 7, grantedAt: T - 60_000, receivedAt: T + 5_000 };

const here = { context: 0, element: 1 };
export const PAYLOAD: CapturePayload = {
  subject: 'ada@example.org',
  device: 'laptop-1',
  contexts: [
    { app: 'Excel', title: 'Budget.xlsx - Excel', url: '', private: false },
    { app: 'Chrome', title: 'Search', url: 'https://example.org/a?b=c', private: true },
  ],
  elements: [
    { role: 'button', name: 'Save', value: '', secure: false, bounds: { x: -4, y: 10, width: 80, height: 24 } },
    { role: 'textbox', name: 'Name', value: 'Ünïcödé 🦊', secure: true, bounds: null },
  ],
  events: [
    { kind: 'focus', at: T, context: 0, element: -1 },
    { kind: 'pointer_move', at: T + 8, ...here, x: 100, y: 200 },
    { kind: 'pointer_move', at: T + 16, ...here, x: 96, y: 2_147_483_647 },
    { kind: 'pointer_down', at: T + 20, ...here, x: 96, y: -2_147_483_648, button: 'left' },
    { kind: 'unknown', at: T + 21, ...here, code: 200 },
    { kind: 'pointer_up', at: T + 90, ...here, x: 97, y: 201, button: 'other' },
    { kind: 'wheel', at: T + 80, context: -1, element: -1, dx: 0, dy: -3 },
    { kind: 'key_down', at: T + 300, ...here, key: 'a', code: 'KeyA' },
    { kind: 'key_up', at: T + 350, ...here, key: 'a', code: 'KeyA' },
    { kind: 'key_down', at: T + 400, ...here, key: 'Enter', code: '' },
    { kind: 'clipboard', at: T + 500, ...here, op: 'paste', text: 'pasted' },
    { kind: 'value_change', at: T + 500, ...here, value: 'pasted' },
    { kind: 'composition', at: T + 600, ...here, text: '日本' },
    { kind: 'navigate', at: T + 3_000_000_000, context: 1, element: 0 },
    { kind: 'session_end', at: T + 700, context: 1, element: 0 },
  ],
};

/** Its bytes are made up: what they hold is none of the envelope's business. */
export const SEALED: SealedBatch = {
  ...ENVELOPE,
  payload: Buffer.from('00ff80', 'hex'),
  seal: { keyId: '0123456789abcdef', encapsulated: Buffer.alloc(32, 0xa5) },
};

const NO_VALUES = {
  app: null,
  window: null,
  url: null,
  target_role: null,
  target: null,
  key: null,
  button: null,
  direction: null,
  cell: null,
  pause: null,
  length: null,
  count: null,
};
const RELEASED_FIELDS: ReleasedFields = {
  session: '5e55',
  subject: null,
  day: 20_241,
  policy: 'sha256:00',
  schema: 1,
  actions: [
    { ...NO_VALUES, step: 0, action: 'away' },
    { ...NO_VALUES, step: 1, action: 'type', app: 'Excel', target_role: 'textbox', length: '<16', pause: '<1s' },
    { ...NO_VALUES, step: 2, action: 'scroll', direction: 'down', count: 'more' },
    {
      ...NO_VALUES,
      step: 3,
      action: 'click',
      url: 'https://example.org/',
      target: 'Save',
      button: 'left',
      cell: 'top-left',
    },
    { ...NO_VALUES, step: 4, action: 'shortcut', key: 'Ctrl+S', window: '{title} - Excel' },
  ],
};
// Only `release` mints the brand; the codec's tests need bytes of one and run no processor.
export const RELEASED = RELEASED_FIELDS as ReleasedBatch;

export const CONSENT: ConsentDecision = {
  subjectKey: 'ab12',
  decisionId: 'd-1',
  kind: 'pause',
  decidedAt: T,
  until: T + 600_000,
};
export const KEY_ENTRY: KeyringEntry = {
  purpose: 'session',
  epoch: '2025-06',
  keyId: 'k-1',
  createdAt: T,
  state: 'active',
  wrapped: Buffer.from('000102ff', 'hex'),
  masterKeyId: 'm-1',
  since: null,
};
export const SEALING_KEY: SealingKey = {
  keyId: '0123456789abcdef',
  publicKey: Buffer.alloc(32, 0x5a),
  createdAt: T,
  state: 'active',
};
export const DEVICE: DeviceToken = {
  tokenId: '0123456789abcdef',
  subjectKey: 'ab12',
  device: 'laptop-1',
  hash: Buffer.alloc(32, 0x3c),
  issuedAt: T,
  expiresAt: T + 86_400_000,
  revokedAt: null,
};
export const ERASURE: Erasure = {
  subjectKey: 'ab12',
  requestedAt: T,
  erasureId: 'e-1',
  by: 'operator',
  doneAt: null,
  rows: 0,
  sessions: 0,
};
export const REQUEST: PersonRequest = {
  subjectKey: 'ab12',
  requestId: 'r-1',
  kind: 'exemption',
  reason: 'I work with patients.',
  askedAt: T,
  answer: 'refused',
  answeredAt: T + 1,
  comment: 'Use the pause.',
};
export const OWNER: SessionOwner = { epoch: '2026-01', closed: Buffer.alloc(40, 0x11) };
export const AUDIT: AuditRecord = {
  sequence: 5_000_000_000,
  previous: '0'.repeat(64),
  at: T,
  run: 'run-1',
  who: 'ops',
  what: 'vocabulary build',
  stage: 'done',
  why: 'a new app',
  about: '{"days":3}',
  hash: 'f'.repeat(64),
};
export const QUARANTINE: QuarantineRecord = {
  topic: 'interactions.raw',
  partition: 3,
  offset: 5_000_000_000,
  reason: 'bad_payload',
  bytes: 1_234,
  quarantinedAt: T,
};
