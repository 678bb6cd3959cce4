import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { loadConfig } from '../../src/config.ts';
import type { KafkaOptions } from '../../src/log/kafka/options.ts';
import { kafkaOptions } from '../../src/runtime/kafka-options.ts';

let dir: string;
beforeEach(async () => {
  dir = await mkdtemp(join(tmpdir(), 'redactory-kafka-options-'));
});
afterEach(() => rm(dir, { recursive: true }));

async function optionsOf(
  yaml: string,
  role: 'producer' | 'sanitizer' | 'sink' | 'operator',
  env: Readonly<Record<string, string>> = {},
): Promise<KafkaOptions> {
  await writeFile(join(dir, 'redactory.yaml'), yaml);
  return kafkaOptions(await loadConfig({ env, cwd: dir }), env, role);
}

const TWO_USERS = `kafka:
  brokers: [a:1]
  sasl: { mechanism: scram-sha-512, username: all }
  identities:
    sink: { username: reader, passwordFile: reader.secret }
`;

describe('kafkaOptions', () => {
  it('signs in as the identity of its role, and else as everybody', async () => {
    await writeFile(join(dir, 'reader.secret'), 'pw-reader\n', { mode: 0o600 });
    const env = { REDACTORY_KAFKA_PASSWORD: 'pw-all' };
    const sink = (await optionsOf(TWO_USERS, 'sink', env)).sasl;
    const sanitizer = (await optionsOf(TWO_USERS, 'sanitizer', env)).sasl;
    if (sink?.mechanism !== 'scram-sha-512' || sanitizer?.mechanism !== 'scram-sha-512') throw new Error('no scram');
    expect([sink.username, await sink.password()]).toEqual(['reader', 'pw-reader']);
    expect([sanitizer.username, await sanitizer.password()]).toEqual(['all', 'pw-all']);
  });

  it('says which key is missing when nothing holds the password', async () => {
    const { sasl } = await optionsOf(TWO_USERS, 'producer');
    if (sasl?.mechanism !== 'scram-sha-512') throw new Error('no scram');
    await expect(sasl.password()).rejects.toThrow(/kafka\.identities\.producer.*REDACTORY_KAFKA_PASSWORD/u);
  });

  it('reads the token again each time', async () => {
    const yaml = 'kafka:\n  brokers: [a:1]\n  tls: {}\n  sasl: { mechanism: oauthbearer, tokenFile: token }\n';
    const { sasl, tls } = await optionsOf(yaml, 'operator');
    expect(tls).toEqual({});
    if (sasl?.mechanism !== 'oauthbearer') throw new Error('no oauthbearer');
    for (const token of ['first', 'second']) {
      await writeFile(join(dir, 'token'), `${token}\n`, { mode: 0o600 });
      expect(await sasl.token()).toBe(token);
    }
  });

  it('needs a cluster', async () => {
    await expect(optionsOf('data: d\n', 'operator')).rejects.toThrow(/add a `kafka` section/u);
  });
});
