/**
 * The events of recorders that write pynput's callbacks as JSON lines: AgentNet and DuckTrack.
 *
 * `{"time_stamp": seconds, "action": "move" | "click" | "scroll" | "press" | "release" | "pause" | "resume", ...}`; the
 * seconds are of a monotonic clock, so the recording's metadata says when that clock began.
 */

import { constants } from 'node:fs';
import { access, stat } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import type { PointerButton } from '../../events/raw.ts';
import type { EventBody } from '../batcher.ts';
import type { FormatOptions } from './format.ts';
import { type Fail, failIn, ImportError } from './import-error.ts';
import { awayFromZero, createFields, type Fields, isObject, type JsonObject, parseObject } from './json.ts';
import type { Source } from './source.ts';

/** One line of `events.jsonl`. */
export interface PynputEvent {
  readonly line: number;
  readonly action: PynputAction;
  /** Seconds of the recorder's monotonic clock. */
  readonly seconds: number;
  /** The event, at 0 until a clock has told its time. */
  readonly body: EventBody;
}

/** Turns the recorder's seconds into ms since the epoch. */
export type RecorderClock = (seconds: number, line: number) => number;

const ACTIONS = ['move', 'click', 'press', 'release', 'scroll', 'pause', 'resume'] as const;
type PynputAction = (typeof ACTIONS)[number];

/** Makes the parser of one `events.jsonl`. Fields that it does not need are passed over: versions of the tools differ. */
export function createPynputParser(fail: Fail): (text: string, line: number) => PynputEvent {
  const fields = createFields(fail);
  return (text, line) => {
    const o = parseObject(text, line, fail);
    const seconds = fields.number(o, 'time_stamp', line);
    const action = ACTIONS.find((known) => known === o['action']);
    if (action === undefined) return fail(line, `action must be one of ${ACTIONS.join(', ')}`);
    return { line, action, seconds, body: toBody(action, o, line, fields, fail) };
  };
}

function toBody(action: PynputAction, o: JsonObject, line: number, fields: Fields, fail: Fail): EventBody {
  const at = 0;
  switch (action) {
    case 'move':
      return { kind: 'pointer_move', at, x: fields.pixels(o, 'x', line), y: fields.pixels(o, 'y', line) };
    case 'click': {
      const kind = fields.boolean(o, 'pressed', line) ? 'pointer_down' : 'pointer_up';
      const button = toButton(fields.text(o, 'button', line));
      return { kind, at, x: fields.pixels(o, 'x', line), y: fields.pixels(o, 'y', line), button };
    }
    case 'scroll':
      return {
        kind: 'wheel',
        at,
        dx: scrolled(o, 'dx', line, fields, fail),
        dy: scrolled(o, 'dy', line, fields, fail),
      };
    case 'press':
    case 'release': {
      const { name } = o;
      // pynput knows no name for some keys and writes null.
      if (name !== null && typeof name !== 'string') return fail(line, 'name must be text or null');
      return { kind: action === 'press' ? 'key_down' : 'key_up', at, ...toKey(name) };
    }
    case 'pause':
      // A pause ends a session; what follows belongs to another one.
      return { kind: 'session_end', at };
    case 'resume':
      return { kind: 'focus', at };
  }
}

function scrolled(o: JsonObject, key: string, line: number, fields: Fields, fail: Fail): number {
  const amount = awayFromZero(fields.number(o, key, line));
  return Math.abs(amount) <= 1e9 ? amount : fail(line, `${key} must be within ±1e9`);
}

const BUTTONS: ReadonlyMap<string, PointerButton> = new Map([
  ['left', 'left'],
  ['right', 'right'],
  ['middle', 'middle'],
  ['x1', 'back'],
  ['x2', 'forward'],
  ['button8', 'back'],
  ['button9', 'forward'],
]);

function toButton(name: string): PointerButton {
  return BUTTONS.get(name) ?? 'other';
}

