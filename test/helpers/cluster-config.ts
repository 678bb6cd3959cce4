/** The config of a line on a cluster that signs its parts in, for commands in a folder. */
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { stringify } from 'yaml';
import { ROLES } from '../../src/config-kafka.ts';
import type { KafkaServer, User } from '../servers/kafka.ts';

/** Sections of a `redactory.yaml`. */
type Sections = Readonly<Record<string, unknown>>;

/** How each part signs in to a broker that was started with `security: 'scram'`. */
export function securedKafka({ brokers, access }: KafkaServer): Sections {
  if (access === undefined) throw new Error('the broker lets everybody in');
  const user = (username: User): Sections => ({ username, passwordFile: access.passwordFiles[username] });
  return {
    brokers,
    tls: { caFile: access.caFile },
    sasl: { mechanism: access.mechanism },
    identities: Object.fromEntries(ROLES.map((role) => [role, user(role)])),
  };
}

/** Puts a `redactory.yaml` into a folder; a section of JSON is one of YAML as well. */
export async function writeConfig(dir: string, sections: Sections): Promise<void> {
  await writeFile(join(dir, 'redactory.yaml'), stringify(sections));
}
