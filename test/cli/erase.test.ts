import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { openErasures } from '../../src/runtime/steward/erase.ts';
import { TOPICS } from '../../src/runtime/topics.ts';
import { createBench, type Bench } from './harness.ts';

interface State {
  readonly state: string;
  readonly requestedAt: string | null;
  readonly doneAt: string | null;
  readonly rows: number;
  readonly sessions: number;
}

const START = Date.UTC(2026, 10, 10, 9);

describe('redactory erase', () => {
  let bench: Bench;
  beforeAll(async () => {
    bench = await createBench();
  });
  afterAll(() => bench.remove());

  const at = (seconds: number): { now: () => number } => ({ now: () => START + seconds * 1_000 });
  const show = (): Promise<State> => bench.json<State>('erase --subject ana --show');
  const open = () => bench.withWorkspace(async (workspace) => (await openErasures(workspace)).open());

  it('tells with --show how far the last one is, and asks for nothing', async () => {
    expect(await show()).toEqual({ state: 'none', requestedAt: null, doneAt: null, rows: 0, sessions: 0 });
    expect((await bench.run('erase --subject ana --show')).stdout).toBe('no erasure was asked for\n');
    expect(await open()).toEqual([]);

    await bench.run('erase --subject ana', at(0));
    const underWay = { state: 'under_way', requestedAt: '2026-11-10T09:00:00.000Z', doneAt: null };
    expect(await show()).toMatchObject(underWay);
    expect((await bench.run('erase --subject ana --show')).stdout).toBe(
      'under way: asked for at 2026-11-10T09:00:00.000Z\n',
    );

    expect((await bench.run('steward --once', at(60))).code).toBe(0);
    const done = { ...underWay, state: 'done', doneAt: '2026-11-10T09:01:00.000Z', rows: 0, sessions: 0 };
    expect(await show()).toEqual(done);
    expect(await show()).toEqual(done);
    expect((await bench.run('erase --subject ana --show')).stdout).toBe(
      'done at 2026-11-10T09:01:00.000Z: 0 rows of 0 sessions; asked for at 2026-11-10T09:00:00.000Z\n',
    );
    expect(await open()).toEqual([]);
    expect((await bench.run('erase --subject ana --show --why nothing')).code).toBe(2);
  });

  it('has to wait for what is on its way: then `steward --once` ends with 1', async () => {
    await bench.withWorkspace(({ log }) =>
      log.append(TOPICS.raw, [{ key: 'k', value: Buffer.from('broken'), timestamp: START }]),
    );
    await bench.run('erase --subject ben', at(70));
    const { code, stderr } = await bench.run('steward --once --wait-minutes 0', {
      ...at(80),
      env: { REDACTORY_LOG_LEVEL: 'warn' },
    });
    expect(code).toBe(1);
    expect(stderr).toBe(
      'redactory: 1 erasure has to wait for the sanitizer, which has to work on raw that came in before\n',
    );
    expect((await bench.run('run --until-end', at(85))).code).toBe(0);
    expect((await bench.run('steward --once --wait-minutes 0', at(90))).stdout).toBe('no erasure is left to do\n');
  });

  it('asked again, is the one that is under way and reaches up to now; after one that is done it is another', async () => {
    const ask = async (seconds: number): Promise<{ erasureId: string; requestedAt: number }> => {
      const told = await bench.json<State>('erase --subject ana', at(seconds));
      expect(told).toMatchObject({ state: 'under_way', requestedAt: new Date(START + seconds * 1_000).toISOString() });
      const [one] = await open();
      if (one === undefined) throw new Error('an erasure that was asked for is open');
      return one;
    };
    const first = await ask(100);
    const second = await ask(200);
    expect(second).toEqual({ ...first, requestedAt: START + 200_000 });
    expect((await bench.run('steward --once', at(300))).code).toBe(0);
    expect((await ask(400)).erasureId).not.toBe(first.erasureId);
    const { records } = await bench.json<{ records: { what: string }[] }>('audit show --limit 100');
    expect(records.filter(({ what }) => what === 'erase')).toHaveLength(2 * 5);
  });
});
