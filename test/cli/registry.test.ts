import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { readWireHeader } from '../../src/events/wire.ts';
import { TOPICS } from '../../src/runtime/topics.ts';
import { startRegistry, type RegistryServer } from '../servers/registry.ts';
import { createBench, type Bench } from './harness.ts';

const START = Date.UTC(2026, 10, 10, 9);
const PASSWORD = 'correct horse';

let bench: Bench;
let server: RegistryServer;
beforeEach(async () => {
  bench = await createBench();
  server = await startRegistry({ user: { name: 'redactory', password: PASSWORD } });
});
afterEach(async () => {
  await server.close();
  await bench.remove();
});

async function recording(subject: string): Promise<void> {
  const click = { button: 'left', x: 1, y: 1 };
  const events = [
    { kind: 'pointer_down', ...click, element: { role: 'button', name: 'Save' } },
    { kind: 'pointer_up', ...click },
    { kind: 'session_end' },
  ];
  const lines = events.map((event, i) => JSON.stringify({ subject, session: 's', at: START + 100 * i, ...event }));
  await writeFile(join(bench.dir, 'a.jsonl'), lines.join('\n'));
}

async function useRegistry(): Promise<void> {
  await writeFile(join(bench.dir, 'password'), `${PASSWORD}\n`, { mode: 0o600 });
  const section = { url: server.url, username: 'redactory', passwordFile: 'password' };
  await writeFile(join(bench.dir, 'redactory.yaml'), JSON.stringify({ registry: section }));
}

/** Ids of schemas that the topic's records name. */
async function idsOn(topic: string): Promise<readonly number[]> {
  return bench.withWorkspace(async ({ log }) => {
    const ids: number[] = [];
    for (const [partition, end] of (await log.endOffsets(topic)).entries()) {
      if (end === 0) continue;
      const { records } = await log.read({ topic, partition, offset: 0, maxRecords: 100, maxBytes: 1e6, waitMs: 0 });
      for (const { value } of records) ids.push((value && readWireHeader(Buffer.from(value))) ?? -1);
    }
    return ids;
  });
}

it('a line with a registry writes ids that the registry gives, and reads what was written before without it', async () => {
  await recording('ada@example.org');
  expect(await bench.run('import a.jsonl --format capture-jsonl --enrol')).toMatchObject({ code: 0 });
  await useRegistry();
  await recording('bob@example.org');
  expect(await bench.run('import a.jsonl --format capture-jsonl --enrol')).toMatchObject({ code: 0, stderr: '' });
  expect(await bench.run('run --until-end')).toMatchObject({ code: 0, stderr: '' });

  const raw = (await idsOn(TOPICS.raw)).toSorted((a, b) => a - b);
  expect(raw).toHaveLength(2);
  expect(raw[0]).toBeLessThan(100);
  expect(raw[1]).toBeGreaterThan(1_000_000);
  expect(Math.max(...(await idsOn(TOPICS.sanitized)))).toBeLessThan(100);
  expect((await bench.run('inspect quarantine')).stdout).toBe('nothing in quarantine\n');
  expect((await bench.run('inspect table')).stdout).toMatch(/rows under 2 session pseudonyms/u);
});

it('without an answer, or with the wrong password, nothing starts', async () => {
  await useRegistry();
  await writeFile(join(bench.dir, 'password'), 'wrong battery', { mode: 0o600 });
  const refused = await bench.run('run --until-end');
  expect(refused).toMatchObject({ code: 1, stdout: '' });
  expect(refused.stderr).toContain('check registry.username, registry.passwordFile');

  await server.away();
  const away = await bench.run('run --until-end');
  expect(away).toMatchObject({ code: 1, stdout: '' });
  expect(away.stderr).toContain('gives no answer: ECONNREFUSED');
  for (const { stderr } of [refused, away]) expect(stderr).not.toMatch(/battery|horse/u);
  await server.back();
});
