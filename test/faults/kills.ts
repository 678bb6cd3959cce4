/** kill -9 under load: workers die at random moments, each is started again, and meanwhile producers go on. */
import type { NewRecord } from '../../src/log/event-log.ts';
import type { Line, Command } from './line.ts';
import { untilTrue } from './until.ts';
import type { Worker } from './worker.ts';

export interface KillPlan {
  readonly line: Line;
  readonly kills: number;
  /** Raw batches, appended part by part while workers work. */
  readonly batches: readonly NewRecord[];
  readonly roles: readonly Role[];
  readonly report: (told: string) => void;
}

/** A worker's place in the line: whoever is started there after a kill has the same name in its group. */
export interface Role {
  readonly command: Command;
  /** Its `kafka.instance`; without it, each process is a new member of its group. */
  readonly instance?: string;
}

/** Between the moment that a kill waits for and the kill: up to so long, so that it hits transactions anywhere. */
const JITTER_MS = 40;
/** One in so many kills hits a process that has just been started. */
const EARLY = 5;

/** @returns how many kills hit each role, in the order of the roles. */
export async function killUnderLoad({ line, kills, batches, roles, report }: KillPlan): Promise<number[]> {
  const { random } = line;
  const hits = roles.map(() => 0);
  const running = roles.map((role) => startAs(line, role));
  const parts = partsOf(batches, kills + 1);
  let appended = 0;
  for (let n = 0; n < kills; n++) {
    const part = parts[n] ?? [];
    const appending = line.append(part);
    const at = Math.floor(random() * roles.length);
    const [role, victim] = [roles[at], running[at]];
    if (role === undefined || victim === undefined) throw new Error('there are no workers');
    const isEarly = n % EARLY === EARLY - 1;
    // Somewhere within the part: all workers have work then, and so has whoever dies.
    const moment = appended + Math.ceil(random() * part.length * 0.8);
    if (!isEarly) await line.worked(moment);
    await afterMoment(random() * JITTER_MS);
    await victim.kill();
    hits[at] = (hits[at] ?? 0) + 1;
    report(`kill ${n + 1}: ${victim.name} ${isEarly ? 'at any time' : `after ${moment} raw batches`}`);
    running[at] = startAs(line, role);
    await appending;
    appended += part.length;
  }
  await line.append(parts[kills] ?? []);
  return hits;
}

/** Waits out a part of a moment that nobody can observe from outside: where in a transaction a process is. */
async function afterMoment(ms: number): Promise<void> {
  const due = performance.now() + ms;
  await untilTrue('a moment to pass', async () => performance.now() >= due);
}

function startAs(line: Line, { command, instance }: Role): Worker {
  return line.start(command, instance === undefined ? {} : { REDACTORY_KAFKA_INSTANCE: instance });
}

export function partsOf<T>(all: readonly T[], parts: number): T[][] {
  const size = Math.ceil(all.length / parts);
  return Array.from({ length: parts }, (_, i) => all.slice(i * size, (i + 1) * size));
}
