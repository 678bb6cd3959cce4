/**
 * `capture-jsonl`: one JSON object a line, for any recorder. docs/capture-jsonl.md is its reference.
 *
 * Fails closed: a kind or field that is not in the grammar is an error, so that nothing is imported by halves.
 */

import {
  type Bounds,
  CLIPBOARD_OPS,
  type ClipboardOp,
  type Context,
  POINTER_BUTTONS,
  type PointerButton,
  type UiElement,
} from '../../events/raw.ts';
import type { EventBody } from '../batcher.ts';
import type { Format } from './format.ts';
import { type Fail, failIn } from './import-error.ts';
import { awayFromZero, createFields, type Fields, isObject, type JsonObject, parseObject } from './json.ts';
import { nearest } from '../../privacy/policy/nearest.ts';
import type { Recorded } from './sessions.ts';

const POINTER_FIELDS = ['x', 'y', 'button'];
const KEY_FIELDS = ['key', 'code'];

/** Every kind with its own fields; a map, so that no name of Object's prototype passes for a kind. */
const KIND_FIELDS: ReadonlyMap<string, readonly string[]> = new Map([
  ['key_down', KEY_FIELDS],
  ['key_up', KEY_FIELDS],
  ['pointer_move', POINTER_FIELDS],
  ['pointer_down', POINTER_FIELDS],
  ['pointer_up', POINTER_FIELDS],
  ['wheel', ['dx', 'dy']],
  ['focus', []],
  ['navigate', []],
  ['clipboard', ['op', 'text']],
  ['value_change', ['value']],
  ['composition', ['text']],
  ['session_end', []],
]);

const COMMON_FIELDS = ['subject', 'session', 'at', 'kind', 'context', 'element'];
const CONTEXT_FIELDS: ReadonlySet<string> = new Set(['app', 'title', 'url', 'private']);
const ELEMENT_FIELDS: ReadonlySet<string> = new Set(['role', 'name', 'value', 'secure', 'bounds']);
const BOUNDS_FIELDS: ReadonlySet<string> = new Set(['x', 'y', 'width', 'height']);

const LINE_FIELDS: ReadonlyMap<string, ReadonlySet<string>> = new Map(
  [...KIND_FIELDS].map(([kind, fields]) => [kind, new Set([...COMMON_FIELDS, ...fields])] as const),
);

/** Opens a `capture-jsonl` file; `subject` overrides that of its lines, which may then lack it. */
export const captureJsonl: Format = async (o) => {
  const source = await o.openEvents(o.path);
  const fail = failIn(source.name);
  const parse = createLineParser(o.subject, fail);
  return {
    source,
    fail,
    labelsRestart: false,
    async *read() {
      for await (const block of source.lines(o.limits.maxLineBytes)) {
        const recorded: Recorded[] = [];
        let line = block.first;
        for (const text of block.lines) {
          if (text.trim() !== '') recorded.push(parse(text, line));
          line += 1;
        }
        yield recorded;
      }
    },
  };
};

/** Makes the parser of one file's lines. It holds nothing from line to line. */
export function createLineParser(subject: string | undefined, fail: Fail): (text: string, line: number) => Recorded {
  const fields = createFields(fail);
  return (text, line) => {
    const o = parseObject(text, line, fail);
    const { kind } = o;
    const allowed = typeof kind === 'string' ? LINE_FIELDS.get(kind) : undefined;
    if (typeof kind !== 'string' || allowed === undefined) return fail(line, kindProblem(kind));
    // Objects of JSON.parse have no enumerable names but their own.
    // oxlint-disable-next-line guard-for-in
    for (const name in o) if (!allowed.has(name)) fail(line, unknownField(kind, name, allowed));
    return {
      line,
      subject: subject ?? nonEmpty(o, 'subject', line, fields, fail),
      label: nonEmpty(o, 'session', line, fields, fail),
      event: toEvent(kind, o, fields.time(fields.number(o, 'at', line), 'at', line), line, fields, fail),
      context: toContext(o['context'], line, fail),
      element: toElement(o['element'], line, fields, fail),
    };
  };
}

function toEvent(kind: string, o: JsonObject, at: number, line: number, fields: Fields, fail: Fail): EventBody {
  switch (kind) {
    case 'key_down':
    case 'key_up':
      return { kind, at, key: nonEmpty(o, 'key', line, fields, fail), code: fields.optionalText(o, 'code', line) };
    case 'pointer_move':
      // Recorders give the held button with moves as well; the press before it has said it already.
      if (o['button'] !== undefined) toButton(o['button'], line, fail);
      return { kind, at, x: fields.pixels(o, 'x', line), y: fields.pixels(o, 'y', line) };
    case 'pointer_down':
    case 'pointer_up':
      return {
        kind,
        at,
        x: fields.pixels(o, 'x', line),
        y: fields.pixels(o, 'y', line),
        button: toButton(o['button'], line, fail),
      };
    case 'wheel':
      return { kind, at, dx: toAmount(o, 'dx', line, fields, fail), dy: toAmount(o, 'dy', line, fields, fail) };
    case 'clipboard':
      return { kind, at, op: toClipboardOp(o['op'], line, fail), text: fields.optionalText(o, 'text', line) };
    case 'value_change':
      return { kind, at, value: fields.text(o, 'value', line) };
    case 'composition':
      return { kind, at, text: fields.text(o, 'text', line) };
    case 'focus':
    case 'navigate':
    case 'session_end':
      return { kind, at };
    default:
      return fail(line, kindProblem(kind));
  }
}

