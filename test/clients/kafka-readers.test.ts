import { execFile, execFileSync, type ChildProcess } from 'node:child_process';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { Kafka, logLevel } from 'kafkajs';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { loadConfig } from '../../src/config.ts';
import { packagePath } from '../../src/package-path.ts';
import { TOPICS } from '../../src/runtime/topics.ts';
import { openWorkspace } from '../../src/runtime/workspace.ts';
import { buildCli, type Cli } from '../e2e/cli.ts';
import { kafkaJars, startKafka, whyNoKafka, type KafkaServer } from '../servers/kafka.ts';
import { startRegistry, type RegistryServer } from '../servers/registry.ts';

/** Programs that know nothing of this project read the sanitised topic; Python decodes what they read. */
const PYTHON = process.env['REDACTORY_PYTHON'] ?? '';
const KCAT = process.env['REDACTORY_KCAT'] ?? 'kcat';

const reason =
  whyNoKafka() ??
  lacking(PYTHON, ['-c', 'import fastavro'], 'REDACTORY_PYTHON names no Python with fastavro') ??
  lacking(KCAT, ['-V'], 'kcat is not on the PATH and REDACTORY_KCAT is not set');

function lacking(program: string, args: readonly string[], why: string): string | undefined {
  try {
    execFileSync(program, args, { stdio: 'ignore' });
    return undefined;
  } catch {
    return why;
  }
}

/** A record with what it says, as any of the readers sees it. */
interface Seen {
  readonly partition: number;
  readonly offset: number;
  readonly timestamp: number;
  readonly key: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly batch: unknown;
}

describe.skipIf(reason !== undefined)(`Kafka readers${reason === undefined ? '' : ` (skipped: ${reason})`}`, () => {
  let cli: Cli;
  let broker: KafkaServer;
  let registry: RegistryServer;
  let dir: string;
  let ours: readonly Seen[];

  beforeAll(async () => {
    cli = await buildCli();
    [broker, registry] = await Promise.all([startKafka(), startRegistry({ firstId: 7 })]);
    dir = await mkdtemp(join(tmpdir(), 'kafka-readers-'));
    const config = join(dir, 'redactory.yaml');
    const brokers = broker.brokers.join(', ');
    await writeFile(config, `data: data\nkafka:\n  brokers: [${brokers}]\nregistry:\n  url: ${registry.url}\n`);
    const start = new Date(Date.now() - 3_600_000).toISOString();
    await cli.run(['topics', 'apply', '--config', config]);
    await cli.run(['keys', 'sealing', 'rotate', '--config', config]);
    await abortRecord(broker);
    await cli.run([
      'simulate',
      '--people',
      '5',
      '--minutes',
      '20',
      '--seed',
      '5',
      '--start',
      start,
      '--config',
      config,
    ]);
    await cli.run(['sanitize', '--until-end', '--config', config]);
    ours = await readOurselves(config);
  });
  afterAll(async () => {
    await Promise.all([cli.remove(), broker.close(), registry.close()]);
    await rm(dir, { recursive: true, force: true });
  });

  test('our own reader sees every release with where it came from', () => {
    expect(ours.length).toBeGreaterThan(50);
    for (const { key, headers, batch } of ours) {
      expect(batch).toMatchObject({ session: key });
      expect(headers).toEqual({
        'source-topic': TOPICS.raw,
        'source-partition': expect.stringMatching(/^\d+$/u),
        'source-offset': expect.stringMatching(/^\d+$/u),
      });
    }
  });

  test('kcat and Python see the same, with schemas from the registry', async () => {
    const place = ['-b', broker.brokers.join(','), '-t', TOPICS.sanitized, '-o', 'beginning'];
    const format = String.raw`%p %o %T %k %h\n%R%s`;
    const printed = await output(KCAT, [
      '-C',
      '-q',
      '-e',
      '-X',
      'isolation.level=read_committed',
      ...place,
      '-f',
      format,
    ]);
    expect(await decoded('kcat', registry.url, printed)).toEqual(ours);
  });

  test('the console consumer and Python see the same, with the schema from schemas/', async () => {
    const printing = ['timestamp', 'partition', 'offset', 'headers', 'key'].map((what) => `print.${what}=true`);
    // It prints text that leaves no byte out: \xHH for all that is not a printable character.
    const asText = 'value.deserializer=org.apache.kafka.common.serialization.BytesDeserializer';
    const printed = await output('java', [
      '-cp',
      join(kafkaJars() ?? '', '*'),
      'org.apache.kafka.tools.consumer.ConsoleConsumer',
      `--bootstrap-server=${broker.brokers.join(',')}`,
      `--topic=${TOPICS.sanitized}`,
      `--max-messages=${ours.length}`,
      '--from-beginning',
      '--isolation-level=read_committed',
      '--timeout-ms=30000',
      ...[...printing, asText].map((property) => `--property=${property}`),
    ]);
    expect(await decoded('console', packagePath('schemas/released-batch.avsc'), printed)).toEqual(ours);
  });

  async function readOurselves(config: string): Promise<readonly Seen[]> {
    const workspace = await openWorkspace(await loadConfig({ env: {}, cwd: dir, file: config }), {}, { role: 'sink' });
    const { log, codec } = workspace;
    const all: Seen[] = [];
    try {
      for (const [partition, end] of (await log.endOffsets(TOPICS.sanitized)).entries()) {
        let offset = 0;
        while (offset < end) {
          const request = { topic: TOPICS.sanitized, partition, offset, maxRecords: 1_000, maxBytes: 1 << 22 };
          const { records, nextOffset } = await log.read({ ...request, waitMs: 100 });
          for (const { value, ...place } of records) {
            if (value === null) throw new Error('a record without a value');
            const { topic: _, ...rest } = place;
            all.push({ ...rest, batch: codec.decodeReleased(value) });
          }
          offset = nextOffset;
        }
      }
    } finally {
      await workspace.close();
    }
    return inOrder(all);
  }
});

