/** One data folder, everything that can be done to it, and everything that is printed on the way. */
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { PassThrough } from 'node:stream';
import { onTestFinished } from 'vitest';
import { runBoth } from '../../src/cli/run.ts';
import { loadConfig, type Config } from '../../src/config.ts';
import { FencedError, type EventLog } from '../../src/log/event-log.ts';
import { makeDecision } from '../../src/privacy/decisions.ts';
import type { PlantedString } from '../../src/producers/simulator/index.ts';
import { createIngest } from '../../src/runtime/ingest.ts';
import { createLogger, createTelemetry } from '../../src/runtime/telemetry.ts';
import { TOPICS } from '../../src/runtime/topics.ts';
import { openWorkspace, type Workspace } from '../../src/runtime/workspace.ts';
import { createBench, type Bench, type Ran } from '../cli/harness.ts';
import { asReleased, fields } from '../helpers/released.ts';
import { readTopic } from '../simulation/oracle.ts';
import { canarySession } from './canaries.ts';
import { textHaystack, type Haystack } from './needles.ts';

const START = Date.UTC(2026, 2, 10, 9);

export class Line {
  readonly #bench: Bench;
  readonly #policy: string;
  readonly #seed: number;
  readonly policyFile: string;
  readonly planted: PlantedString[] = [];
  readonly written: Haystack[] = [];

  static async create(policy: string, seed: number): Promise<Line> {
    const bench = await createBench();
    onTestFinished(() => bench.remove());
    const config = await loadConfig({ env: {}, cwd: bench.dir, policy });
    return new Line(bench, policy, seed, config.policy);
  }

  private constructor(bench: Bench, policy: string, seed: number, policyFile: string) {
    this.#bench = bench;
    this.#policy = policy;
    this.#seed = seed;
    this.policyFile = policyFile;
  }

  /** Runs a command; what it printed is searched later. */
  async command(...args: readonly string[]): Promise<Ran> {
    const ran = await this.#bench.run(args, { env: { REDACTORY_POLICY: this.#policy }, now: () => START });
    const name = args.slice(0, 2).join(' ');
    this.written.push(textHaystack(`stdout of ${name}`, ran.stdout, true));
    this.written.push(textHaystack(`stderr of ${name}`, ran.stderr, true));
    return ran;
  }

