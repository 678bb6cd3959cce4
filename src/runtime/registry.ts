/**
 * Schema ids and schemas from a Confluent-compatible registry, in place of the local file.
 *
 * The codec is synchronous, so what it needs is fetched before: {@link withRemoteSchemas} looks at the records of each read.
 * What the codec then asks for all the same (a payload's schema is named inside of compressed bytes) makes it throw while it
 * is fetched ({@link processWhenKnown}). So a record is without a schema only if the registry has said so, more than once.
 */
import { setTimeout as realDelay } from 'node:timers/promises';
import type { Schema } from 'avsc';
import * as z from 'zod';
import type { Role } from '../config-kafka.ts';
import { DEFAULT_LIMITS } from '../events/limits.ts';
import { fingerprintOf, loadContracts, readRecordSchema, schemaIds, SchemaRegistryError } from '../events/schemas.ts';
import type { RecordSchema, SchemaIds } from '../events/schemas.ts';
import { asBuffer } from '../events/avro.ts';
import { readWireHeader } from '../events/wire.ts';
import type { EventLog, Fetched } from '../log/event-log.ts';
import { MAX_SOCKETS, registryClient, RegistryUnavailableError } from './registry-client.ts';
import type { Answer, RegistryAccess, RegistryClient } from './registry-client.ts';
import { prepareSubject, refused, schemasOf, subjectsOf, WRITTEN_BY } from './registry-subjects.ts';

export { RegistryUnavailableError } from './registry-client.ts';

export interface RemoteSchemas extends SchemaIds {
  /**
   * Fetches what is not known of these ids.
   *
   * @throws RegistryUnavailableError when the registry is away; what is known stays known.
   * @throws SchemaRegistryError when the registry does not let this user in.
   */
  resolve(ids: Iterable<number>): Promise<void>;
  close(): void;
}

export interface RemoteSchemaOptions extends RegistryAccess {
  /** Parts of the line that this process is: what they write is registered. */
  readonly roles: readonly Role[];
  /** Subject by record name; by default, those of the usual topics ({@link subjectsOf}). */
  readonly subjects?: Readonly<Record<string, string>>;
  /** false: schemas are looked up and never registered. By default true. */
  readonly register?: boolean;
  /** Ids of records that were written without a registry: read as well. By default, those of the contracts. */
  readonly local?: SchemaIds;
  readonly contracts?: readonly RecordSchema[];
  /** Told of an id that the registry does not know: records that name it are quarantined. */
  readonly onUnknown?: (id: number) => void;
  readonly now?: () => number;
}

/** Ours, together; an id that is read is never forgotten, so there is a bound beyond which nothing more is read. */
const MAX_SCHEMAS = 1_024;
const MAX_SCHEMA_BYTES = 65_536;
const MAX_TOTAL_BYTES = 16 * 1024 * 1024;
/** Ids of schemas that are not ours, or of none. Larger than any read, so that what was just asked is still there. */
const MAX_OTHERS = 65_536;
/** A registry may be behind for a moment what another of its servers has given out: unknown is what stays so. */
const UNKNOWN_PAUSES_MS = [0, 250, 750, 2_000];
/** An unknown id may be given out later; until then it is not asked for again with each record. */
const UNKNOWN_MS = 60_000;
/** Versions of the payload that are fetched at start. */
const MAX_AHEAD = 64;

/**
 * Sees to it that the schemas which this process writes stand in the registry, under BACKWARD_TRANSITIVE, and opens it for
 * reading.
 *
 * @throws SchemaRegistryError when a schema does not fit the versions there, or the registry cannot be used as it is.
 * @throws RegistryUnavailableError when it gives no answer.
 */
export async function openRemoteSchemas(options: RemoteSchemaOptions): Promise<RemoteSchemas> {
  const client = await registryClient(options);
  try {
    const contracts = options.contracts ?? loadContracts();
    const schemas = new Remote(client, contracts, options);
    await schemas.refuseCollisions();
    await schemas.prepare();
    await schemas.readAhead();
    return schemas;
  } catch (error) {
    client.close();
    throw error;
  }
}

/** The same log, whose reads end when the schemas of their records are known, or are known not to be. */
export function withRemoteSchemas(log: EventLog, schemas: RemoteSchemas): EventLog {
  return {
    createTopics: (specs) => log.createTopics(specs),
    partitions: (topic) => log.partitions(topic),
    append: (topic, records) => log.append(topic, records),
    beginOffsets: (topic) => log.beginOffsets(topic),
    endOffsets: (topic) => log.endOffsets(topic),
    highWatermarks: (topic) => log.highWatermarks(topic),
    offsetForTime: (at, timestamp) => log.offsetForTime(at, timestamp),
    committed: (group, at) => log.committed(group, at),
    transactional: (id) => log.transactional(id),
    join: (group, topic) => log.join(group, topic),
    clean: (now) => log.clean(now),
    close: () => log.close(),
    async read(request) {
      const fetched = await log.read(request);
      const isResolved = await orAborted(schemas.resolve(idsIn(fetched)), request.signal);
      // As if nothing had come: records whose schemas are not there yet cannot be read.
      return isResolved ? fetched : { records: [], nextOffset: request.offset, endOffset: fetched.endOffset };
    },
  };
}

