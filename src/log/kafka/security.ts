/** How connections are encrypted and signed in: kafkajs' `ssl` and `sasl` settings from {@link KafkaOptions}. */
import { open, type FileHandle } from 'node:fs/promises';
import { X509Certificate, createPrivateKey } from 'node:crypto';
import scramModule from 'kafkajs/src/broker/saslAuthenticator/scram.js';
import type { KafkaOptions, Sasl, TlsFiles } from './options.ts';

/** A file for TLS, a password or a token can't be used; the message says which and what to do, never what it holds. */
export class KafkaSecurityError extends Error {
  override name = 'KafkaSecurityError';
}

/** What kafkajs' connections take. */
export interface KafkaSecurity {
  readonly ssl?: TlsSettings;
  readonly sasl?: SaslSettings;
}

/** Options of `tls.connect`. */
export interface TlsSettings {
  readonly minVersion: 'TLSv1.2';
  readonly rejectUnauthorized: true;
  readonly ca?: string;
  readonly cert?: string;
  readonly key?: string;
}

export interface SaslSettings {
  readonly mechanism: string;
  readonly authenticationProvider: (to: AuthenticationTarget) => { authenticate(): Promise<void> };
}

/**
 * TLS and SASL for one connection. PEM files are read now, so that renewed certificates count from the next connection on;
 * passwords and tokens at each sign-in, which brokers may ask for again on an open connection (KIP-368).
 *
 * TLS is 1.2 or later, and the broker's certificate must be for the host name that it is reached by.
 *
 * @throws KafkaSecurityError when a file is missing, does not hold what it should, or, a key, is open to other users.
 */
export async function kafkaSecurity({ tls, sasl }: Pick<KafkaOptions, 'tls' | 'sasl'>): Promise<KafkaSecurity> {
  return {
    ...(tls === undefined ? {} : { ssl: await tlsSettings(tls) }),
    ...(sasl === undefined ? {} : { sasl: saslSettings(sasl) }),
  };
}

async function tlsSettings({ caFile, certFile, keyFile }: TlsFiles): Promise<TlsSettings> {
  return {
    minVersion: 'TLSv1.2',
    rejectUnauthorized: true,
    ...(caFile === undefined ? {} : { ca: await readCertificates(caFile, 'certificate authorities') }),
    ...(certFile === undefined ? {} : { cert: await readCertificates(certFile, 'client certificate') }),
    ...(keyFile === undefined ? {} : { key: await readKey(keyFile) }),
  };
}

async function readCertificates(path: string, what: string): Promise<string> {
  const pem = await readPem(path, what);
  try {
    void new X509Certificate(pem);
  } catch {
    throw new KafkaSecurityError(`${what} file ${path} holds no PEM certificate: name a file with a CERTIFICATE block`);
  }
  return pem;
}

async function readKey(path: string): Promise<string> {
  const pem = await readPem(path, 'client key', async (file) => {
    const { mode } = await file.stat();
    // Windows has no such mode bits; there the user's profile folder keeps others out.
    if (process.platform !== 'win32' && (mode & 0o007) !== 0) {
      throw new KafkaSecurityError(`client key file ${path} is open to all users: run \`chmod o= ${path}\``);
    }
  });
  try {
    createPrivateKey(pem);
  } catch {
    throw new KafkaSecurityError(
      `client key file ${path} holds no unencrypted PEM private key: name a file with a PRIVATE KEY block`,
    );
  }
  return pem;
}

async function readPem(path: string, what: string, check?: (file: FileHandle) => Promise<void>): Promise<string> {
  const file = await open(path, 'r').catch((error: unknown) => {
    const code = error instanceof Error && 'code' in error ? String(error.code) : 'unknown error';
    throw new KafkaSecurityError(`${what} file ${path} can't be read (${code}): check the path and the file's owner`);
  });
  try {
    const found = await file.stat();
    if (!found.isFile() || found.size > MAX_PEM_BYTES) {
      throw new KafkaSecurityError(`${what} file ${path} is not a PEM file: name another`);
    }
    await check?.(file);
    return await file.readFile('utf8');
  } finally {
    await file.close();
  }
}

