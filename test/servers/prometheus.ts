/** A real Prometheus for tests: in a temporary folder, on a free port of the loopback interface, with the rules of deploy/. */
import { execFile, execFileSync } from 'node:child_process';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { promisify } from 'node:util';
import { parse } from 'yaml';
import * as z from 'zod';
import { freePort } from '../../dev/broker.ts';
import { startServer } from '../../dev/server-process.ts';

export interface PrometheusServer {
  /** One value for each series that the query gives now. @throws Error when Prometheus refuses the query. */
  query(expression: string): Promise<readonly number[]>;
  close(): Promise<void>;
}

export interface Target {
  readonly job: string;
  /** `host:port` of `/metrics`. */
  readonly address: string;
}

const RULES = resolve(import.meta.dirname, '../../deploy/prometheus');

/** Why there can be no Prometheus here; undefined if there can. */
export function whyNoPrometheus(): string | undefined {
  try {
    for (const program of ['prometheus', 'promtool', 'amtool'])
      execFileSync(program, ['--version'], { stdio: 'ignore' });
    return undefined;
  } catch {
    return 'prometheus, promtool or amtool is not on the PATH (Debian: prometheus, prometheus-alertmanager)';
  }
}

/** Runs promtool or amtool and returns what it printed. @throws Error with its output when it finds something wrong. */
export async function runTool(program: 'promtool' | 'amtool', args: readonly string[]): Promise<string> {
  const { stdout } = await promisify(execFile)(program, args, { cwd: RULES });
  return stdout;
}

/** Starts one that scrapes each second, for the caller, who closes it. */
export async function startPrometheus(targets: readonly Target[]): Promise<PrometheusServer> {
  const dir = await mkdtemp(join(tmpdir(), 'prometheus-'));
  const port = await freePort();
  const ruleFiles = await Promise.all(
    ['recording-rules.yaml', 'alerts.yaml'].map(async (name) => {
      const { groups } = RULE_FILE.parse(parse(await readFile(join(RULES, name), 'utf8')));
      const path = join(dir, name);
      // A group of its own pace would leave a test waiting for its first evaluation.
      await writeFile(path, JSON.stringify({ groups: groups.map((group) => ({ ...group, interval: '1s' })) }));
      return path;
    }),
  );
  const config = {
    global: { scrape_interval: '1s', evaluation_interval: '1s' },
    rule_files: ruleFiles,
    scrape_configs: targets.map(({ job, address }) => ({
      job_name: job,
      static_configs: [{ targets: [address] }],
    })),
  };
  // JSON is YAML.
  await writeFile(join(dir, 'prometheus.yaml'), JSON.stringify(config));
  const server = await startServer({
    name: 'Prometheus',
    command: 'prometheus',
    args: [
      `--config.file=${join(dir, 'prometheus.yaml')}`,
      `--storage.tsdb.path=${join(dir, 'data')}`,
      `--web.listen-address=127.0.0.1:${port}`,
    ],
    readyText: 'Server is ready to receive web requests',
  });
  return {
    async query(expression) {
      const url = `http://127.0.0.1:${port}/api/v1/query?${new URLSearchParams({ query: expression }).toString()}`;
      const answer = ANSWER.parse(await (await fetch(url)).json());
      if (answer.status === 'error') throw new Error(`Prometheus refuses ${expression}: ${answer.error}`);
      const { result } = answer.data;
      return result.map(({ value: [, text] }) => Number(text));
    },
    async close() {
      await server.end('SIGTERM');
      await rm(dir, { recursive: true, force: true });
    },
  };
}

const RULE_FILE = z.object({ groups: z.array(z.looseObject({ name: z.string() })) });

/** https://prometheus.io/docs/prometheus/latest/querying/api/: instant vectors only. */
const ANSWER = z.discriminatedUnion('status', [
  z.object({
    status: z.literal('success'),
    data: z.object({
      resultType: z.literal('vector'),
      result: z.array(z.object({ value: z.tuple([z.number(), z.string()]) })),
    }),
  }),
  z.object({ status: z.literal('error'), error: z.string() }),
]);