function idsIn({ records }: Fetched): ReadonlySet<number> {
  const ids = new Set<number>();
  for (const { value } of records) {
    const id = value === null ? undefined : readWireHeader(asBuffer(value));
    if (id !== undefined) ids.add(id);
  }
  return ids;
}

/** Whether the work came to its end; false when the signal came first. */
async function orAborted(work: Promise<void>, signal: AbortSignal | undefined): Promise<boolean> {
  if (signal === undefined) return work.then(() => true);
  let stop = (): void => undefined;
  const aborted = new Promise<boolean>((resolve) => {
    stop = () => resolve(false);
    signal.addEventListener('abort', stop);
    if (signal.aborted) stop();
  });
  try {
    return await Promise.race([work.then(() => true), aborted]);
  } finally {
    signal.removeEventListener('abort', stop);
  }
}

class Remote implements RemoteSchemas {
  readonly #client: RegistryClient;
  readonly #options: RemoteSchemaOptions;
  readonly #local: SchemaIds;
  readonly #contracts: ReadonlyMap<string, RecordSchema>;
  /** Full names of records that are ours. */
  readonly #names: ReadonlySet<string>;
  /** Ids to write with. */
  readonly #ids = new Map<string, number>();
  readonly #known = new Map<number, RecordSchema>();
  #knownBytes = 0;
  /** Schemas that are not ours. */
  readonly #foreign = new Map<number, true>();
  /** Ids of no schema, with when they were said to be. */
  readonly #unknown = new Map<number, number>();
  readonly #asking = new Map<number, Promise<void>>();

  constructor(client: RegistryClient, contracts: readonly RecordSchema[], options: RemoteSchemaOptions) {
    this.#client = client;
    this.#options = options;
    this.#local = options.local ?? schemaIds(contracts);
    this.#contracts = new Map(contracts.map((schema) => [schema.name, schema]));
    this.#names = new Set(contracts.map(fullName));
  }

  idOf(record: string): number {
    // What this process does not write has an id that every reader knows.
    return this.#ids.get(record) ?? this.#local.idOf(record);
  }