/** pynput's `Key` names as `KeyboardEvent.key` and `.code` (W3C UI Events); a code only where the name tells the side. */
const KEYS: ReadonlyMap<string, readonly [key: string, code: string]> = new Map([
  ['alt', ['Alt', '']],
  ['alt_l', ['Alt', 'AltLeft']],
  ['alt_r', ['Alt', 'AltRight']],
  ['alt_gr', ['AltGraph', 'AltRight']],
  ['ctrl', ['Control', '']],
  ['ctrl_l', ['Control', 'ControlLeft']],
  ['ctrl_r', ['Control', 'ControlRight']],
  ['shift', ['Shift', '']],
  ['shift_l', ['Shift', 'ShiftLeft']],
  ['shift_r', ['Shift', 'ShiftRight']],
  ['cmd', ['Meta', '']],
  ['cmd_l', ['Meta', 'MetaLeft']],
  ['cmd_r', ['Meta', 'MetaRight']],
  ['caps_lock', ['CapsLock', 'CapsLock']],
  ['num_lock', ['NumLock', 'NumLock']],
  ['scroll_lock', ['ScrollLock', 'ScrollLock']],
  ['space', [' ', 'Space']],
  ['enter', ['Enter', '']],
  ['tab', ['Tab', 'Tab']],
  ['esc', ['Escape', 'Escape']],
  ['backspace', ['Backspace', 'Backspace']],
  ['delete', ['Delete', '']],
  ['insert', ['Insert', '']],
  ['home', ['Home', '']],
  ['end', ['End', '']],
  ['page_up', ['PageUp', '']],
  ['page_down', ['PageDown', '']],
  ['up', ['ArrowUp', '']],
  ['down', ['ArrowDown', '']],
  ['left', ['ArrowLeft', '']],
  ['right', ['ArrowRight', '']],
  ['menu', ['ContextMenu', 'ContextMenu']],
  ['pause', ['Pause', 'Pause']],
  ['print_screen', ['PrintScreen', 'PrintScreen']],
  ['media_play_pause', ['MediaPlayPause', '']],
  ['media_stop', ['MediaStop', '']],
  ['media_next', ['MediaTrackNext', '']],
  ['media_previous', ['MediaTrackPrevious', '']],
  ['media_volume_mute', ['AudioVolumeMute', '']],
  ['media_volume_up', ['AudioVolumeUp', '']],
  ['media_volume_down', ['AudioVolumeDown', '']],
  ...Array.from({ length: 24 }, (_, i): [string, [string, string]] => [`f${i + 1}`, [`F${i + 1}`, `F${i + 1}`]]),
]);

const A = 0x61;

/** The key for pynput's name; 'Unidentified' when there is none. */
export function toKey(name: string | null): { readonly key: string; readonly code: string } {
  if (name === null || name === '') return { key: 'Unidentified', code: '' };
  const named = KEYS.get(name);
  if (named !== undefined) return { key: named[0], code: named[1] };
  const [character, ...rest] = name;
  if (character === undefined || rest.length > 0) return { key: 'Unidentified', code: '' };
  // With Ctrl held some systems report the control character: Ctrl+C as U+0003.
  const point = character.codePointAt(0) ?? 0;
  if (point >= 1 && point <= 26) return { key: String.fromCodePoint(A + point - 1), code: '' };
  return point < 0x20 || point === 0x7f ? { key: 'Unidentified', code: '' } : { key: character, code: '' };
}

/** A recording's folder, when the path names it or its `events.jsonl`. */
export interface PynputFolder {
  readonly events: Source;
  readonly fail: Fail;
  readonly subject: string;
  readonly clock: RecorderClock;
  /** What `map` makes of each line of a file beside the events; nothing when the file is missing. */
  beside<T>(name: string, map: (o: JsonObject, line: number, fail: Fail) => T): Promise<readonly T[]>;
}

/** Opens the folder's events and reads its metadata. @throws ImportError */
export async function openPynputFolder(o: FormatOptions, format: string): Promise<PynputFolder> {
  const path = await eventsPath(o.path);
  if (o.subject === undefined || o.subject === '') {
    throw new ImportError(
      basename(path),
      undefined,
      `${format} recordings name no person; say who it is with --subject`,
    );
  }
  const folder = dirname(path);
  const metadata = await readMetadata(folder, o);
  const events = await o.openEvents(path);
  const fail = failIn(events.name);
  return {
    events,
    fail,
    subject: o.subject,
    clock: createRecorderClock(metadata, fail, o.now),
    beside: (name, map) => readBeside(join(folder, name), o, map),
  };
}