function toContext(value: unknown, line: number, fail: Fail): Context | null | undefined {
  if (value === undefined || value === null) return value;
  if (!isObject(value)) return fail(line, 'context must be an object, or null when it is not known');
  checkNames(value, 'context', CONTEXT_FIELDS, line, fail);
  return {
    app: textOr(value['app'], 'context.app', line, fail),
    title: textOr(value['title'], 'context.title', line, fail),
    url: textOr(value['url'], 'context.url', line, fail),
    private: flagOr(value['private'], 'context.private', line, fail),
  };
}

function toElement(value: unknown, line: number, fields: Fields, fail: Fail): UiElement | null | undefined {
  if (value === undefined || value === null) return value;
  if (!isObject(value)) return fail(line, 'element must be an object, or null when it is not known');
  checkNames(value, 'element', ELEMENT_FIELDS, line, fail);
  return {
    role: textOr(value['role'], 'element.role', line, fail).toLowerCase(),
    name: textOr(value['name'], 'element.name', line, fail),
    value: textOr(value['value'], 'element.value', line, fail),
    secure: flagOr(value['secure'], 'element.secure', line, fail),
    bounds: toBounds(value['bounds'], line, fields, fail),
  };
}

/** `{x, y, width, height}`, or the same four numbers as a list. */
function toBounds(value: unknown, line: number, fields: Fields, fail: Fail): Bounds | null {
  if (value === undefined || value === null) return null;
  if (Array.isArray(value)) {
    if (value.length !== 4) fail(line, 'element.bounds must have four numbers: x, y, width, height');
    const [x, y, width, height]: unknown[] = value;
    return boundsOf({ x, y, width, height }, line, fields, fail);
  }
  if (!isObject(value)) return fail(line, 'element.bounds must be {x, y, width, height}');
  checkNames(value, 'element.bounds', BOUNDS_FIELDS, line, fail);
  return boundsOf(value, line, fields, fail);
}

function boundsOf(o: JsonObject, line: number, fields: Fields, fail: Fail): Bounds {
  const bounds = {
    x: fields.pixels(o, 'x', line),
    y: fields.pixels(o, 'y', line),
    width: fields.pixels(o, 'width', line),
    height: fields.pixels(o, 'height', line),
  };
  return bounds.width >= 0 && bounds.height >= 0
    ? bounds
    : fail(line, 'width and height of element.bounds must not be negative');
}

function toAmount(o: JsonObject, key: string, line: number, fields: Fields, fail: Fail): number {
  if (o[key] === undefined) return 0;
  const amount = awayFromZero(fields.number(o, key, line));
  return Number.isSafeInteger(amount) && Math.abs(amount) <= 1e9 ? amount : fail(line, `${key} must be within ±1e9`);
}

function toButton(value: unknown, line: number, fail: Fail): PointerButton {
  const button = POINTER_BUTTONS.find((known) => known === value);
  return button ?? fail(line, `button must be one of ${POINTER_BUTTONS.join(', ')}`);
}

function toClipboardOp(value: unknown, line: number, fail: Fail): ClipboardOp {
  const op = CLIPBOARD_OPS.find((known) => known === value);
  return op ?? fail(line, `op must be one of ${CLIPBOARD_OPS.join(', ')}`);
}

function nonEmpty(o: JsonObject, key: string, line: number, fields: Fields, fail: Fail): string {
  const text = fields.text(o, key, line);
  return text === '' ? fail(line, `${key} must not be empty`) : text;
}

function textOr(value: unknown, key: string, line: number, fail: Fail): string {
  if (value === undefined) return '';
  return typeof value === 'string' ? value : fail(line, `${key} must be text`);
}

function flagOr(value: unknown, key: string, line: number, fail: Fail): boolean {
  if (value === undefined) return false;
  return typeof value === 'boolean' ? value : fail(line, `${key} must be true or false`);
}

function checkNames(o: JsonObject, where: string, allowed: ReadonlySet<string>, line: number, fail: Fail): void {
  // oxlint-disable-next-line guard-for-in
  for (const name in o) if (!allowed.has(name)) fail(line, unknownField(where, name, allowed));
}

/** The unknown name is not shown: in a file that is not what it seems to be, names are content as well. */
function unknownField(where: string, name: string, allowed: ReadonlySet<string>): string {
  const meant = nearest(name, allowed);
  const hint = meant === undefined ? `its fields are ${[...allowed].join(', ')}` : `did you mean ${meant}?`;
  return `${where} has an unknown field; ${hint}`;
}

function kindProblem(kind: unknown): string {
  if (kind === undefined) return 'kind is missing; it says what happened';
  const meant = typeof kind === 'string' ? nearest(kind, KIND_FIELDS.keys()) : undefined;
  const hint =
    meant === undefined ? `it must be one of ${[...KIND_FIELDS.keys()].join(', ')}` : `did you mean ${meant}?`;
  return `kind is unknown; ${hint}`;
}
