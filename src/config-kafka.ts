import * as z from 'zod';
import { COMPRESSIONS } from './log/kafka/options.ts';

/** Who acts on the cluster: each part of the line, with rights of its own. */
export const ROLES = ['producer', 'gateway', 'sanitizer', 'sink', 'steward', 'operator'] as const;
export type Role = (typeof ROLES)[number];

const count = (min: number, max: number, text: string): z.ZodInt => z.int().min(min).max(max).describe(text);
const path = (text: string): z.ZodString => z.string().min(1).max(4_096).describe(text);
const name = (text: string): z.ZodString => z.string().min(1).max(255).describe(text);

const credentials = {
  username: name('User name; all but `oauthbearer`.').optional(),
  passwordFile: path(
    'File that holds the password; all but `oauthbearer`. Without it: `REDACTORY_KAFKA_PASSWORD`.',
  ).optional(),
  tokenFile: path(
    '`oauthbearer`: file that holds the token, read again whenever a connection asks for one.',
  ).optional(),
};

// oxlint-disable-next-line typescript/explicit-function-return-type -- the schema is the type
const identity = (text: string) =>
  z
    .strictObject({
      principal: name('As ACLs name it; without it `User:` and the user name.').optional(),
      ...credentials,
    })
    .describe(text)
    .optional();

/** The `kafka` section of the config file. */
export const kafkaSchema = z.strictObject({
  brokers: z
    .array(z.string().regex(/^(?:\[[0-9a-fA-F:.]+\]|[^\s:/]+):\d{1,5}$/u, 'must be `host:port`'))
    .min(1)
    .max(64)
    .describe('Brokers to ask first, `host:port`.'),
  clientId: name('As which the cluster logs this process.').default('redactory'),
  rack: name('Rack of this process: reads go to a replica there.').optional(),
  tls: z
    .strictObject({
      caFile: path("PEM file of the certificate authorities to trust; without it the system's.").optional(),
      certFile: path('PEM file of the client certificate.').optional(),
      keyFile: path('PEM file of its key.').optional(),
    })
    .describe("Encrypts connections; `tls: {}` does with the system's authorities. Without it: plain text.")
    .optional(),
  sasl: z
    .strictObject({
      mechanism: z
        .enum(['plain', 'scram-sha-256', 'scram-sha-512', 'oauthbearer'])
        .describe('`plain` and `oauthbearer` only with `tls`.'),
      ...credentials,
    })
    .describe('How commands sign in, unless `identities` has one for their part. Without it: not at all.')
    .optional(),
  identities: z
    .strictObject({
      producer: identity(
        '`simulate` and `import`: writes raw, reads the public sealing keys (who is enrolled by the way is written as the operator).',
      ),
      gateway: identity(
        '`gateway`: writes raw, reads consent, erasures, device tokens and the public sealing keys, writes the decisions that people make there.',
      ),
      sanitizer: identity('`sanitize`, `replay`, `inspect raw`: reads raw and the keyring, writes what is released.'),
      sink: identity('`sink`, `inspect sanitized`: reads what is released.'),
      steward: identity(
        '`steward`: reads whose a session is and the keyring, never raw; tells people what was kept of them, and erases it.',
      ),
      operator: identity(
        '`topics`, `consent`, `keys`, `devices`, `inspect quarantine`: creates topics, decides, makes keys.',
      ),
    })
    .describe(
      'A user for each part of the line, with no more rights than that needs (`redactory topics plan`). They sign in by the mechanism of `sasl`.',
    )
    .optional(),
  compression: z
    .enum(COMPRESSIONS)
    .describe('Of record batches on the wire and on disk; payloads are packed already.')
    .default('none'),
  instance: z
    .string()
    .regex(/^[a-zA-Z0-9._-]{1,200}$/u, 'must be letters, digits, dots, dashes')
    .describe(
      'Name of this process in its groups, unique among running ones: a restart within `sessionTimeoutMs` gets its partitions back without a rebalance. Without it: none.',
    )
    .optional(),
  sessionTimeoutMs: count(6_000, 1_800_000, 'A worker that is silent for so long loses its partitions.').default(
    30_000,
  ),
  transactionTimeoutMs: count(
    1_000,
    900_000,
    'The cluster ends a transaction that is open for so long; less than `sessionTimeoutMs`.',
  ).default(20_000),
  requestTimeoutMs: count(1_000, 300_000, 'One request may take so long.').default(30_000),
  replicationFactor: count(
    1,
    32,
    "Of topics that `topics apply` creates; without it the cluster's default.",
  ).optional(),
});

export type KafkaSettings = z.output<typeof kafkaSchema>;

/** What is wrong between keys of the section, by key; the schema has checked each alone. */
export function checkKafka(kafka: KafkaSettings): { readonly path: readonly string[]; readonly message: string }[] {
  const issues: { readonly path: readonly string[]; readonly message: string }[] = [];
  const refuse = (at: readonly string[], message: string): void => void issues.push({ path: at, message });
  const { tls, sasl, identities } = kafka;
  if (kafka.transactionTimeoutMs >= kafka.sessionTimeoutMs) {
    refuse(
      ['transactionTimeoutMs'],
      'must be less than sessionTimeoutMs: a lost worker must not hold a transaction open',
    );
  }
  if (tls !== undefined && (tls.certFile === undefined) !== (tls.keyFile === undefined)) {
    refuse(['tls'], 'certFile and keyFile go together');
  }
  if (identities !== undefined && sasl === undefined && tls?.certFile === undefined) {
    refuse(['identities'], 'users sign in by the mechanism of `sasl`: say which');
  }
  if (sasl === undefined) return issues;
  if (tls === undefined && (sasl.mechanism === 'plain' || sasl.mechanism === 'oauthbearer')) {
    refuse(['sasl', 'mechanism'], `${sasl.mechanism} sends its secret as it is: add \`tls\`, or use a scram mechanism`);
  }
  const users = [
    [['sasl'], sasl] as const,
    ...ROLES.map((role) => [['identities', role], identities?.[role]] as const),
  ];
  for (const [at, user] of users) {
    if (user === undefined) continue;
    if (
      sasl.mechanism === 'oauthbearer' &&
      user.tokenFile === undefined &&
      (at[0] !== 'sasl' || identities === undefined)
    ) {
      refuse(at, 'oauthbearer needs a tokenFile');
    }
    if (
      sasl.mechanism !== 'oauthbearer' &&
      user.username === undefined &&
      (at[0] !== 'sasl' || identities === undefined)
    ) {
      refuse(at, `${sasl.mechanism} needs a username`);
    }
  }
  return issues;
}
