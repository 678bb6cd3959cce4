import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { loadConfig } from '../../src/config.ts';
import type { EventLog } from '../../src/log/event-log.ts';
import { makeDecision } from '../../src/privacy/decisions.ts';
import { openControlTables, type ControlTables } from '../../src/runtime/control-tables.ts';
import { appendDecision } from '../../src/runtime/ingest.ts';
import { openWorkspace, type Workspace } from '../../src/runtime/workspace.ts';

const NOW = Date.UTC(2026, 0, 5, 9);

let dir: string;
let workspace: Workspace;
beforeEach(async () => {
  dir = await mkdtemp(join(tmpdir(), 'redactory-tables-'));
  workspace = await openWorkspace(await loadConfig({ env: {}, cwd: dir }), {}, { now: () => NOW });
});
afterEach(async () => {
  await workspace.close();
  await rm(dir, { recursive: true });
});

type EndOffsets = EventLog['endOffsets'];

/** The log, with another way to ask for its ends. */
function withEndOffsets(log: EventLog, endOffsets: EndOffsets): EventLog {
  return new Proxy(log, {
    get(target, name) {
      if (name === 'endOffsets') return endOffsets;
      const own: unknown = Reflect.get(target, name);
      return typeof own === 'function' ? (own.bind(target) as unknown) : own;
    },
  });
}

/** The log, with the questions for end offsets counted, and their answers held back on demand. */
function watched(log: EventLog): {
  readonly log: EventLog;
  readonly asked: () => number;
  readonly hold: () => () => void;
} {
  let asked = 0;
  let gate = Promise.resolve();
  return {
    log: withEndOffsets(log, async (topic) => {
      const ends = await log.endOffsets(topic);
      asked++;
      await gate;
      return ends;
    }),
    asked: () => asked,
    hold() {
      let open = (): void => {};
      gate = new Promise((resolve) => (open = resolve));
      return open;
    },
  };
}

async function openTables(log: EventLog): Promise<ControlTables> {
  const wrapping = await workspace.wrapping();
  return openControlTables({ log, codec: workspace.codec, guardMs: 5_000, wrapping, now: () => NOW });
}

describe('catchUp', () => {
  it('is one question for all that ask at the same time', async () => {
    const { log, asked } = watched(workspace.log);
    const tables = await openTables(log);
    const before = asked();
    await Promise.all(Array.from({ length: 50 }, () => tables.catchUp()));
    expect(asked() - before).toBe(3);
  });

  it('knows what was decided before it was called, also while another round is under way', async () => {
    const { log, asked, hold } = watched(workspace.log);
    const tables = await openTables(log);
    const before = asked();
    const release = hold();
    const early = tables.catchUp();
    // This round has its ends; the decision comes after them.
    await expect.poll(() => asked() - before).toBe(3);
    const subjectKey = 'a'.repeat(64);
    const decision = makeDecision('enrol', { subjectKey, now: NOW, randomId: () => 'one' });
    await appendDecision(workspace.log, workspace.codec, decision);
    const late = tables.catchUp();
    release();
    await early;
    await late;
    expect(tables.consent.status(subjectKey, NOW).kind).toBe('enrolled');
  });

  it('goes on after a round that failed', async () => {
    let fails = false;
    const log = withEndOffsets(workspace.log, (topic) =>
      fails ? Promise.reject(new Error('away')) : workspace.log.endOffsets(topic),
    );
    const tables = await openTables(log);
    fails = true;
    await expect(tables.catchUp()).rejects.toThrow('away');
    fails = false;
    await expect(tables.catchUp()).resolves.toBeUndefined();
  });
});
