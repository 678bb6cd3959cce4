/** What deploy/prometheus and deploy/grafana hold works on a real Prometheus that has scraped a real run. */
import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { parse } from 'yaml';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import * as z from 'zod';
import { epochEnd } from '../../src/privacy/epoch.ts';
import { buildCli, type Cli, type CliProcess } from '../e2e/cli.ts';
import { runTool, startPrometheus, whyNoPrometheus, type PrometheusServer } from '../servers/prometheus.ts';

const DEPLOY = resolve(import.meta.dirname, '../../deploy');
const lacking = whyNoPrometheus();
const skipped = lacking === undefined ? '' : ` (skipped: ${lacking})`;

const DASHBOARD = z.object({
  uid: z.string(),
  panels: z
    .array(
      z.object({
        title: z.string().min(1),
        targets: z.array(z.object({ expr: z.string().min(1) })).min(1),
      }),
    )
    .min(1),
});
const RULES = z.object({
  groups: z.array(
    z.object({
      rules: z.array(
        z.object({
          record: z.string().optional(),
          alert: z.string().optional(),
          labels: z.object({ severity: z.enum(['page', 'ticket']) }).optional(),
          annotations: z.object({ runbook: z.string() }).optional(),
        }),
      ),
    }),
  ),
});

const dashboards = await Promise.all(
  (await readdir(join(DEPLOY, 'grafana')))
    .filter((name) => name.endsWith('.json'))
    .map(async (name) => DASHBOARD.parse(JSON.parse(await readFile(join(DEPLOY, 'grafana', name), 'utf8')))),
);
const panels = dashboards.flatMap(({ uid, panels: all }) =>
  all.flatMap(({ title, targets }) => targets.map(({ expr }) => ({ panel: `${uid}: ${title}`, expr }))),
);
const rules = async (file: string): Promise<z.infer<typeof RULES>['groups'][number]['rules']> =>
  RULES.parse(parse(await readFile(join(DEPLOY, 'prometheus', file), 'utf8'))).groups.flatMap((group) => group.rules);

describe('the rules', () => {
  it('have a test for each alert', async () => {
    const tests = await readFile(join(DEPLOY, 'prometheus/tests/alerts.test.yaml'), 'utf8');
    for (const { alert } of await rules('alerts.yaml')) expect(tests).toContain(`alertname: ${alert ?? ''}\n`);
  });

  it('name a section of the page on operations for each alert', async () => {
    const page = await readFile(resolve(DEPLOY, '../docs/operations.md'), 'utf8');
    for (const { alert = '', annotations } of await rules('alerts.yaml')) {
      expect(annotations?.runbook).toBe(`docs/operations.md#${alert.toLowerCase()}`);
      expect(page).toMatch(new RegExp(`^#+ ${alert}$`, 'mu'));
    }
  });
});

describe.skipIf(lacking !== undefined)(`promtool and amtool${skipped}`, () => {
  it('find nothing wrong with rules, configuration and routes', async () => {
    expect(await runTool('promtool', ['check', 'rules', 'recording-rules.yaml', 'alerts.yaml'])).toMatch(/SUCCESS/u);
    expect(await runTool('promtool', ['check', 'config', 'prometheus.yaml'])).toMatch(/SUCCESS/u);
    expect(await runTool('amtool', ['check-config', 'alertmanager.yaml'])).toMatch(/SUCCESS/u);
  });

  it('find nothing wrong with the job for Kubernetes, but for how it finds pods, which not every build of promtool knows', async () => {
    const text = await readFile(join(DEPLOY, 'prometheus/prometheus-kubernetes.yaml'), 'utf8');
    const { rule_files: _, ...config } = z.record(z.string(), z.unknown()).parse(parse(text));
    const [job] = z.tuple([z.looseObject({ kubernetes_sd_configs: z.unknown() })]).parse(config['scrape_configs']);
    const { kubernetes_sd_configs: __, ...rest } = job;
    const dir = await mkdtemp(join(tmpdir(), 'prometheus-'));
    const file = join(dir, 'prometheus.yaml');
    await writeFile(file, JSON.stringify({ ...config, scrape_configs: [rest] }));
    expect(await runTool('promtool', ['check', 'config', file])).toMatch(/SUCCESS/u);
    await rm(dir, { recursive: true });
  });

  it('run the tests of the alerts', async () => {
    expect(await runTool('promtool', ['test', 'rules', 'tests/alerts.test.yaml'])).toMatch(/SUCCESS/u);
  });
});

describe.skipIf(lacking !== undefined)(`the routes${skipped}`, () => {
  /** Privacy engineers hear of these beside whoever acts on them. */
  const PRIVATE = ['ConsentTableLate', 'ForbiddenAccess', 'KeepRatioChanged', 'ErasureLate', 'ErasureFails'];

  it('take each alert to whoever acts on it, and what touches people to the privacy engineers as well', async () => {
    for (const { alert = '', labels } of await rules('alerts.yaml')) {
      const severity = labels?.severity ?? '';
      const about = [`alertname=${alert}`, `severity=${severity}`];
      const told = await runTool('amtool', ['config', 'routes', 'test', '--config.file=alertmanager.yaml', ...about]);
      const acts = severity === 'page' ? 'on-call' : 'tickets';
      const isPrivate = PRIVATE.some((name) => alert === `Redactory${name}`);
      expect([alert, told.trim()]).toEqual([alert, isPrivate ? `privacy,${acts}` : acts]);
    }
  });
});

