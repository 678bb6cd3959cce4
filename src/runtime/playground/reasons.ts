/** Why something is lost, in plain words: of a policy's columns, of raw events, of whole batches. */
import type { DropReason, QuarantineReason } from '../../events/outcome.ts';
import type { RawEventKind } from '../../events/raw.ts';
import type { ActionName } from '../../events/released.ts';
import type { Policy } from '../../privacy/policy.ts';
import type { Placeholder } from '../../privacy/public-text.ts';
import type { SpanKind } from '../../privacy/recognizers/span.ts';
import type { TableRow } from '../../sinks/columns.ts';
import type { Loss, RawPart } from './protocol.ts';

interface Dropped {
  readonly why: string;
  /** Kinds of event that it can befall one by one; none where it befalls any. */
  readonly kinds: readonly RawEventKind[];
}

const PRESSES: readonly RawEventKind[] = ['pointer_down', 'pointer_up'];

export const DROPPED: Readonly<Record<DropReason, Dropped>> = {
  not_enrolled: { why: 'The person has not agreed to be recorded: nothing of theirs is kept.', kinds: [] },
  withdrawn: { why: 'The person has withdrawn: nothing of theirs is kept any more.', kinds: [] },
  exempt: { why: 'The person is exempt from recording.', kinds: [] },
  paused: { why: 'Recording was paused. A pause drops what happens; it does not put it off.', kinds: [] },
  session_ended_by_consent: {
    why: 'The session had been ended by a pause, a withdrawal or an exemption before this arrived.',
    kinds: [],
  },
  erased: { why: 'The person asked for the erasure of all that was kept.', kinds: [] },
  key_destroyed: { why: "The key behind this month's pseudonyms is destroyed: nothing can be released.", kinds: [] },
  duplicate: { why: 'The same batch had come before.', kinds: [] },
  out_of_order: { why: 'A later batch of the session had come before: this one would be out of order.', kinds: [] },
  late: { why: 'It arrived long after the session must have ended.', kinds: [] },
  after_end: { why: 'The session was over: nothing follows its end.', kinds: [] },
  excluded_context: {
    why: 'It happened in a place that the policy excludes, such as a private window, a password manager, a chat or a bank. All that is told of it is “away”.',
    kinds: [],
  },
  unknown_context: { why: 'Nobody knows in which window it happened, and the policy drops such events.', kinds: [] },
  unknown_kind: { why: 'An event of a kind that is not known is never passed on.', kinds: ['unknown'] },
  key_up: {
    why: 'When a key is let go says nothing that helps an agent, but the rhythm of typing tells people apart.',
    kinds: ['key_up'],
  },
  modifier: {
    why: 'Shift, Ctrl and the like count only as a part of a shortcut; by themselves they would tell how somebody types.',
    kinds: ['key_down'],
  },
  pointer_path: {
    why: 'The path of a pointer is as personal as handwriting. Only what it ended in is kept: a click, a drag.',
    kinds: ['pointer_move'],
  },
  incomplete_gesture: {
    why: 'Half of a gesture: a press without its release, or a release without a press.',
    kinds: PRESSES,
  },
  unfinished: { why: 'The session ended, or a batch is missing, before this had become an action.', kinds: [] },
  session_marker: { why: "The recorder's own mark for the end of a session: nobody did it.", kinds: ['session_end'] },
};

const FAIL_CLOSED = 'Nothing of a batch passes that cannot be processed.';

export const QUARANTINED: Readonly<Record<QuarantineReason, string>> = {
  oversized: `The batch is too large. ${FAIL_CLOSED}`,
  bad_wire_format: `The batch is not in the format of the raw topic. ${FAIL_CLOSED}`,
  unknown_schema: `The batch names a schema that is not known here. ${FAIL_CLOSED}`,
  bad_envelope: `The outside of the batch cannot be read. ${FAIL_CLOSED}`,
  not_sealed: 'The batch was not sealed, and here it must be.',
  unknown_sealing_key: 'The batch was sealed to a key that is not known here.',
  sealing_key_destroyed: 'The key that opens this batch is destroyed.',
  unseal_failed: 'The seal does not open: the batch was changed, or is not of this session.',
  bad_compression: `The content cannot be unpacked. ${FAIL_CLOSED}`,
  bad_payload: `The content cannot be read. ${FAIL_CLOSED}`,
  limit_exceeded: 'The batch holds more than a batch may.',
  subject_mismatch: 'The content names another person than the one who sent it.',
  key_missing: 'There is no key to make pseudonyms with: without one, nothing is released.',
  processor_error: `A processor failed. ${FAIL_CLOSED}`,
  release_refused: 'The last check, against a list of all that may leave, found something that is not on it.',
};

