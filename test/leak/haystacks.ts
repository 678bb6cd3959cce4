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

/**
 * The raw topic's bytes, and the files of the log that they lie in. A payload that could be unpacked as it lies there would
 * be unpacked here: compressed text is not found by searching for it.
 */
export async function rawHaystacks({
  config,
  log,
  codec,
  zstd,
}: Workspace): Promise<{ readonly haystacks: readonly Haystack[]; readonly sessions: ReadonlySet<string> }> {
  const haystacks: Haystack[] = [];
  const sessions = new Set<string>();
  for (const { partition, offset, key, headers, value } of await readTopic(log, TOPICS.raw)) {
    const name = `${TOPICS.raw}/${partition}/${offset}`;
    haystacks.push(textHaystack(`${name}, outside`, `${key} ${JSON.stringify(headers)}`, true));
    if (value === null) continue;
    haystacks.push(...bytesHaystacks(name, value));
    const envelope = codec.openEnvelope(value);
    if (!envelope.ok) throw new Error(`${name} has no envelope`);
    sessions.add(envelope.value.session);
    try {
      haystacks.push(...bytesHaystacks(`${name}, unpacked`, zstd.decompress(envelope.value.payload, 1 << 24)));
    } catch {
      // Sealed.
    }
  }
  for (const entry of await readdir(join(config.data, 'log'), { recursive: true, withFileTypes: true })) {
    if (entry.isFile())
      haystacks.push(...bytesHaystacks(entry.name, await readFile(join(entry.parentPath, entry.name))));
  }
  return { haystacks, sessions };
}

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
    [TOPICS.sealing, (value) => codec.decodeSealingKey(value)],
    [TOPICS.devices, (value) => codec.decodeDevice(value)],
    [TOPICS.erasures, (value) => codec.decodeErasure(value)],
    [TOPICS.requests, (value) => codec.decodeRequest(value)],
    [TOPICS.audit, (value) => codec.decodeAudit(value)],
    [TOPICS.owners, (value) => codec.decodeOwner(value)],
    [TOPICS.audit, (value) => codec.decodeAudit(value)],
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
