/** Which subject of a schema registry each contract has, and what is done there before a command may write. */
import * as z from 'zod';
import type { Role } from '../config-kafka.ts';
import { SchemaRegistryError } from '../events/schemas.ts';
import type { RecordSchema } from '../events/schemas.ts';
import { RegistryUnavailableError, shorten } from './registry-client.ts';
import type { Answer, RegistryClient } from './registry-client.ts';
import { TOPICS } from './topics.ts';

/**
 * Subject by record name. TopicNameStrategy, `<topic>-value`; a payload is inside of another record and no topic's value,
 * so its subject is its full name, as RecordNameStrategy has it.
 *
 * @param sanitized the topic that released batches are written to.
 */
export function subjectsOf(sanitized: string = TOPICS.sanitized): Readonly<Record<string, string>> {
  return {
    CaptureBatch: `${TOPICS.raw}-value`,
    CapturePayload: 'redactory.CapturePayload',
    ReleasedBatch: `${sanitized}-value`,
    QuarantineRecord: `${TOPICS.quarantine}-value`,
    ConsentDecision: `${TOPICS.consent}-value`,
    KeyringEntry: `${TOPICS.keyring}-value`,
    SealingKey: `${TOPICS.sealing}-value`,
    DeviceToken: `${TOPICS.devices}-value`,
    Erasure: `${TOPICS.erasures}-value`,
    PersonRequest: `${TOPICS.requests}-value`,
    SessionOwner: `${TOPICS.owners}-value`,
    AuditRecord: `${TOPICS.audit}-value`,
  };
}

/** What each part of the line writes, by record name. */
export const WRITTEN_BY: Readonly<Record<Role, readonly string[]>> = {
  producer: ['CaptureBatch', 'CapturePayload'],
  sanitizer: ['ReleasedBatch', 'QuarantineRecord', 'KeyringEntry', 'SealingKey', 'SessionOwner', 'AuditRecord'],
  gateway: ['CaptureBatch', 'CapturePayload', 'ConsentDecision', 'Erasure', 'PersonRequest'],
  sink: [],
  steward: ['Erasure', 'AuditRecord'],
  operator: ['ConsentDecision', 'KeyringEntry', 'SealingKey', 'DeviceToken', 'Erasure', 'PersonRequest', 'AuditRecord'],
};

const LEVEL = 'BACKWARD_TRANSITIVE';
/** Levels that promise what {@link LEVEL} does; one that promises more is left as it is. */
const ENOUGH: ReadonlySet<string> = new Set([LEVEL, 'FULL_TRANSITIVE']);

/**
 * Sees to it that a subject has its level of compatibility and the schema, which must be able to read all versions before
 * it.
 *
 * @param options.register false: nothing is changed at the registry; what is missing is an error.
 * @returns the schema's id.
 * @throws SchemaRegistryError, RegistryUnavailableError
 */
export async function prepareSubject(
  client: RegistryClient,
  options: { readonly subject: string; readonly schema: RecordSchema; readonly register: boolean },
): Promise<number> {
  const text = JSON.stringify(options.schema);
  await ensureLevel(client, options);
  const found = await lookUp(client, options.subject, text);
  for (const version of await versionsOf(client, options.subject)) {
    // What came after it was checked against it.
    if (found === undefined || version < found.version) await checkAgainst(client, options.subject, version, text);
  }
  if (found !== undefined) return found.id;
  if (!options.register) throw notRegistered(client, options);
  return register(client, options, text);
}

/** Ids and texts of a subject's versions, the newest `max` of them. */
export async function schemasOf(
  client: RegistryClient,
  subject: string,
  max: number,
): Promise<readonly { readonly id: number; readonly body: unknown }[]> {
  const found: { readonly id: number; readonly body: unknown }[] = [];
  for (const version of (await versionsOf(client, subject)).slice(-max)) {
    const answer = await client.ask('GET', `/subjects/${encodeURIComponent(subject)}/versions/${version}`);
    // Deleted since.
    if (answer.status === 404) continue;
    found.push({ id: read(client, answer, subject, registered).id, body: answer.body });
  }
  return found;
}

const MAX_INT = 0x7fffffff;
const registered = z.looseObject({ id: z.int().min(1).max(MAX_INT) });
const foundSchema = z.looseObject({ id: z.int().min(1).max(MAX_INT), version: z.int() });
const versions = z.array(z.int().min(1).max(MAX_INT)).max(10_000);
const levelSet = z.looseObject({ compatibilityLevel: z.string() });
const verdict = z.looseObject({
  is_compatible: z.boolean(),
  // Confluent's registry says `messages`, Apicurio's `reason`.
  messages: z.array(z.string()).nullish(),
  reason: z.string().nullish(),
});