  async simulate(which: string): Promise<void> {
    const seed = String(this.#seed * 100 + which.length);
    const truth = join(this.#bench.dir, `${which}.truth`);
    const ran = await this.command('simulate', '--people', '10', '--minutes', '10', '--seed', seed, '--truth', truth);
    mustEnd(ran, 0);
    const lines = (await readFile(truth, 'utf8')).trim().split('\n');
    this.planted.push(...lines.map((line) => JSON.parse(line) as PlantedString));
  }

  async withWorkspace<T>(work: (workspace: Workspace) => Promise<T>): Promise<T> {
    const workspace = await openWorkspace(await this.#config(), {}, { now: () => START });
    try {
      return await work(workspace);
    } finally {
      await workspace.close();
    }
  }

  #config(): Promise<Config> {
    return loadConfig({ env: {}, cwd: this.#bench.dir, policy: this.#policy });
  }

  async canaries(): Promise<void> {
    await this.withWorkspace(async (workspace) => {
      const at = (await workspace.trustedNow()) + 60_000;
      const { captured, texts } = canarySession(this.#seed, at, await workspace.subjectKeys());
      const ingest = createIngest({ ...workspace, sealer: await workspace.sealer() });
      await ingest.decide(
        makeDecision('enrol', {
          subjectKey: captured.key,
          now: at - 30_000,
          randomId: () => 'the-decision-of-the-test',
        }),
      );
      await ingest.capture(captured);
      await ingest.flush();
      this.plant(texts);
    });
  }

  plant(texts: readonly string[]): void {
    const where = { kind: 'token', where: 'typed', subject: '', session: '', sequence: -1 } as const;
    this.planted.push(...texts.map((text) => ({ text, ...where })));
  }

  /** Raw batches that cannot be processed, made of some that can, and one of plain personal text. */
  async damaged(): Promise<void> {
    await this.withWorkspace(async ({ log }) => {
      const records = (await readTopic(log, TOPICS.raw)).filter(({ offset }) => offset % 9 === 0).slice(0, 40);
      const spoiled = records.flatMap((record, i) => {
        const value = record.value ?? new Uint8Array();
        const flipped = value.slice();
        flipped[value.length - 8 - i] = 255 - (flipped[value.length - 8 - i] ?? 0);
        return [
          { ...record, value: value.slice(0, value.length - 5) },
          { ...record, value: flipped },
          { ...record, key: records[(i + 7) % records.length]?.key ?? '' },
        ];
      });
      const { key, timestamp } = records[0] ?? { key: '', timestamp: 0 };
      const plain = { key, timestamp, value: new TextEncoder().encode(this.planted.map(({ text }) => text).join(' ')) };
      await log.append(
        TOPICS.raw,
        [...spoiled, plain].map((record) => ({ key: record.key, value: record.value, timestamp: record.timestamp })),
      );
    });
  }

  /** The rest of the line in this process, to see logs and metrics, over a log whose errors quote what they should not. */
  async runWithFailingLog(): Promise<void> {
    const config = await this.#config();
    const logs: string[] = [];
    const to = { write: (line: string): void => void logs.push(line) };
    const telemetry = createTelemetry(createLogger({ level: 'info', pretty: false, to }));
    await this.withWorkspace(async (workspace) => {
      const log = failingLog(
        workspace.log,
        this.planted.map(({ text }) => text),
      );
      const signal = new AbortController().signal;
      const [stdout, stderr] = [new PassThrough(), new PassThrough()];
      const io = { stdout, stderr, env: {}, cwd: this.#bench.dir, now: () => START };
      const { sanitized } = await runBoth({ config, telemetry, signal, io }, { ...workspace, log }, { untilEnd: true });
      if (sanitized.released === 0 || logs.length < 2) throw new Error('the failing log was not noticed');
    });
    this.written.push(textHaystack('logs', logs.join(''), true));
    this.written.push(textHaystack('metrics', (await telemetry.render()).body, true));
  }

  async failingImports(): Promise<void> {
    const [person, secret, other] = ['quibblefrost@zzyx.example', 'wumpelstilz vordingbarg', 'krampfhuhnig'];
    this.plant([person, secret, other]);
    const good = { subject: person, session: 's', at: START, kind: 'focus', context: { app: secret, title: secret } };
    const bad: readonly unknown[] = [
      { ...good, kind: secret },
      { ...good, at: secret },
      { ...good, context: secret },
      { ...good, kind: 'key_down', key: { secret } },
      { ...good, kind: 'clipboard', op: secret, text: other },
      { ...good, kind: 'pointer_down', x: secret, y: 1, button: other },
    ];
    const lines = [...bad.map((line) => JSON.stringify(line)), `{"subject":"${person}", ${secret}`, secret];
    for (const [i, line] of lines.entries()) {
      await this.#failingImport(`broken${i}.jsonl`, `${JSON.stringify(good)}\n${line}\n`, 'capture-jsonl');
    }
    await this.#failingImport('broken.csv', `"caseID","${secret}"\n"${person}","${other}\n`, 'rpa-csv');
  }

  async #failingImport(name: string, content: string, format: string): Promise<void> {
    const path = join(this.#bench.dir, name);
    await writeFile(path, content);
    const ran = mustEnd(await this.command('import', path, '--format', format, '--enrol'), 1);
    if (!ran.stderr.includes(name)) throw new Error(`the error does not name ${name}`);
  }

  /** A policy that does not load: nothing runs, and nothing of the log is quoted. */
  async refusedPolicies(): Promise<void> {
    const path = join(this.#bench.dir, 'wrong.yaml');
    await writeFile(path, `${await readFile(this.policyFile, 'utf8')}\nunheard: of\n`);
    mustEnd(await this.command('run', '--until-end', '--policy', path), 2);
  }

  /** Somebody else writes to the sanitised topic. After the search of the topics, since what they wrote lies there now. */
  async foreignRecords(): Promise<void> {
    await this.withWorkspace(async ({ log, codec }) => {
      const text = this.planted[0]?.text ?? '';
      const raw = (await readTopic(log, TOPICS.raw))[0]?.value ?? null;
      // What does not decode at all, or what does and breaks the contract.
      const value = this.#seed % 2 === 0 ? raw : codec.encodeReleased(asReleased(fields({ session: text })));
      const headers = { 'source-topic': TOPICS.raw, 'source-partition': '0', 'source-offset': '1' };
      await log.append(TOPICS.sanitized, [{ key: text, value, timestamp: START, headers }]);
    });
    mustEnd(await this.command('sink', '--until-end'), 1);
  }
}

/** A log that fails now and then, with errors that quote personal text as a careless library might. */
function failingLog(log: EventLog, texts: readonly string[]): EventLog {
  let [reads, takeovers] = [0, 0];
  const text = (n: number): string => texts[(n * 37) % texts.length] ?? '';
  return new Proxy(log, {
    get(target, name) {
      if (name === 'read') {
        return async (request: Parameters<EventLog['read']>[0]) => {
          if (request.topic === TOPICS.raw && ++reads % 4 === 1) throw new TypeError(text(reads));
          return target.read(request);
        };
      }
      if (name === 'transactional') {
        return async (id: string) => {
          if (id.startsWith('sink/') && ++takeovers <= 2) throw new FencedError(text(takeovers));
          return target.transactional(id);
        };
      }
      const member: unknown = Reflect.get(target, name);
      return typeof member === 'function' ? (member.bind(target) as unknown) : member;
    },
  });
}

function mustEnd(ran: Ran, code: number): Ran {
  if (ran.code !== code) throw new Error(`it ended with ${ran.code}, not ${code}: ${ran.stderr}`);
  return ran;
}
