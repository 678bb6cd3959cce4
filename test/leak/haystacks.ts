/** Everything that leaves the private side of a data folder. */
import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { parquetMetadata, parquetReadObjects } from 'hyparquet';
import type { LogRecord } from '../../src/log/event-log.ts';
import { GROUPS, TOPICS } from '../../src/runtime/topics.ts';
import type { Workspace } from '../../src/runtime/workspace.ts';
import { asParquetFile, decompressors } from '../../src/sinks/training-table/parquet.ts';
import { readTopic } from '../simulation/oracle.ts';
import { bytesHaystacks, textHaystack, type Haystack } from './needles.ts';

export async function everythingReleased(workspace: Workspace): Promise<Haystack[]> {
  return [...(await topicHaystacks(workspace)), ...(await fileHaystacks(workspace))];
}

async function topicHaystacks(workspace: Workspace): Promise<Haystack[]> {
  const { log, codec } = workspace;
  const decoders: readonly (readonly [string, (value: Uint8Array) => unknown])[] = [
    [TOPICS.sanitized, (value) => codec.decodeReleased(value)],
    [TOPICS.quarantine, (value) => codec.decodeQuarantine(value)],
    [TOPICS.consent, (value) => codec.decodeConsent(value)],
    [TOPICS.keyring, (value) => codec.decodeKeyEntry(value)],
    [TOPICS.erasures, (value) => codec.decodeErasure(value)],
  ];
  const haystacks: Haystack[] = [];
  for (const [topic, decode] of decoders) {
    const records = await readTopic(log, topic);
    const noisy = topic !== TOPICS.sanitized;
    haystacks.push(
      textHaystack(`${topic}, decoded`, JSON.stringify(records.map((record) => decoded(record, decode))), noisy),
    );
    haystacks.push(textHaystack(`${topic}, keys and headers`, records.map(outside).join('\n'), true));
    for (const { partition, offset, value } of records) {
      if (value !== null) haystacks.push(...bytesHaystacks(`${topic}/${partition}/${offset}`, value));
    }
  }
  for (const [group, topic] of [
    [GROUPS.sanitize, TOPICS.raw],
    [GROUPS.sink, TOPICS.sanitized],
  ] as const) {
    for (let partition = 0; partition < (await log.partitions(topic)); partition++) {
      const position = await log.committed(group, { topic, partition });
      haystacks.push(textHaystack(`position of ${group}`, position?.metadata ?? '', true));
    }
  }
  return haystacks;
}

/** Without the pseudonyms: they are random digits, in which anything short is found. */
function decoded({ value }: LogRecord, decode: (value: Uint8Array) => unknown): unknown {
  return value === null ? null : decode(value);
}

const outside = ({ key, headers }: LogRecord): string => `${key} ${JSON.stringify(headers)}`;

/** Every file but those of the log, which holds the raw topic; of the log, the names. */
async function fileHaystacks({ config, zstd }: Workspace): Promise<Haystack[]> {
  const names = await readdir(config.data, { recursive: true, withFileTypes: true });
  const haystacks = [textHaystack('file names', names.map(({ name }) => name).join('\n'), true)];
  for (const entry of names) {
    const path = join(entry.parentPath, entry.name);
    if (!entry.isFile() || path.startsWith(join(config.data, 'log'))) continue;
    const bytes = await readFile(path);
    haystacks.push(...bytesHaystacks(entry.name, bytes));
    if (!entry.name.endsWith('.parquet')) continue;
    const file = asParquetFile(bytes);
    const metadata = parquetMetadata(file.slice(0));
    const rows = await parquetReadObjects({ file, metadata, compressors: decompressors(zstd) });
    haystacks.push(
      textHaystack(`${entry.name}, rows`, json(rows)),
      textHaystack(`${entry.name}, metadata`, json(metadata), true),
    );
  }
  return haystacks;
}

const json = (value: unknown): string =>
  JSON.stringify(value, (_key, one: unknown) =>
    typeof one === 'bigint' ? String(one) : one instanceof Uint8Array ? Buffer.from(one).toString('utf8') : one,
  );
