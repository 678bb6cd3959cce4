import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { setTimeout as delay } from 'node:timers/promises';
import { packagePath } from '../src/package-path.ts';
import { GROUPS, TOPICS } from '../src/runtime/topics.ts';
import type { KafkaBench } from './kafka.ts';

export interface WorkerRate {
  readonly workers: number;
  /** Raw events a second, all workers together, while all of them work; absent where the load was done too fast to tell. */
  readonly eventsPerSecond?: number;
}

/** Shares of the load between which the rate is taken: workers have started and joined, and none has run dry. */
const FROM = 0.15;
const TO = 0.85;

/** The same load through `count` worker processes; what they commit is watched from outside. */
export async function measureWorkers(bench: KafkaBench, count: number): Promise<WorkerRate> {
  await bench.forget();
  const ends = await bench.workspace.log.endOffsets(TOPICS.raw);
  const total = ends.reduce((sum, end) => sum + end, 0);
  const children = Array.from({ length: count }, () => startWorker(bench));
  const marks: { readonly at: number; readonly done: number }[] = [];
  try {
    for (let done = 0; done < total;) {
      await delay(10);
      done = await committed(bench, ends.length);
      marks.push({ at: performance.now(), done });
      if (children.some(({ exitCode }) => exitCode !== null && exitCode !== 0)) throw new Error('a worker failed');
    }
    await Promise.all(children.map((child) => ended(child)));
  } finally {
    for (const child of children) child.kill('SIGKILL');
  }
  const from = marks.find(({ done }) => done >= total * FROM);
  const to = marks.find(({ done }) => done >= total * TO);
  if (from === undefined || to === undefined || to.at === from.at) return { workers: count };
  const share = (to.done - from.done) / total;
  return { workers: count, eventsPerSecond: ((share * bench.loaded.total) / (to.at - from.at)) * 1000 };
}

function startWorker({ config, file, env }: KafkaBench): ChildProcess {
  const args = ['sanitize', '--until-end', '--config', file, '--data', config.data, '--json'];
  return spawn(process.execPath, [packagePath('bin/redactory.js'), ...args], {
    stdio: ['ignore', 'ignore', 'inherit'],
    env: { ...process.env, ...env, REDACTORY_LOG_LEVEL: 'error' },
  });
}

async function ended(child: ChildProcess): Promise<void> {
  if (child.exitCode === null) await once(child, 'close');
}

async function committed({ workspace: { log } }: KafkaBench, partitions: number): Promise<number> {
  const positions = await Promise.all(
    Array.from({ length: partitions }, (_, partition) =>
      log.committed(GROUPS.sanitize, { topic: TOPICS.raw, partition }),
    ),
  );
  return positions.reduce((sum, position) => sum + (position?.offset ?? 0), 0);
}