async function ensureLevel(
  client: RegistryClient,
  { subject, register }: { readonly subject: string; readonly register: boolean },
): Promise<void> {
  const path = `/config/${encodeURIComponent(subject)}`;
  const level = await levelOf(client, subject);
  if (level !== undefined && ENOUGH.has(level)) return;
  const wanted = `The level of compatibility of ${subject} must be ${LEVEL}; it is ${level ?? 'not set'} at ${client.name}`;
  if (!register) throw new SchemaRegistryError(`${wanted}. Set it, or start once with a user that may.`);
  const answer = await client.ask('PUT', path, { compatibility: LEVEL });
  if (isRefused(answer)) {
    throw new SchemaRegistryError(`${wanted}, and this user may not change it: set it there, or let the user.`);
  }
  const now = await levelOf(client, subject);
  if (now !== LEVEL) throw new SchemaRegistryError(`${wanted}, also after it was set: set it there.`);
}

async function levelOf(client: RegistryClient, subject: string): Promise<string | undefined> {
  const answer = await client.ask('GET', `/config/${encodeURIComponent(subject)}`);
  return answer.status === 404 ? undefined : read(client, answer, subject, levelSet).compatibilityLevel.toUpperCase();
}

async function lookUp(
  client: RegistryClient,
  subject: string,
  schema: string,
): Promise<{ readonly id: number; readonly version: number } | undefined> {
  const answer = await client.ask('POST', `/subjects/${encodeURIComponent(subject)}`, { schema });
  return answer.status === 404 ? undefined : read(client, answer, subject, foundSchema);
}

/** Version numbers, rising; none when there is no such subject. */
async function versionsOf(client: RegistryClient, subject: string): Promise<readonly number[]> {
  const answer = await client.ask('GET', `/subjects/${encodeURIComponent(subject)}/versions`);
  return answer.status === 404 ? [] : read(client, answer, subject, versions).toSorted((a, b) => a - b);
}

/** One by one, since not every registry says of which version it speaks when it is asked about all. */
async function checkAgainst(client: RegistryClient, subject: string, version: number, schema: string): Promise<void> {
  const path = `/compatibility/subjects/${encodeURIComponent(subject)}/versions/${version}?verbose=true`;
  const answer = await client.ask('POST', path, { schema });
  // Deleted since.
  if (answer.status === 404) return;
  const { is_compatible: isCompatible, messages, reason } = read(client, answer, subject, verdict);
  if (isCompatible) return;
  throw incompatible(subject, `version ${version} there`, messages?.join('; ') ?? reason ?? '');
}

async function register(
  client: RegistryClient,
  options: { readonly subject: string; readonly schema: RecordSchema },
  schema: string,
): Promise<number> {
  const answer = await client.ask('POST', `/subjects/${encodeURIComponent(options.subject)}/versions`, { schema });
  if (isRefused(answer)) throw notRegistered(client, options);
  if (answer.status === 409) throw incompatible(options.subject, 'a version there', answer.message);
  return read(client, answer, options.subject, registered).id;
}

const isRefused = ({ status }: Answer): boolean => status === 401 || status === 403;

/** @throws when the answer is not what was asked for. */
function read<T>(client: RegistryClient, answer: Answer, subject: string, shape: z.ZodType<T>): T {
  if (isRefused(answer)) throw refused(client, subject);
  if (answer.status >= 300) {
    throw new SchemaRegistryError(
      `The schema registry at ${client.name} refuses ${subject} (${answer.code ?? answer.status}): ${answer.message}`,
    );
  }
  const parsed = shape.safeParse(answer.body);
  if (parsed.success) return parsed.data;
  throw new RegistryUnavailableError(`The schema registry at ${client.name} sends what it should not, for ${subject}.`);
}

/** The user is not let in. */
export const refused = (client: RegistryClient, what: string): SchemaRegistryError =>
  new SchemaRegistryError(
    `The schema registry at ${client.name} does not let this user see ${what}: check registry.username, registry.passwordFile and the user's rights.`,
  );

const notRegistered = (
  client: RegistryClient,
  { subject, schema }: { readonly subject: string; readonly schema: RecordSchema },
): SchemaRegistryError =>
  new SchemaRegistryError(
    `The schema of ${schema.name} is not registered under ${subject} at ${client.name}, and this user may not register: start once with a user that may.`,
  );

const incompatible = (subject: string, version: string, said: string): SchemaRegistryError =>
  new SchemaRegistryError(
    `The schema for ${subject} cannot read ${version}, so nothing is started. The registry says: ${shorten(said) || 'nothing more'}. ` +
      'Use a version of redactory whose schemas fit, or a registry (or subject) of its own.',
  );