/** A transaction that is aborted: who does not read committed records only gets this, which decodes to nothing. */
async function abortRecord({ brokers }: KafkaServer): Promise<void> {
  const kafka = new Kafka({ brokers: [...brokers], logLevel: logLevel.NOTHING });
  const producer = kafka.producer({ transactionalId: 'aborts', maxInFlightRequests: 1, idempotent: true });
  await producer.connect();
  const transaction = await producer.transaction();
  for (const partition of [0, 1]) {
    await transaction.send({ topic: TOPICS.sanitized, messages: [{ partition, key: 'none', value: 'none' }] });
  }
  await transaction.abort();
  await producer.disconnect();
}

async function output(program: string, args: readonly string[]): Promise<Buffer> {
  return (await promisify(execFile)(program, args, { encoding: 'buffer', maxBuffer: 1 << 26 })).stdout;
}

/** What read_sanitized.py makes of what a reader printed. */
async function decoded(reader: 'kcat' | 'console', schemas: string, printed: Buffer): Promise<readonly Seen[]> {
  const script = fileURLToPath(new URL('read_sanitized.py', import.meta.url));
  const running = promisify(execFile)(PYTHON, [script, reader, schemas], { maxBuffer: 1 << 26 });
  feed(running.child, printed);
  // The script prints such records.
  return inOrder(JSON.parse((await running).stdout) as Seen[]);
}

function feed(child: ChildProcess, bytes: Buffer): void {
  // When the script fails, its exit code tells; the broken pipe only follows.
  child.stdin?.on('error', () => {});
  child.stdin?.end(bytes);
}

function inOrder(records: readonly Seen[]): readonly Seen[] {
  return records.toSorted((a, b) => a.partition - b.partition || a.offset - b.offset);
}