/** The bundles of systems' authorities are a few hundred kilobytes. */
const MAX_PEM_BYTES = 8 * 1024 * 1024;

/** As kafkajs hands it to a provider. */
export interface AuthenticationTarget {
  readonly host: string;
  readonly port: number;
  readonly logger: unknown;
  /** One step of the exchange. Bytes in both directions begin with their length (int32). */
  readonly saslAuthenticate: <T>(step: {
    readonly request: { encode(): Promise<Buffer> };
    readonly response?: { decode(bytes: Buffer): Promise<unknown>; parse(decoded: unknown): Promise<T> };
  }) => Promise<T>;
}

function saslSettings(sasl: Sasl): SaslSettings {
  const mechanism = sasl.mechanism.toUpperCase();
  return { mechanism, authenticationProvider: (to) => ({ authenticate: () => signIn(sasl, to) }) };
}

async function signIn(sasl: Sasl, to: AuthenticationTarget): Promise<void> {
  if (sasl.mechanism === 'oauthbearer') return signInByToken(await sasl.token(), to);
  const { mechanism, username } = sasl;
  const password = await sasl.password();
  if (mechanism === 'plain') {
    // RFC 4616: no other identity to act as, the user, the password.
    await exchange(to, Buffer.from(`\0${username}\0${password}`));
    return;
  }
  const digest = mechanism === 'scram-sha-256' ? DIGESTS.SHA256 : DIGESTS.SHA512;
  await new SCRAM({ username, password }, to.host, to.port, QUIET, to.saslAuthenticate, digest).authenticate();
}

/** RFC 7628, as Kafka's OAuthBearerSaslServer takes it. */
async function signInByToken(token: string, to: AuthenticationTarget): Promise<void> {
  if (!BEARER_TOKEN.test(token)) {
    throw new KafkaSecurityError(
      'the token for Kafka is not one line of a bearer token (RFC 6750): check what writes its file',
    );
  }
  const refusal = await exchange(to, Buffer.from(`n,,\u0001auth=Bearer ${token}\u0001\u0001`));
  // A refused token is answered with the reason in JSON; the broker says no only to the next step.
  if (refusal.byteLength > 0) await exchange(to, Buffer.from('\u0001'));
}

/** RFC 6750, 2.1: b64token. */
const BEARER_TOKEN = /^[A-Za-z0-9\-._~+/]+=*$/u;

async function exchange(to: AuthenticationTarget, message: Buffer): Promise<Buffer> {
  return to.saslAuthenticate({
    request: {
      encode: async () => {
        const length = Buffer.alloc(LENGTH_BYTES);
        length.writeInt32BE(message.byteLength);
        return Buffer.concat([length, message]);
      },
    },
    response: {
      decode: async (bytes) => bytes,
      // What `decode` above returned.
      parse: async (decoded) => (decoded as Buffer).subarray(LENGTH_BYTES),
    },
  });
}

const LENGTH_BYTES = 4;

/** kafkajs logs here what the broker says; the error that follows is reported by the adapter. */
const QUIET = { debug: (): void => {}, error: (): void => {} };

// The module has no types: `checkShape` below guards the cast.
const { SCRAM, DIGESTS } = scramModule as {
  readonly SCRAM: new (
    user: { readonly username: string; readonly password: string },
    host: string,
    port: number,
    logger: typeof QUIET,
    saslAuthenticate: AuthenticationTarget['saslAuthenticate'],
    digest: object,
  ) => { authenticate(): Promise<void> };
  readonly DIGESTS: { readonly SHA256: object; readonly SHA512: object };
};

function checkShape(): void {
  if (typeof SCRAM === 'function' && typeof DIGESTS?.SHA256 === 'object' && typeof DIGESTS.SHA512 === 'object') return;
  throw new Error(
    "kafkajs does not have 'broker/saslAuthenticator/scram' as expected. Install the version that package.json names (npm ci).",
  );
}

checkShape();
