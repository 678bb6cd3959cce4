/** A small company on the embedded log, whose line has done all that there was. */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Writable } from 'node:stream';
import { runBoth, type RunResult } from '../../../src/cli/run.ts';
import { loadConfig } from '../../../src/config.ts';
import { readTopic } from '../../simulation/oracle.ts';
import { epochOf } from '../../../src/privacy/keyring.ts';
import { simulate } from '../../../src/producers/simulator/index.ts';
import { sessionName } from '../../../src/processors/stages.ts';
import { createIngest } from '../../../src/runtime/ingest.ts';
import { createTelemetry, silentLogger } from '../../../src/runtime/telemetry.ts';
import { TOPICS } from '../../../src/runtime/topics.ts';
import { openWorkspace, type Workspace } from '../../../src/runtime/workspace.ts';
import { openTableStore, type TableStore } from '../../../src/sinks/index.ts';

export const START = Date.UTC(2026, 10, 10, 9);

export interface Company {
  readonly dir: string;
  readonly workspace: Workspace;
  readonly people: readonly string[];
  /** They work as they did at first, from `start` (ms) on. */
  record(start: number): Promise<void>;
  /** Works off what is on the log. */
  run(): Promise<RunResult>;
  store(): Promise<TableStore>;
  /** Whose each session pseudonym is, worked out from raw and the keys; not from what says so on the log. */
  ownersByKeys(): Promise<ReadonlyMap<string, string>>;
  close(): Promise<void>;
}

export async function foundCompany(seed = 7): Promise<Company> {
  const dir = await mkdtemp(join(tmpdir(), 'redactory-company-'));
  const workspace = await openWorkspace(await loadConfig({ env: {}, cwd: dir }), {}, { now: () => START });
  const ingest = createIngest({ ...workspace, sealer: await workspace.sealer() });
  const subjectKey = await workspace.subjectKeys();
  async function record(start: number): Promise<void> {
    for (const one of simulate({ people: 4, minutes: 4, seed, start, subjectKey })) {
      if (one.kind === 'consent') await ingest.decide(one.decision);
      else await ingest.capture(one.record);
    }
    await ingest.flush();
  }
  await record(START);
  const raw = await readTopic(workspace.log, TOPICS.raw);

  async function run(): Promise<RunResult> {
    const to = new Writable({ write: (_chunk, _encoding, done) => done() });
    const io = { stdout: to, stderr: to, env: {}, cwd: dir, now: () => START };
    const context = { io, config: workspace.config, telemetry: createTelemetry(silentLogger) };
    return runBoth({ ...context, signal: new AbortController().signal }, workspace, { untilEnd: true });
  }

  return {
    dir,
    workspace,
    people: [...new Set(raw.map(({ key }) => key))],
    record,
    run,
    store: () => openTableStore(workspace.config.table, { s3: workspace.config.s3, access: 'write' }),
    async ownersByKeys() {
      const tables = await workspace.controlTables(0);
      await tables.catchUp();
      const owners = new Map<string, string>();
      for (const { key, value } of await readTopic(workspace.log, TOPICS.raw)) {
        const envelope = workspace.codec.openEnvelope(value ?? new Uint8Array());
        if (!envelope.ok) continue;
        for (let stretch = 0; stretch < 40; stretch++) {
          const whole = sessionName({ ...envelope.value, key });
          const name = stretch === 0 ? whole : `${whole}/${stretch}`;
          const pseudonym = tables.keyring.pseudonym('session', epochOf(envelope.value.grantedAt), name);
          if (pseudonym !== undefined) owners.set(pseudonym, key);
        }
      }
      return owners;
    },
    async close() {
      await workspace.close();
      await rm(dir, { recursive: true });
    },
  };
}
