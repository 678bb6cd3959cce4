import { InvalidArgumentError } from 'commander';

const MOMENT = /^\d{4}-\d{2}-\d{2}(?:T\d{2}:\d{2}(?::\d{2}(?:\.\d{1,3})?)?(Z|[+-]\d{2}:\d{2})?)?$/u;

/** Parser of an option that is a date or a time in ISO 8601: as ms since the epoch; without a zone, UTC. */
export function moment(text: string): number {
  const match = MOMENT.exec(text);
  const zone = text.includes('T') && match?.[1] === undefined ? 'Z' : '';
  const ms = match === null ? NaN : Date.parse(`${text}${zone}`);
  // Date.parse takes February 30 for March 2.
  const day = text.slice(0, 10);
  if (ms >= 0 && new Date(day).toISOString().startsWith(day)) return ms;
  throw new InvalidArgumentError(
    'It must be a date such as 2026-11-01, or a time such as 2026-11-01T08:30 or with Z or +01:00 behind.',
  );
}
