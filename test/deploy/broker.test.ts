/** The broker of deploy/compose.yaml, started by its own script with its own settings, and its topics made as there. */
import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { chmod, mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import * as z from 'zod';
import { freePort } from '../../dev/broker.ts';
import { buildCli, type Cli } from '../e2e/cli.ts';
import { describeWithKafka, kafkaJars } from '../servers/kafka.ts';
import { compose, DEPLOY, readDeployed } from './manifests.ts';

describeWithKafka('the broker of deploy/compose.yaml', () => {
  let folder: string;
  let cli: Cli;
  let broker: ChildProcess;
  let secrets: string;
  let config: string;
  /** One of the simulated people. */
  let subject: string;

  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'compose-'));
    secrets = join(folder, 'secrets');
    await end(spawn(join(DEPLOY, 'compose/secrets.sh'), [secrets], { stdio: 'ignore' }));
    const ports = [await freePort(), await freePort(), await freePort()];
    broker = await startBroker(ports);
    config = join(folder, 'redactory.yaml');
    await writeFile(
      config,
      readDeployed('compose/redactory.yaml')
        .replace('kafka:9092', `127.0.0.1:${ports[0]}`)
        .replaceAll('/run/secrets', secrets)
        .replaceAll('/var/lib/redactory', join(folder, 'redactory'))
        .replace(/^registry:\n.*\n/mu, '')
        .replace('9464', '0')
        .replace('port: 8479', 'port: 0'),
    );
    cli = await buildCli();
  }, 120_000);

  afterAll(async () => {
    broker?.kill('SIGKILL');
    await cli?.remove();
    await rm(folder, { recursive: true, force: true });
  });

  it('lets nobody in without a password', async () => {
    await writeFile(join(secrets, 'wrong'), 'wrong', { mode: 0o600 });
    await expect(
      cli.run(['topics', 'apply', '--config', config, '--user', 'admin', '--secret-file', join(secrets, 'wrong')]),
    ).rejects.toThrow(/ended with 1/u);
  });

  it('has topics and rights as planned once `topics` and `keys` have run', async () => {
    for (const service of ['topics', 'keys']) {
      const command = compose().services[service]?.command ?? [];
      await cli.run(
        command.map((word) => word.replace('/etc/redactory/redactory.yaml', config).replace('/run/secrets', secrets)),
      );
    }
    const verified = await cli.run(['topics', 'verify', '--config', config, '--json']);
    expect(JSON.parse(verified)).toBeTypeOf('object');
    expect(await readFile(join(folder, 'redactory-keys/master.key'), 'utf8')).toMatch(/^[\w+/]{43}=\n$/u);
  });

  it('takes a run of the line with the identities of the services', async () => {
    // The first one makes the key that producers seal to.
    await cli.run(['sanitize', '--until-end', '--config', config]);
    const truth = join(folder, 'truth.jsonl');
    await cli.run(['simulate', '--people', '2', '--minutes', '2', '--truth', truth, '--config', config]);
    subject = /"text":"([^"]+)","kind":"subject"/u.exec(await readFile(truth, 'utf8'))?.[1] ?? '';
    const sanitized: unknown = JSON.parse(await cli.run(['sanitize', '--until-end', '--config', config, '--json']));
    expect(JSON.stringify(sanitized)).toMatch(/"released[A-Za-z]*":[1-9]/u);
    const written: unknown = JSON.parse(await cli.run(['sink', '--until-end', '--config', config, '--json']));
    expect(JSON.stringify(written)).toMatch(/"rows":[1-9]/u);
  });

  it('tells a person what was kept, and erases it, with the identity of the steward', async () => {
    const issue = ['devices', 'issue', '--subject', subject, '--config', config, '--json'];
    const { token } = z.object({ token: z.string() }).parse(JSON.parse(await cli.run(issue)));
    const steward = cli.start(['steward', '--config', config]);
    const [, address = ''] = await steward.waitForLog(/"address":"(http[^"]+)","msg":"serving the gateway"/u);
    const rows = async (): Promise<number> => {
      const answer = await fetch(`${address}/v1/me/kept`, { headers: { authorization: `Bearer ${token}` } });
      const { days } = z.object({ days: z.array(z.object({ rows: z.number() })) }).parse(await answer.json());
      return days.reduce((sum, day) => sum + day.rows, 0);
    };
    const kept = await rows();
    expect(kept).toBeGreaterThan(0);
    await cli.run(['erase', '--subject', subject, '--config', config]);
    await steward.waitForLog(new RegExp(`"detail":"${kept} rows".*"msg":"an erasure is done"`, 'u'));
    expect(await rows()).toBe(0);
    steward.child.kill('SIGTERM');
    expect(await steward.ended).toBe(0);
    expect(JSON.parse(await cli.run(['steward', '--once', '--config', config, '--json']))).toMatchObject({ left: 0 });
  });

  /** With the scripts that the image has, made here of the jars. */
  async function startBroker([client = 0, controller = 0, local = 0]: readonly number[]): Promise<ChildProcess> {
    const bin = join(folder, 'bin');
    await mkdir(bin);
    const java = `exec java -Xmx384m -XX:+UseSerialGC -XX:TieredStopAtLevel=1 -cp '${kafkaJars() ?? ''}/*'`;
    for (const [name, main] of [
      ['kafka-storage.sh', 'kafka.tools.StorageTool'],
      ['kafka-server-start.sh', 'kafka.Kafka'],
    ] as const) {
      await writeFile(join(bin, name), `#!/bin/sh\n${java} ${main} "$@"\n`);
      await chmod(join(bin, name), 0o755);
    }
    const properties = join(folder, 'server.properties');
    await writeFile(
      properties,
      readDeployed('kafka/server.properties')
        .replaceAll('CLIENT://:9092', `CLIENT://127.0.0.1:${client}`)
        .replaceAll('kafka:9092', `127.0.0.1:${client}`)
        .replaceAll('127.0.0.1:9093', `127.0.0.1:${controller}`)
        .replaceAll('127.0.0.1:9094', `127.0.0.1:${local}`)
        .replace('/var/lib/kafka/data', join(folder, 'topics')),
    );
    const env = { ...process.env, KAFKA_BIN: bin, KAFKA_CONFIG: properties, KAFKA_SECRETS: secrets };
    const child = spawn('bash', [join(DEPLOY, 'kafka/start.sh')], { env, stdio: ['ignore', 'pipe', 'pipe'] });
    let output = '';
    await new Promise<void>((resolve, reject) => {
      const take = (text: string): void => {
        output += text;
        if (output.includes('Kafka Server started')) resolve();
      };
      child.stdout.setEncoding('utf8').on('data', take);
      child.stderr.setEncoding('utf8').on('data', take);
      child.once('exit', () => reject(new Error(`the broker ended: ${output.slice(-2_000)}`)));
    });
    return child;
  }
});

async function end(child: ChildProcess): Promise<void> {
  const [code] = (await once(child, 'exit')) as [number | null];
  if (code !== 0) throw new Error(`ended with ${code}`);
}
