import type { Attack } from '../attack.ts';
import { loadPointerPeople, type PointerPerson, type PointerSample } from '../data/pointers.ts';
import { needFolder } from '../data/tables.ts';
import { createLine, type Recording, type RecordingLine } from '../line.ts';
import { mean, quantile } from '../statistics/intervals.ts';
import { AT_CHANCE, LOW_AUC, recognise } from './identification.ts';

/** Length of a recording, ms: the long sitting makes three of them, the short one makes one. */
export const RECORDING_MS = 60_000;

/** Made-up elements: the data say nothing of what was on the screen, so it is cut into tiles of this size, pixels. */
const TILE = { width: 180, height: 90 } as const;

/** A minute of somebody's pointer, as a recorder would write it. */
export function pointerRecording(subject: string, samples: readonly PointerSample[]): Recording {
  const first = samples[0]?.at ?? 0;
  const context = { app: 'Google Chrome', title: 'New Tab - Google Chrome' };
  const lines: RecordingLine[] = [{ at: 0, kind: 'focus', context }];
  for (const { at, kind, button, x, y } of samples) {
    if (kind === 'move') lines.push({ at: at - first, kind: 'pointer_move', x, y });
    else lines.push({ at: at - first, kind: `pointer_${kind}`, x, y, button, element: tileAt(x, y) });
  }
  return { subject, lines };
}

function tileAt(x: number, y: number): Readonly<Record<string, unknown>> {
  const [column, row] = [Math.floor(x / TILE.width), Math.floor(y / TILE.height)];
  // Named alike: what the element is called must tell nothing here, only where on it people click.
  return { role: 'button', name: 'Save', bounds: { x: column * TILE.width, y: row * TILE.height, ...TILE } };
}

/** The minutes of a person: those of the long sitting first, then the short one's. */
export function minutesOf({ long, short }: PointerPerson): { long: PointerSample[][]; short: PointerSample[][] } {
  return { long: cut(long), short: cut(short).slice(0, 1) };
}

function cut(samples: readonly PointerSample[]): PointerSample[][] {
  const first = samples[0]?.at ?? 0;
  const minutes: PointerSample[][] = [];
  for (const sample of samples) {
    const minute = Math.floor((sample.at - first) / RECORDING_MS);
    while (minutes.length <= minute && minutes.length < 4) minutes.push([]);
    minutes[minute]?.push(sample);
  }
  // A rest of some seconds is no recording of a minute.
  return minutes.filter((minute) => (minute.at(-1)?.at ?? 0) - (minute[0]?.at ?? 0) > RECORDING_MS / 2);
}

const SHARES = [0.05, 0.15, 0.25, 0.5, 0.75, 0.85, 0.95];

/**
 * The hand in a minute of raw pointer events: speed, acceleration, change of direction and straightness of movements, how
 * long buttons are held, pauses before and after presses, how far is dragged, and the screen that all this fits on (after
 * Gamboa and Fred, "A behavioral biometric system based on human-computer interaction", 2004, and Antal and others, 2021).
 */
export function handOf(samples: readonly PointerSample[]): Float64Array {
  const lists = {
    step: [] as number[],
    speed: [] as number[],
    acceleration: [] as number[],
    turn: [] as number[],
    interval: [] as number[],
    held: [] as number[],
    before: [] as number[],
    dragged: [] as number[],
    straight: [] as number[],
    strokeTime: [] as number[],
  };
  let [speedBefore, angleBefore, stillSince] = [0, Number.NaN, samples[0]?.at ?? 0];
  let press: PointerSample | undefined;
  let stroke = { from: samples[0], length: 0 };
  const endStroke = (at: PointerSample): void => {
    if (stroke.from !== undefined && stroke.length > 20) {
      lists.straight.push(Math.hypot(at.x - stroke.from.x, at.y - stroke.from.y) / stroke.length);
      lists.strokeTime.push(log(at.at - stroke.from.at));
    }
    stroke = { from: at, length: 0 };
  };
  for (const [i, sample] of samples.entries()) {
    const previous = samples[i - 1];
    if (sample.kind === 'down') {
      lists.before.push(log(sample.at - stillSince));
      press = sample;
      endStroke(sample);
    } else if (sample.kind === 'up' && press !== undefined) {
      lists.held.push(log(sample.at - press.at));
      lists.dragged.push(log(Math.hypot(sample.x - press.x, sample.y - press.y)));
      press = undefined;
      endStroke(sample);
    }
    if (previous === undefined || sample.kind !== 'move') continue;
    const time = sample.at - previous.at;
    const [dx, dy] = [sample.x - previous.x, sample.y - previous.y];
    const distance = Math.hypot(dx, dy);
    lists.interval.push(log(time));
    if (time > 500) endStroke(previous);
    if (distance === 0 || time <= 0 || time > 500) continue;
    stillSince = sample.at;
    stroke = { ...stroke, length: stroke.length + distance };
    const speed = distance / time;
    const angle = Math.atan2(dy, dx);
    lists.step.push(log(distance));
    lists.speed.push(Math.log(speed + 0.01));
    lists.acceleration.push(((speed - speedBefore) / time) * 10);
    if (!Number.isNaN(angleBefore))
      lists.turn.push(Math.abs(Math.atan2(Math.sin(angle - angleBefore), Math.cos(angle - angleBefore))));
    [speedBefore, angleBefore] = [speed, angle];
  }
  const spread = Object.values(lists).flatMap((list) => [...SHARES.map((share) => quantile(list, share)), mean(list)]);
  const counts = [lists.held.length, samples.length, lists.straight.length].map((n) => Math.log1p(n));
  const places = samples.map(({ x }) => x);
  const heights = samples.map(({ y }) => y);
  const screen = [quantile(places, 0.01), quantile(places, 0.99), quantile(heights, 0.01), quantile(heights, 0.99)];
  const values = [...spread, ...counts, ...screen.map((pixels) => pixels / 1_000)];
  return Float64Array.from(values, (value) => (Number.isFinite(value) ? value : 0));
}

const log = (amount: number): number => Math.log(Math.max(1, amount + 1));

const QUICK_PEOPLE = 80;

export const pointer: Attack = {
  name: 'pointer',
  asks: 'Is a person known again by how they move and click?',
  source: 'Gamboa & Fred 2004; Antal et al. 2021',
  targets: [AT_CHANCE, LOW_AUC],
  headline: 'top-1',
  floor: 0.4,
  async run(context) {
    await context.tell('pointer: through the line');
    const people = (await loadPointerPeople(needFolder(context), context.quick ? QUICK_PEOPLE : Infinity))
      .map((person) => ({ user: person.user, ...minutesOf(person) }))
      .filter(({ long, short }) => long.length > 1 && short.length > 0);
    const line = await createLine(context.policies);
    const released = people.map(({ user, long, short }) => ({
      enrol: long.map((minute) => line.record(pointerRecording(user, minute))),
      probe: short.map((minute) => line.record(pointerRecording(user, minute))),
    }));
    const raw = people.map(({ long, short }) => ({ enrol: long.map(handOf), probe: short.map(handOf) }));
    return recognise(context, 'pointer', raw, (policy) =>
      released.map(({ enrol, probe }) => ({
        enrol: enrol.flatMap((part) => part.slice(policy, policy + 1)),
        probe: probe.flatMap((part) => part.slice(policy, policy + 1)),
      })),
    );
  },
};