  schemaOf(id: number): Schema | undefined {
    const known = this.#known.get(id) as Schema | undefined; // readRecordSchema has had avsc check it
    const schema = known ?? this.#local.schemaOf(id);
    if (schema !== undefined || id <= 0 || this.#isSettled(id)) return schema;
    this.#start([id]);
    const asked = this.#asking.get(id);
    // Whoever needs the schema waits for it; nobody else has to hear of a registry that is away.
    asked?.catch(() => undefined);
    throw new RegistryUnavailableError(`Schema ${id} of ${this.#client.name} is being fetched.`, asked);
  }

  async resolve(ids: Iterable<number>): Promise<void> {
    const open = [...new Set(ids)].filter((id) => id > 0 && !this.#isSettled(id));
    this.#start(open);
    await Promise.all(new Set(open.flatMap((id) => this.#asking.get(id) ?? [])));
  }

  /** Each id that is not asked for already. */
  #start(ids: readonly number[]): void {
    const fresh = ids.filter((id) => !this.#asking.has(id));
    if (fresh.length === 0) return;
    const asked = this.#settle(fresh).finally(() => {
      for (const id of fresh) this.#asking.delete(id);
    });
    for (const id of fresh) this.#asking.set(id, asked);
  }

  close(): void {
    this.#client.close();
  }

  /**
   * Ids of the local kind must not stand for anything else here. They are 31 bits of a hash and a registry counts from 1, so
   * this never happens by itself.
   */
  async refuseCollisions(): Promise<void> {
    for (const schema of this.#contracts.values()) {
      const id = this.#local.idOf(schema.name);
      const answer = await this.#ask(id);
      const other = answer === undefined ? undefined : this.#read(answer, id).schema;
      if (answer === undefined || (other !== undefined && fingerprintOf(other) === fingerprintOf(schema))) continue;
      throw new SchemaRegistryError(
        `The schema registry at ${this.#client.name} has given the id ${id}, which stands for ${schema.name} without a registry, to another schema: use a registry (or context) of its own.`,
      );
    }
  }

  /** Registers, or looks up, what this process writes. */
  async prepare(): Promise<void> {
    const { roles, subjects = subjectsOf(), register = true } = this.#options;
    for (const record of new Set(roles.flatMap((role) => WRITTEN_BY[role]))) {
      const schema = this.#contracts.get(record);
      const subject = subjects[record];
      if (schema === undefined || subject === undefined)
        throw new SchemaRegistryError(`There is no subject for ${record}.`);
      const id = await prepareSubject(this.#client, { subject, schema, register });
      await this.#checkOwn(id, schema, subject);
      this.#ids.set(record, id);
    }
  }

  /** Others decode by what the registry has under the id, not by what was sent to it. */
  async #checkOwn(id: number, schema: RecordSchema, subject: string): Promise<void> {
    const local = this.#local.schemaOf(id) as RecordSchema | undefined; // contracts are records
    if (local === undefined) await this.resolve([id]);
    const stored = local ?? this.#known.get(id);
    if (stored !== undefined && fingerprintOf(stored) === fingerprintOf(schema)) return;
    throw new SchemaRegistryError(
      `The schema registry at ${this.#client.name} gives another schema for id ${id} than it took under ${subject}: nothing can be written with it. See that the registry answers for itself (no cache or other registry in between).`,
    );
  }

  /** The payload's versions: their ids are inside of compressed bytes, where no read sees them. */
  async readAhead(): Promise<void> {
    const subject = (this.#options.subjects ?? subjectsOf())['CapturePayload'];
    if (subject === undefined) return;
    for (const { id, body } of await schemasOf(this.#client, subject, MAX_AHEAD)) {
      if (!this.#isSettled(id)) this.#take(id, body);
    }
  }

  #isSettled(id: number): boolean {
    const said = this.#unknown.get(id);
    if (said !== undefined) return (this.#options.now ?? Date.now)() - said < UNKNOWN_MS;
    return this.#known.has(id) || this.#foreign.has(id) || this.#local.schemaOf(id) !== undefined;
  }

  /** Asks until each is known, or was unknown every time. */
  async #settle(ids: readonly number[]): Promise<void> {
    const { delay = async (ms: number) => realDelay(ms), now = Date.now, onUnknown } = this.#options;
    let open = ids;
    for (const pause of UNKNOWN_PAUSES_MS) {
      if (pause > 0) await delay(pause);
      open = await this.#fetch(open);
      if (open.length === 0) return;
    }
    for (const id of open) {
      put(this.#unknown, id, now());
      onUnknown?.(id);
    }
  }

  /** @returns those that the registry does not know. */
  async #fetch(ids: readonly number[]): Promise<readonly number[]> {
    const missing: number[] = [];
    for (let at = 0; at < ids.length; at += MAX_SOCKETS) {
      const some = ids.slice(at, at + MAX_SOCKETS);
      const answers = await Promise.all(some.map(async (id) => ({ id, answer: await this.#ask(id) })));
      for (const { id, answer } of answers) {
        if (answer === undefined) missing.push(id);
        else this.#take(id, answer.body);
      }
    }
    return missing;
  }

  /** @returns undefined when the registry says that there is no such schema. */
  async #ask(id: number): Promise<Answer | undefined> {
    const answer = await this.#client.ask('GET', `/schemas/ids/${id}`);
    if (answer.code === 40403) return undefined;
    if (answer.status === 401 || answer.status === 403) throw refused(this.#client, `schema ${id}`);
    if (answer.status !== 200) throw noSense(this.#client, id);
    return answer;
  }

  #take(id: number, body: unknown): void {
    const { schema, bytes } = this.#read({ body }, id);
    if (schema === undefined) put(this.#foreign, id, true);
    else {
      if (this.#known.size >= MAX_SCHEMAS || this.#knownBytes + bytes > MAX_TOTAL_BYTES) {
        throw new SchemaRegistryError(
          `The schema registry at ${this.#client.name} has more than ${MAX_SCHEMAS} versions of our schemas: use one of its own.`,
        );
      }
      this.#known.set(id, schema);
      this.#knownBytes += bytes;
    }
    this.#unknown.delete(id);
  }

  /** A schema that is not one of our records, or too large for one, is as good as none. */
  #read(
    { body }: Pick<Answer, 'body'>,
    id: number,
  ): { readonly schema: RecordSchema | undefined; readonly bytes: number } {
    // An answer without a body was too large.
    if (body === undefined) return { schema: undefined, bytes: 0 };
    const parsed = schemaAnswer.safeParse(body);
    if (!parsed.success) throw noSense(this.#client, id);
    const { schema: text, schemaType, references } = parsed.data;
    const bytes = Buffer.byteLength(text);
    const isPlain = (schemaType ?? 'AVRO') === 'AVRO' && (references ?? []).length === 0 && bytes <= MAX_SCHEMA_BYTES;
    const schema = isPlain ? readRecordSchema(parseJson(text), DEFAULT_LIMITS) : undefined;
    return { schema: schema !== undefined && this.#names.has(fullName(schema)) ? schema : undefined, bytes };
  }
}

/** https://docs.confluent.io/platform/current/schema-registry/develop/api.html#get--schemas-ids-int-%20id */
const schemaAnswer = z.looseObject({
  schema: z.string(),
  schemaType: z.string().nullish(),
  references: z.array(z.unknown()).nullish(),
});

const noSense = (client: RegistryClient, id: number): RegistryUnavailableError =>
  new RegistryUnavailableError(`The schema registry at ${client.name} gives no schema for id ${id}, and no reason.`);

const fullName = ({ name, namespace }: RecordSchema): string =>
  namespace === undefined ? name : `${namespace}.${name}`;

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

/** Forgets the oldest beyond {@link MAX_OTHERS}. */
function put<V>(map: Map<number, V>, id: number, value: V): void {
  map.delete(id);
  map.set(id, value);
  const oldest = map.size > MAX_OTHERS ? map.keys().next() : undefined;
  if (oldest?.done === false) map.delete(oldest.value);
}