describe.skipIf(lacking !== undefined)(`a Prometheus that has scraped a real run${skipped}`, () => {
  let cli: Cli;
  let data: string;
  let run: CliProcess;
  let gateway: CliProcess;
  let steward: CliProcess;
  let config: string;
  let recorder: Recorder;
  let prometheus: PrometheusServer;

  beforeAll(async () => {
    [cli, data] = await Promise.all([buildCli(), mkdtemp(join(tmpdir(), 'redactory-watched-'))]);
    config = join(data, 'redactory.yaml');
    const settings =
      'sink: { flushSeconds: 1 }\ntelemetry: { port: 0 }\ngateway: { port: 0 }\nsteward: { port: 0, pollSeconds: 1 }';
    await writeFile(config, `data: ${data}\n${settings}\n`);
    run = cli.start(['run', '--config', config]);
    const [, address = ''] = await run.waitForLog(/"address":"http:\/\/([^"]+)"/u);
    steward = cli.start(['steward', '--config', config]);
    const [, stewardWatched = ''] = await steward.waitForLog(/"address":"http:\/\/([^"]+)","msg":"serving \/metrics/u);
    const [, asked = ''] = await steward.waitForLog(/"address":"(http[^"]+)","msg":"serving the gateway"/u);
    // Otherwise the gateway would be its own steward.
    const apart = join(data, 'gateway.yaml');
    await writeFile(apart, (await readFile(config, 'utf8')).replace('pollSeconds: 1', `url: '${asked}'`));
    gateway = cli.start(['gateway', '--config', apart]);
    const [, watched = ''] = await gateway.waitForLog(/"address":"http:\/\/([^"]+)","msg":"serving metrics"/u);
    const [, served = ''] = await gateway.waitForLog(/"address":"(http[^"]+)","msg":"serving recorders"/u);
    const issue = ['--config', config, '--json', 'devices', 'issue', '--subject', 'ana'];
    await cli.run(['--config', config, 'consent', 'enrol', '--subject', 'ana']);
    recorder = {
      address: served,
      token: z.object({ token: z.string() }).parse(JSON.parse(await cli.run(issue))).token,
    };
    prometheus = await startPrometheus([
      { job: 'redactory-run', address },
      { job: 'redactory-gateway', address: watched },
      { job: 'redactory-steward', address: stewardWatched },
    ]);
  }, 120_000);

  afterAll(async () => {
    await prometheus?.close();
    for (const running of [run, gateway, steward]) running?.child.kill('SIGTERM');
    await Promise.all([run?.ended, gateway?.ended, steward?.ended]);
    await cli?.remove();
    await rm(data, { recursive: true, force: true });
  });

  it('has something to show in every panel', async () => {
    const empty = new Set(panels);
    // Rates need work between two scrapes: more of it comes for as long as something is missing.
    for (let round = 1; empty.size > 0 && round <= 20; round++) {
      await cli.run(['simulate', '--people', '10', '--minutes', '5', '--seed', String(round), '--data', data]);
      await recordOne(recorder);
      for (const panel of empty) {
        const values = await prometheus.query(panel.expr);
        if (values.length > 0 && values.every(Number.isFinite)) empty.delete(panel);
      }
    }
    expect([...empty]).toEqual([]);
  }, 180_000);

  it('has a value for every recording rule, and no alert for a run that goes well', async () => {
    for (const { record = '' } of await rules('recording-rules.yaml')) {
      expect({ record, series: (await prometheus.query(record)).length }).not.toEqual({ record, series: 0 });
    }
    // One that waits for its `for` would fire if this run went on. In the last days of a month one is right to.
    const [clock = 0] = await prometheus.query('vector(time())');
    const isNearEnd = epochEnd(Date.now()) / 1000 - clock < 3 * 86_400;
    const wrong = isNearEnd ? 'ALERTS{alertname!="RedactoryKeyEpochEnds"}' : 'ALERTS';
    // On a busy machine a scrape may come too late, and what is seen by it is gone for a second.
    const settled = { timeout: 60_000, interval: 500 };
    await vi.waitFor(async () => {
      expect(await prometheus.query('up')).toEqual([1, 1, 1]);
      expect(await prometheus.query(`count by (alertname) (${wrong})`)).toEqual([]);
    }, settled);
  }, 90_000);

  it('shows an erasure while it waits for the line, and that it is done', async () => {
    const [open = ''] = panels.filter(({ panel }) => panel.endsWith(': Erasures not done')).map(({ expr }) => expr);
    const shows = (count: number): Promise<void> =>
      vi.waitFor(async () => expect(await prometheus.query(open)).toEqual([count]), { timeout: 60_000, interval: 500 });
    await shows(0);
    run.child.kill('SIGTERM');
    await run.ended;
    // Nobody works on it: something of the person may be on its way.
    await recordOne(recorder);
    await cli.run(['erase', '--subject', 'ana', '--config', config]);
    await shows(1);
    run = cli.start(['run', '--config', config]);
    await shows(0);
    expect(steward.stderr()).toMatch(/"msg":"an erasure is done"/u);
  }, 180_000);
});

interface Recorder {
  readonly address: string;
  readonly token: string;
}

/** A session with one batch that is kept, and one request of nobody. */
async function recordOne({ address, token }: Recorder): Promise<void> {
  const ask = (method: string, path: string, bearer: string, body?: object): Promise<Response> =>
    fetch(`${address}${path}`, {
      method,
      headers: { authorization: `Bearer ${bearer}`, 'content-type': 'application/json' },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    });
  const granted = await ask('POST', '/v1/sessions', token, { device: 'laptop' });
  const { session } = z.object({ session: z.string() }).parse(await granted.json());
  const events = [{ kind: 'focus', at: Date.now() }];
  const batch = { subject: 'ana', device: 'laptop', events };
  expect((await ask('PUT', `/v1/sessions/${session}/batches/0`, token, batch)).status).toBe(200);
  expect((await ask('GET', '/v1/me', 'nobody')).status).toBe(401);
}
