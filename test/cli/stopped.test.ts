import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { createBench, type Bench } from './harness.ts';

const stop = vi.hoisted(() => ({ controller: new AbortController() }));
vi.mock('../../src/runtime/shutdown.ts', () => ({
  listenForShutdown: () => ({ signal: stop.controller.signal, dispose: () => undefined }),
}));

const START = Date.UTC(2026, 10, 10, 9);

let bench: Bench;
beforeEach(async () => {
  stop.controller = new AbortController();
  bench = await createBench();
  await bench.json('simulate --people 2 --minutes 2', { now: () => START });
});
afterEach(() => bench.remove());

describe('what is stopped before its end', () => {
  it.each([
    'run --until-end',
    'sanitize --until-end',
    'sanitize --until-end --workers 2',
    'sink --until-end',
    'replay --policy strict --into trial',
  ])('%s prints what it has done and ends with 130; again, it is done', async (args) => {
    stop.controller.abort();
    const { code, stdout, stderr } = await bench.run([...args.split(' '), '--json'], { now: () => START });
    expect(code).toBe(130);
    expect(JSON.parse(stdout)).toBeTypeOf('object');
    expect(stderr).toBe(
      'redactory: stopped before the end; what is finished is committed, and the same command does the rest\n',
    );
    stop.controller = new AbortController();
    expect((await bench.run(args.replace(' --workers 2', ''), { now: () => START })).code).toBe(0);
  });

  it('simulate tells how far it came, and that the same command begins anew', async () => {
    // The clock is asked before each record; it goes faster than the pace.
    let asked = 0;
    const now = (): number => {
      if (++asked === 30) stop.controller.abort();
      return START + asked * 60_000;
    };
    const args = 'simulate --people 2 --minutes 30 --start 2026-11-10T09:00 --pace 10000';
    const { code, stdout, stderr } = await bench.run(`${args} --json`, { now });
    expect(code).toBe(130);
    expect(stderr).toBe(
      'redactory: stopped before the end; what is on the raw topic stays there, and the same command begins anew\n',
    );
    const { minutesDone, ...told } = JSON.parse(stdout) as { minutesDone: number };
    expect(told).toMatchObject({ minutes: 30, start: '2026-11-10T09:00:00.000Z' });
    expect(minutesDone).toBeGreaterThan(0);
    expect(minutesDone).toBeLessThan(30);
    expect((await bench.run(args)).stdout).toMatch(/^simulated 2 people for 0 of 30 minutes: 0 events in 0 batches/u);
  });

  it.each([
    ['in a try', 0],
    ['between two tries', 1_500],
  ])('steward --once, stopped %s, ends with 130 and claims nothing', async (_, afterMs) => {
    await bench.run('erase --subject ana', { now: () => START });
    if (afterMs === 0) stop.controller.abort();
    else setTimeout(() => stop.controller.abort(), afterMs);
    const { code, stdout, stderr } = await bench.run('steward --once', {
      now: () => START,
      env: { REDACTORY_LOG_LEVEL: 'warn' },
    });
    expect({ code, stdout }).toEqual({ code: 130, stdout: '' });
    expect(stderr).toBe(
      'redactory: stopped before the end; what is finished is committed, and the same command does the rest\n',
    );
  });

  it.each(['run', 'sanitize', 'sink'])('%s, which has no end, ends with 0', async (args) => {
    stop.controller.abort();
    expect((await bench.run(args)).code).toBe(0);
  });

  it('lines that nobody reads any more end with 0', async () => {
    const gone = new AbortController();
    gone.abort();
    for (const args of ['sink --to jsonl', 'sink --until-end --to jsonl']) {
      expect(await bench.run(args, { outputEnded: gone.signal })).toEqual({ code: 0, stdout: '', stderr: '' });
    }
  });
});
