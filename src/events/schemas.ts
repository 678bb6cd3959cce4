/**
 * The contracts in schemas/, and the local registry that remembers every version of them that ever wrote bytes.
 *
 * An id is taken from the schema's own fingerprint, so the same schema has the same id in every data folder and for every
 * process, without anyone to ask; the registry file is there for the versions that this program no longer ships.
 */
import * as fs from 'node:fs';
import * as path from 'node:path';
import avro from 'avsc';
import type { Schema } from 'avsc';
import { z } from 'zod';
import { packagePath } from '../package-path.ts';
import { compileGuard } from './avro-guard.ts';
import type { Limits } from './limits.ts';

/** Which schema id stands for which schema. */
export interface SchemaIds {
  /** Id of the current schema of a record, by its Avro name (`CaptureBatch`). */
  idOf(record: string): number;
  /**
   * The full schema with that id, of whatever version, or undefined when the id was never given out. Where that cannot be
   * told yet it throws `SchemaUnavailableError`: no record may count as one without a schema before it is known to be.
   */
  schemaOf(id: number): Schema | undefined;
}

/** The registry file cannot be read, written or trusted; the message names it and says what to do. */
export class SchemaRegistryError extends Error {
  override name = 'SchemaRegistryError';
}

/** A schema as it stands in a file: the JSON of an Avro record. */
export interface RecordSchema {
  readonly type: 'record';
  readonly name: string;
  readonly namespace?: string | undefined;
  readonly fields: readonly unknown[];
}

const recordSchema: z.ZodType<RecordSchema> = z.looseObject({
  type: z.literal('record'),
  name: z.string(),
  namespace: z.string().optional(),
  fields: z.array(z.unknown()),
});

const CONTRACTS = [
  'capture-batch',
  'capture-payload',
  'released-batch',
  'consent-decision',
  'keyring-entry',
  'sealing-key',
  'device-token',
  'erasure',
  'person-request',
  'session-owner',
  'audit-record',
  'quarantine-record',
] as const;

/** The current schemas, from the package's schemas/ folder. */
export function loadContracts(): readonly RecordSchema[] {
  const folder = packagePath('schemas');
  return CONTRACTS.map((name) =>
    recordSchema.parse(JSON.parse(fs.readFileSync(path.join(folder, `${name}.avsc`), 'utf8'))),
  );
}

/**
 * A registry in memory.
 *
 * @param current the schemas to write with, one a record name.
 * @param older versions that bytes to read may have been written with.
 */
export function schemaIds(current: readonly RecordSchema[], older: readonly RecordSchema[] = []): SchemaIds {
  const entries = new Map<number, Entry>();
  for (const schema of [...older, ...current]) add(entries, entryOf(schema));
  const ids = idsByName(current);
  return {
    idOf: (record) => idOrThrow(ids, record),
    schemaOf: (id) => entries.get(id)?.schema as Schema | undefined, // checked by avsc when the entry was made
  };
}

/**
 * Opens, or makes, the registry file (JSON, mode 0600), and sees to it that the current schemas are in it. Any number of
 * processes, also of different versions, may do so at once.
 *
 * @throws SchemaRegistryError
 */
export function openSchemaRegistry(file: string, current: readonly RecordSchema[] = loadContracts()): SchemaIds {
  const wanted = current.map((schema) => entryOf(schema));
  const ids = idsByName(current);
  let known = readRegistry(file);
  if (!holdsAll(known.entries, wanted)) known = register(file, wanted);

  return {
    idOf: (record) => idOrThrow(ids, record),
    schemaOf(id) {
      // Another process of a newer version may have added to the file since.
      if (!known.entries.has(id) && known.stamp !== stampOf(file)) known = readRegistry(file);
      return known.entries.get(id)?.schema as Schema | undefined; // checked by avsc when the entry was read
    },
  };
}

interface Entry {
  readonly id: number;
  readonly name: string;
  readonly fingerprint: string;
  readonly schema: RecordSchema;
}

interface Registry {
  readonly entries: ReadonlyMap<number, Entry>;
  /** Tells one state of the file from another; '' when there is no file. */
  readonly stamp: string;
}

const registryFile = z.strictObject({
  version: z.literal(1),
  schemas: z.array(
    z.strictObject({
      id: z.int().positive(),
      name: z.string(),
      fingerprint: z.string(),
      schema: recordSchema,
    }),
  ),
});

/**
 * A schema that came from outside, if it is a record that can be read under the limits that bound records; else undefined.
 */
export function readRecordSchema(value: unknown, limits: Limits): RecordSchema | undefined {
  const parsed = recordSchema.safeParse(value);
  if (!parsed.success) return undefined;
  try {
    compileGuard(avro.Type.forSchema(parsed.data as unknown as Schema), limits); // avsc checks it and throws
    return parsed.data;
  } catch {
    return undefined;
  }
}

/** SHA-256 of the schema as avsc reduces it, in hex: the same for schemas that read and write the same bytes. */
export function fingerprintOf(schema: RecordSchema): string {
  return entryOf(schema).fingerprint;
}