/** Why nothing has come of an event yet. */
export const WAITING =
  'Held back: the action is not finished. Typing is told of as one action, when you click, press Enter or Tab, or go elsewhere; so that nobody sees where you paused.';

const FOUND: Readonly<Record<SpanKind, string>> = {
  email: 'an e-mail address',
  phone: 'a phone number',
  card: 'the number of a payment card',
  iban: 'an IBAN',
  bank_account: 'a bank account',
  national_id: 'a national identity number',
  tax_id: 'a tax number',
  health_id: 'the number of a health insurance',
  company_id: "a company's number",
  professional_id: 'the number of a professional',
  personal_number: 'a personal number',
  crypto_address: 'the address of a wallet',
  ip: 'a network address',
  mac: "a device's network address",
  host: 'the name of a host',
  url_userinfo: 'a user name or password in an address',
  coordinates: 'a place on the map',
  vehicle_id: "a vehicle's number",
  device_id: "a device's number",
  secret: 'a password, token or key',
  person: "a person's name",
  address: 'a postal address',
  birth_date: 'a date of birth',
  handle: "a person's name in a network",
  username: 'a user name',
  passport: 'the number of a passport',
  licence: 'the number of a licence',
  medical_record: 'the number of a medical record',
  plate: 'a licence plate',
};

/** What stood where a placeholder stands of which no recogniser says what it was. */
const STOOD: Readonly<Record<Exclude<Placeholder, `{${SpanKind}}`> | '{host}', string>> = {
  '{text}': 'a text that the reviewed vocabulary does not hold. It may be personal, so it is not kept.',
  '{typed}': 'the text repeats what was typed or pasted in this session. What you type does not leave by another way.',
  '{file}': 'the name of a file. People name files after people, projects and customers.',
  '{host}': 'a host that the vocabulary does not hold. It may tell of whom somebody is a customer.',
  '{part}': 'a part of an address that the vocabulary does not hold; often the name of somebody or something.',
  '{n}': 'digits. Numbers of orders, customers and accounts lead to people.',
  '{more}': 'the text has more parts than anyone has reviewed labels for.',
};

/** By placeholder, for all that there are: what stood there, and why it is not kept. */
export const PLACEHOLDER_REASONS: Readonly<Record<string, string>> = Object.fromEntries([
  ...Object.entries(FOUND).map(([kind, text]) => [`{${kind}}`, `{${kind}}: a recogniser took it for ${text}.`]),
  // After these: the `{host}` of an address is one as well.
  ...Object.entries(STOOD).map(([placeholder, text]) => [placeholder, `${placeholder}: ${text}`]),
]);

