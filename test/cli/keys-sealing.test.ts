import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { createBench, type Bench } from './harness.ts';

const START = Date.UTC(2026, 10, 10, 9);
const DAY_MS = 86_400_000;

let bench: Bench;
let now = START;
const given = { now: () => now };
beforeEach(async () => {
  bench = await createBench();
  now = START;
});
afterEach(() => bench.remove());

interface Key {
  readonly keyId: string;
  readonly state: string;
  readonly retiredAt: string | null;
  readonly publicKey: string;
}

const recording = (at: number): string =>
  [
    { at, kind: 'focus', context: { app: 'Word', title: 'Word' } },
    { at: at + 1000, kind: 'pointer_down', x: 1, y: 1, button: 'left', element: { role: 'button', name: 'Save' } },
    { at: at + 1100, kind: 'pointer_up', x: 1, y: 1, button: 'left' },
    { at: at + 2000, kind: 'session_end' },
  ]
    .map((line) => JSON.stringify({ subject: 'ana', session: 's', ...line }))
    .join('\n');

async function importOne(): Promise<void> {
  await writeFile(join(bench.dir, 'a.jsonl'), recording(now));
  await bench.json('import a.jsonl --format capture-jsonl --enrol', given);
  now += 60_000;
}
const run = (): Promise<{ sanitized: { released: number; quarantined: number; batchesByReason: object } }> =>
  bench.json('run --until-end', given);
const keys = async (): Promise<readonly Key[]> => (await bench.json<{ keys: Key[] }>('keys sealing list', given)).keys;
const rotate = async (): Promise<string> => {
  now += 60_000;
  return (await bench.json<{ keyId: string }>('keys sealing rotate', given)).keyId;
};
const destroy = (args: string): ReturnType<Bench['run']> => bench.run(`keys sealing destroy ${args}`.trim(), given);

describe('sealing keys', () => {
  it('are made on first use, and listed with their public part only', async () => {
    expect((await bench.run('keys sealing list', given)).stdout).toContain('no sealing keys yet');
    await importOne();
    const [key, ...others] = await keys();
    expect(others).toEqual([]);
    expect(key).toMatchObject({ state: 'sealing', retiredAt: null });
    expect(Buffer.from(key?.publicKey ?? '', 'base64')).toHaveLength(32);
    expect((await bench.run('keys sealing list', given)).stdout).toContain(`${key?.keyId}  sealing`);
    expect((await bench.run('keys list', given)).stdout).not.toContain('sealing');
  });

  it('follow each other, and all open what was sealed to them', async () => {
    await importOne();
    const [first] = await keys();
    const second = await rotate();
    await importOne();
    expect(await keys()).toMatchObject([
      { keyId: first?.keyId, state: 'opening', retiredAt: expect.any(String) as string },
      { keyId: second, state: 'sealing', retiredAt: null },
    ]);
    const { sanitized } = await run();
    expect(sanitized).toMatchObject({ batchesByReason: {}, quarantined: 0 });
    expect(sanitized.released).toBeGreaterThan(4);
  });

  it('is not destroyed while batches are sealed to it, unless that is wanted', async () => {
    await importOne();
    const first = (await keys())[0]?.keyId ?? '';
    expect((await destroy(`${first} --yes`)).stderr).toContain(
      'make another first with `redactory keys sealing rotate`',
    );
    expect((await destroy(`${first} --force --yes`)).code).toBe(1);
    const second = await rotate();
    await importOne();
    const refused = await destroy(`${first} --yes`);
    expect(refused.code).toBe(1);
    expect(refused.stderr).toContain('1 batches on the raw topic are sealed to it and could never be read again');
    expect(refused.stderr).toContain('expires about 2026-11-17T');
    expect((await destroy('--expired --yes')).stdout).toBe('destroyed no sealing key.\n');
    expect((await destroy(`${first} --force`)).stdout).toContain(
      `would destroy sealing key ${first} for good. 1 batches`,
    );
    expect((await keys()).map(({ state }) => state)).toEqual(['opening', 'sealing']);
    expect((await destroy(`${first} --force --yes`)).stdout).toContain('could never be read again');
    expect((await keys()).map(({ state }) => state)).toEqual(['destroyed', 'sealing']);
    const { sanitized } = await run();
    expect(sanitized.batchesByReason).toEqual({ sealing_key_destroyed: 1 });
    expect(sanitized.released).toBeGreaterThan(0);
    expect((await destroy(`${first} --yes`)).stdout).toContain(`destroyed sealing key ${first}.`);
    expect((await keys()).map(({ keyId, state }) => [keyId, state])).toEqual([
      [first, 'destroyed'],
      [second, 'sealing'],
    ]);
  });

  it('are destroyed once what was sealed to them has expired', async () => {
    await importOne();
    const first = (await keys())[0]?.keyId ?? '';
    const second = await rotate();
    const third = await rotate();
    // Nothing was ever sealed to the second.
    expect((await destroy('--expired')).stdout).toBe(
      `would destroy sealing key ${second} for good. Add --yes to do it.\n`,
    );
    await run();
    now += 9 * DAY_MS;
    await run();
    expect(await bench.json('keys sealing destroy --expired --yes', given)).toEqual({ destroyed: [first, second] });
    expect((await keys()).map(({ keyId, state }) => [keyId, state])).toEqual([
      [first, 'destroyed'],
      [second, 'destroyed'],
      [third, 'sealing'],
    ]);
    expect(await bench.json('keys sealing destroy --expired --yes', given)).toEqual({ destroyed: [] });
  });

  it.each([
    ['', 2, 'name one key, or give --expired'],
    ['0123456789abcdef --expired', 2, 'name one key, or give --expired'],
    ['--expired --force', 2, '--force goes with the id of one key'],
    ['0123456789abcdef --yes', 1, 'there is no sealing key 0123456789abcdef'],
  ])('destroy %s is refused', async (args, code, message) => {
    const refused = await destroy(args);
    expect(refused.code).toBe(code);
    expect(refused.stderr).toContain(message);
  });
});

describe('raw.sealed', () => {
  async function unsealed(): Promise<void> {
    await bench.withWorkspace(async (workspace) => {
      const { log, codec } = workspace;
      const key = (await workspace.subjectKeys())('ana');
      const stamps = { session: 'old', sequence: 0, grantedAt: now, receivedAt: now };
      const payload = { subject: 'ana', device: 'd', contexts: [], elements: [], events: [] };
      const end = { kind: 'session_end', at: now, context: -1, element: -1 } as const;
      const value = codec.encodeCapture(stamps, { ...payload, events: [end] });
      await log.append('interactions.raw', [{ key, value, timestamp: now }]);
    });
  }

  it('required, as it is by default, quarantines what is not sealed', async () => {
    await importOne();
    await unsealed();
    expect((await run()).sanitized.batchesByReason).toEqual({ not_sealed: 1 });
  });

  it('accepted processes it, for the time in which there still is some', async () => {
    await importOne();
    await unsealed();
    await writeFile(join(bench.dir, 'redactory.yaml'), 'raw:\n  sealed: accepted\n');
    expect((await run()).sanitized.batchesByReason).toEqual({});
  });
});
