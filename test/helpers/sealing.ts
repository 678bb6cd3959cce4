/** A keyring with sealing keys, in memory, and the reading of raw topics that are sealed. */
import type { Codec } from '../../src/events/codec.ts';
import type { LogRecord } from '../../src/log/event-log.ts';
import { createKeyring, type KeyringTable } from '../../src/privacy/keyring.ts';
import { fixedWrapping } from '../../src/privacy/keys/wrapping.ts';
import { newSealingKeyPair } from '../../src/privacy/sealing/key-pair.ts';
import { createSealer, type Sealer } from '../../src/privacy/sealing/seal.ts';
import { createUnseal } from '../../src/runtime/unseal.ts';
import type { Workspace } from '../../src/runtime/workspace.ts';
import type { RawRecord } from '../../src/processors/stages.ts';
import { openRaw } from '../simulation/oracle.ts';

export interface SealingKit {
  readonly keyring: KeyringTable;
  /** A new key, which the keyring has. */
  addKey(): Promise<Sealer>;
  destroy(keyId: string): Promise<void>;
}

export function sealingKit(): SealingKit {
  const keyring = createKeyring({
    wrapping: fixedWrapping({ masterKey: new Uint8Array(32).fill(3), alsoOpens: [] }),
  });
  let offset = 0;
  return {
    keyring,
    async addKey() {
      const pair = await newSealingKeyPair();
      keyring.apply(await keyring.sealing.newEntry(pair, 0), offset++);
      await keyring.openKeys();
      return await createSealer(pair.publicKey);
    },
    async destroy(keyId) {
      for (const entry of keyring.sealing.destroyEntries(keyId, 0)) keyring.apply(entry, offset++);
      await keyring.openKeys();
    },
  };
}

/** The same record values, sealed. */
export async function sealValue(codec: Codec, sealer: Sealer, value: Uint8Array): Promise<Uint8Array> {
  const opened = codec.openEnvelope(value);
  if (!opened.ok) throw new Error(`the value to seal does not open: ${opened.reason}`);
  return codec.encodeEnvelope({ ...opened.value, ...(await sealer.seal(opened.value, opened.value.payload)) });
}

/** Raw records of a workspace as `openBatch` takes them: with the keys that only processors have. */
export async function unsealAll<R extends RawRecord>(
  workspace: Workspace,
  records: readonly R[],
): Promise<readonly R[]> {
  const tables = await workspace.controlTables(0);
  await tables.catchUp();
  return createUnseal({ ...workspace, keyring: tables.keyring, sealed: 'accepted' })(records);
}

/** What is in them. */
export async function openAllRaw(
  workspace: Workspace,
  records: readonly LogRecord[],
): Promise<readonly ReturnType<typeof openRaw>[]> {
  return (await unsealAll(workspace, records)).map((record) => openRaw(workspace.codec, record));
}