async function readBeside<T>(
  path: string,
  o: FormatOptions,
  map: (o: JsonObject, line: number, fail: Fail) => T,
): Promise<readonly T[]> {
  const fail = failIn(basename(path));
  const mapped: T[] = [];
  await forLinesBeside(path, o, (text, line) => {
    if (text.trim() !== '') mapped.push(map(parseObject(text, line, fail), line, fail));
  });
  return mapped;
}

async function eventsPath(path: string): Promise<string> {
  const found = await stat(path).catch(() => undefined);
  return found?.isDirectory() === true ? join(path, 'events.jsonl') : path;
}

interface Metadata {
  /** ms since the epoch, or undefined when the metadata does not say. */
  readonly startTime: number | undefined;
  /** The recorder's seconds at that time, or undefined. */
  readonly startSeconds: number | undefined;
}

async function readMetadata(folder: string, o: FormatOptions): Promise<Metadata> {
  const fail = failIn('metadata.json');
  const lines: string[] = [];
  await forLinesBeside(join(folder, 'metadata.json'), o, (text) => lines.push(text));
  if (lines.length === 0) return { startTime: undefined, startSeconds: undefined };
  const parsed = parseObject(lines.join('\n'), undefined, fail);
  const given = parsed['start_time'] ?? undefined;
  const startTime = given === undefined ? undefined : parseLocalTime(given);
  if (Number.isNaN(startTime)) fail(undefined, 'start_time must be like 2024-12-31 23:59:59');
  const candidates = [parsed['video_start_timestamp'], ...obsStarts(parsed['obs_record_state_timings'])];
  return { startTime, startSeconds: candidates.find(isFiniteNumber) };
}

function isFiniteNumber(value: unknown): value is number {
  return typeof value === 'number' && Number.isFinite(value);
}

function obsStarts(timings: unknown): unknown[] {
  if (!isObject(timings)) return [];
  return ['OBS_WEBSOCKET_OUTPUT_STARTING', 'OBS_WEBSOCKET_OUTPUT_STARTED'].flatMap((state) => timings[state] ?? []);
}

/** The recorders write local time without its zone; it is taken as UTC. */
function parseLocalTime(value: unknown): number {
  const match = typeof value === 'string' ? /^(\d{4}-\d\d-\d\d)[ T](\d\d:\d\d:\d\d)(\.\d+)?$/.exec(value) : null;
  return match === null ? Number.NaN : Date.parse(`${match[1]}T${match[2]}Z`);
}

/**
 * The clock of one recording. Without metadata the first event is taken to happen at the import; without a start of the
 * seconds it is taken to happen at `start_time`.
 */
function createRecorderClock(m: Metadata, fail: Fail, now: () => number): RecorderClock {
  const fields = createFields(fail);
  let zero: number | undefined;
  if (m.startTime !== undefined && m.startSeconds !== undefined) zero = m.startTime - m.startSeconds * 1000;
  return (seconds, line) => {
    zero ??= (m.startTime ?? now()) - seconds * 1000;
    return fields.time(zero + seconds * 1000, 'time_stamp', line);
  };
}

/** Each line of a file beside the events; none when there is no such file. */
async function forLinesBeside(
  path: string,
  o: FormatOptions,
  each: (text: string, line: number) => void,
): Promise<void> {
  if (!(await exists(path))) return;
  const source = await o.openBeside(path);
  try {
    const most = o.limits.maxSideFileBytes;
    if (source.size > most) {
      throw new ImportError(source.name, undefined, `is larger than ${most} bytes; move it away to import without it`);
    }
    for await (const block of source.lines(o.limits.maxSideLineBytes)) {
      for (const [i, text] of block.lines.entries()) each(text, block.first + i);
    }
  } finally {
    await source.close();
  }
}

async function exists(path: string): Promise<boolean> {
  return access(path, constants.F_OK).then(
    () => true,
    () => false,
  );
}