/** 31 bits of the SHA-256 of the schema as avsc reduces it (names, types and order; no docs): ids are positive 32-bit. */
function entryOf(schema: RecordSchema): Entry {
  const type = avro.Type.forSchema(schema as unknown as Schema); // a record by recordSchema; avsc checks the rest and throws
  const fingerprint = type.fingerprint('sha256');
  const id = fingerprint.readUInt32BE(0) >>> 1;
  return { id, name: schema.name, fingerprint: fingerprint.toString('hex'), schema };
}

function add(entries: Map<number, Entry>, entry: Entry): void {
  const other = entries.get(entry.id);
  if (other !== undefined && other.fingerprint !== entry.fingerprint) {
    throw new SchemaRegistryError(
      `Two schemas, ${other.name} and ${entry.name}, have the same id ${entry.id}: change the doc-free part of one of them.`,
    );
  }
  if (other === undefined) entries.set(entry.id, entry);
}

function idsByName(current: readonly RecordSchema[]): ReadonlyMap<string, number> {
  return new Map(current.map((schema) => [schema.name, entryOf(schema).id]));
}

function idOrThrow(ids: ReadonlyMap<string, number>, record: string): number {
  const id = ids.get(record);
  if (id === undefined) throw new SchemaRegistryError(`There is no schema named ${record}: add it to schemas/.`);
  return id;
}

function holdsAll(entries: ReadonlyMap<number, Entry>, wanted: readonly Entry[]): boolean {
  return wanted.every((entry) => entries.get(entry.id)?.fingerprint === entry.fingerprint);
}

function readRegistry(file: string): Registry {
  const stamp = stampOf(file);
  if (stamp === '') return { entries: new Map(), stamp };
  try {
    const entries = new Map<number, Entry>();
    for (const stored of registryFile.parse(JSON.parse(fs.readFileSync(file, 'utf8'))).schemas) {
      const entry = entryOf(stored.schema);
      if (entry.id !== stored.id || entry.fingerprint !== stored.fingerprint) {
        throw new SchemaRegistryError(`schema ${stored.name} does not have its own fingerprint`);
      }
      add(entries, entry);
    }
    return { entries, stamp };
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    throw new SchemaRegistryError(
      `${file}: cannot be used as schema registry (${reason}). Restore it from a backup; ` +
        'deleting it is safe only if no older version of redactory has written to this folder.',
    );
  }
}

/** Adds to the file under its lock: read again, merge, write beside it, rename. */
function register(file: string, wanted: readonly Entry[]): Registry {
  fs.mkdirSync(path.dirname(file), { recursive: true, mode: 0o700 });
  return withLock(`${file}.lock`, () => {
    const entries = new Map(readRegistry(file).entries);
    for (const entry of wanted) add(entries, entry);
    const text = JSON.stringify({ version: 1, schemas: [...entries.values()] }, null, 1);
    const temporary = `${file}.${process.pid}.tmp`;
    const handle = fs.openSync(temporary, 'w', 0o600);
    try {
      fs.writeFileSync(handle, `${text}\n`);
      fs.fsyncSync(handle);
    } finally {
      fs.closeSync(handle);
    }
    fs.renameSync(temporary, file);
    return { entries, stamp: stampOf(file) };
  });
}

/** A lock is held for some milliseconds; one this old was left by a process that died. */
const STALE_LOCK_MS = 5_000;
const LOCK_STEP_MS = 5;
const LOCK_STEPS = 4_000;

function withLock<T>(lock: string, work: () => T): T {
  const pause = new Int32Array(new SharedArrayBuffer(4));
  for (let step = 0; !tryLock(lock); step++) {
    if (step === LOCK_STEPS)
      throw new SchemaRegistryError(`${lock}: held for too long. Remove it if nothing runs here.`);
    removeIfStale(lock);
    Atomics.wait(pause, 0, 0, LOCK_STEP_MS);
  }
  try {
    return work();
  } finally {
    fs.rmSync(lock, { force: true });
  }
}

function tryLock(lock: string): boolean {
  try {
    fs.closeSync(fs.openSync(lock, 'wx', 0o600));
    return true;
  } catch (error) {
    if (isErrno(error, 'EEXIST')) return false;
    throw new SchemaRegistryError(
      `${lock}: cannot be made (${errnoOf(error)}). Check that its folder may be written to.`,
    );
  }
}

function removeIfStale(lock: string): void {
  const stats = fs.statSync(lock, { throwIfNoEntry: false });
  if (stats !== undefined && Date.now() - stats.mtimeMs > STALE_LOCK_MS) fs.rmSync(lock, { force: true });
}

function stampOf(file: string): string {
  const stats = fs.statSync(file, { throwIfNoEntry: false });
  return stats === undefined ? '' : `${stats.ino}/${stats.size}/${stats.mtimeMs}`;
}

function errnoOf(error: unknown): string {
  return error instanceof Error && 'code' in error ? String(error.code) : 'unknown error';
}

function isErrno(error: unknown, code: string): boolean {
  return errnoOf(error) === code;
}
