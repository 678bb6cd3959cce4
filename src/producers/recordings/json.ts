import type { Fail } from './import-error.ts';

/** A JSON object as it was parsed: nothing is known of its values yet. */
export type JsonObject = Readonly<Record<string, unknown>>;

/** The largest device time: the end of the year 9999, ms since the epoch. */
const MAX_TIME_MS = 253_402_300_799_999;
const MAX_PIXELS = 2_147_483_647;

export function isObject(value: unknown): value is JsonObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** Parses one line. The parser's own message is not passed on, because it quotes the line. */
export function parseObject(text: string, line: number | undefined, fail: Fail): JsonObject {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    return fail(line, line === undefined ? 'is not valid JSON' : 'is not valid JSON; write one JSON object a line');
  }
  return isObject(value) ? value : fail(line, 'is not a JSON object');
}

/** Checks of fields: each returns the value or fails with the field's name, never with its value. */
export interface Fields {
  text(of: JsonObject, key: string, line: number): string;
  /** '' when the field is missing. */
  optionalText(of: JsonObject, key: string, line: number): string;
  number(of: JsonObject, key: string, line: number): number;
  /** A position or length in whole pixels; fractions are rounded. */
  pixels(of: JsonObject, key: string, line: number): number;
  /** ms since the epoch; fractions are rounded. */
  time(value: number, key: string, line: number): number;
  boolean(of: JsonObject, key: string, line: number): boolean;
}

export function createFields(fail: Fail): Fields {
  const text = (of: JsonObject, key: string, line: number): string => {
    const value = of[key];
    return typeof value === 'string' ? value : fail(line, `${key} must be text${missing(value)}`);
  };
  const number = (of: JsonObject, key: string, line: number): number => {
    const value = of[key];
    return typeof value === 'number' && Number.isFinite(value)
      ? value
      : fail(line, `${key} must be a number${missing(value)}`);
  };
  return {
    text,
    optionalText: (of, key, line) => (of[key] === undefined ? '' : text(of, key, line)),
    number,
    pixels(of, key, line) {
      const value = Math.round(number(of, key, line));
      // -0 would make two equal positions differ; adding 0 removes it.
      return Math.abs(value) <= MAX_PIXELS ? value + 0 : fail(line, `${key} must be within ±${MAX_PIXELS}`);
    },
    time(value, key, line) {
      const at = Math.round(value);
      return at >= 0 && at <= MAX_TIME_MS
        ? at + 0
        : fail(line, `${key} must be a time between the years 1970 and 9999; check its unit`);
    },
    boolean(of, key, line) {
      const value = of[key];
      return typeof value === 'boolean' ? value : fail(line, `${key} must be true or false${missing(value)}`);
    },
  };
}

/**
 * Scroll amounts become whole numbers; a fraction counts as a step in its direction, because at 0 the event would be
 * one of nothing.
 */
export function awayFromZero(value: number): number {
  return Math.sign(value) * Math.ceil(Math.abs(value)) + 0;
}

function missing(value: unknown): string {
  return value === undefined ? '; it is missing' : '';
}