/** By column of the training table: what a value there has lost under this policy, and why. */
export function columnReasons(policy: Policy): Readonly<Record<keyof TableRow, string>> {
  const { columns, keystrokes, session } = policy;
  const off = 'This policy does not release it.';
  const unless = (isOff: boolean, text: string): string => (isOff ? off : text);
  return {
    date: 'Only the day is kept, in UTC: when on that day is not.',
    session: `A keyed pseudonym in place of the session's id. Another one begins after ${session.maxActions} actions, so that little can be linked.`,
    subject: unless(
      columns.subject === 'none',
      "A keyed pseudonym in place of the person's id; another one each month, and without its key nobody finds the way back.",
    ),
    step: 'The order of the actions is kept; their times are not.',
    action: 'Many raw events have become one action: what was done, not how.',
    app: textReason(columns.app, "The app's name"),
    window: textReason(columns.window, 'The title of the window'),
    url: unless(
      columns.url === 'none',
      'Only the host and the pattern of the path are kept, where the vocabulary holds them. What follows ? and # is gone: it may hold anything.',
    ),
    target_role: unless(
      columns.target_role === 'none',
      'What sort of element it was, such as a button: a word of a standard, the same for everybody.',
    ),
    target: textReason(columns.target, 'The name of the element'),
    key: unless(
      columns.key === 'none',
      `Only ${keystrokes.namedKeys.length} named keys and ${keystrokes.shortcuts.length} shortcuts of the policy are released; every other key is content.`,
    ),
    button: unless(columns.button === 'none', 'Which button of the pointer it was.'),
    direction: unless(
      columns.direction === 'none',
      'Where the scroll went; how far is a bucket, how fast is not kept.',
    ),
    cell: unless(
      columns.cell === 'none',
      'Which ninth of the element was hit; the position on the screen is never kept.',
    ),
    pause: unless(columns.pause === 'none', 'How long it took, in four buckets.'),
    length: unless(
      columns.length === 'none',
      'What you type is content. Only how much it was is kept, in one of five buckets; of a protected field not even that.',
    ),
    count: unless(columns.count === 'none', 'How often or how far, in one of five buckets.'),
    policy: 'Which policy released it, by its digest: that everybody can check what held.',
    schema: 'The version of the columns.',
  };
}

function textReason(rule: Policy['columns']['window'], subject: string): string {
  switch (rule) {
    case 'none':
      return 'This policy does not release it.';
    case 'vocabulary':
      return `${subject} is kept as far as a reviewed list of public texts holds it, part by part; placeholders stand for the rest.`;
    case 'recognizers':
      return `${subject} is kept, but for what recognisers take for personal. What they miss is released: this is the weaker way.`;
  }
}

const LOST = {
  time: {
    what: 'time',
    why: 'When it happened, and how long it took, is not kept: rhythm alone tells people apart.',
  },
  path: { what: 'path', why: 'The path of the pointer is as personal as handwriting.' },
  text: {
    what: 'what was typed',
    why: 'What you type is content: no character of it is kept, nor which keys they were.',
  },
  clipboard: { what: 'what was copied', why: 'The content of the clipboard is never released, whatever it is.' },
  value: { what: 'what was entered', why: 'Values of fields are never released.' },
  distance: { what: 'distance', why: 'How far exactly is not kept: only a bucket of it.' },
  place: {
    what: 'where and what',
    why: 'It was in a place that the policy excludes: that you were away is all that is told.',
  },
} as const satisfies Readonly<Record<string, Loss>>;

/** By action: what is missing from it altogether under this policy. */
export function lossesOf({ columns }: Pick<Policy, 'columns'>): Readonly<Record<ActionName, readonly Loss[]>> {
  const { path, text, clipboard, value, distance, place } = LOST;
  const time =
    columns.pause === 'none' ? LOST.time : { what: 'exact time', why: 'Of times only a coarse pause is kept.' };
  const position: Loss =
    columns.cell === 'none'
      ? { what: 'position', why: 'Where on the screen or in the element is not kept: the element itself says enough.' }
      : { what: 'exact position', why: 'Only the ninth of the element is kept, never the place on the screen.' };
  return {
    click: [position, time],
    double_click: [position, time],
    long_press: [position, time],
    drag: [position, path, time],
    scroll: [distance, time],
    type: [text, time],
    press: [time],
    shortcut: [time],
    focus: [time],
    navigate: [time],
    clipboard: [clipboard, time],
    edit: [value, time],
    away: [place, time],
  };
}

/** By part of a raw event: what becomes of it under this policy. */
export function rawReasons(policy: Policy): Readonly<Record<RawPart, string>> {
  const columns = columnReasons(policy);
  return {
    subject: columns.subject,
    device: 'The device is never released.',
    time: LOST.time.why,
    position: policy.columns.cell === 'none' ? 'Positions are not kept.' : columns.cell,
    key: columns.key,
    typed: columns.length,
    value: LOST.value.why,
    clipboard: LOST.clipboard.why,
    title: columns.window,
    app: columns.app,
    url: columns.url,
    name: columns.target,
    role: columns.target_role,
  };
}
