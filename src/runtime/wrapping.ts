/** What wraps the keyring's keys in this deployment, as config and environment say. */
import { stat } from 'node:fs/promises';
import { MASTER_KEY_VARIABLE, OLD_MASTER_KEY_VARIABLE, type Config, type TransitSettings } from '../config.ts';
import { beginRotation, finishRotation, parseKey, readMasterKeys } from '../privacy/keys/key-files.ts';
import { readSecretFile } from '../privacy/keys/secret-file.ts';
import { fixedWrapping, masterKeyWrapping, withOthers, type KeyWrapping } from '../privacy/keys/wrapping.ts';
import type { Rotation } from './keyring-changes.ts';
import type { Telemetry } from './telemetry.ts';
import type { TransitWrapping } from './wrapping/transit.ts';

type Environment = Readonly<Record<string, string | undefined>>;
type Watching = Pick<Telemetry, 'log' | 'retried'> | undefined;

/**
 * The service of `keys.transit`, else the master key of the environment, else of its file, which is made when missing unless
 * `checkNew` throws. With the service, a master key that is there still opens what it has wrapped.
 *
 * @throws KeyError
 */
export async function openWrapping(
  { keys }: Pick<Config, 'keys'>,
  env: Environment,
  options: {
    readonly checkNew: (path: string) => Promise<void>;
    readonly telemetry?: Watching;
    /** On the way back from the service: the master key wraps, the service only opens. */
    readonly toMasterKey?: boolean;
  },
): Promise<KeyWrapping> {
  const own = keyOf(env, MASTER_KEY_VARIABLE);
  const old = keyOf(env, OLD_MASTER_KEY_VARIABLE);
  if (keys.transit === null) {
    if (own.length === 0) await options.checkNew(keys.masterFile);
    const [first = await fileWrapping(keys.masterFile)] = own;
    return withOthers(first, old);
  }
  const toMasterKey = options.toMasterKey === true;
  const usesFile = own.length === 0 && (toMasterKey || (await stat(keys.masterFile).catch(() => null)) !== null);
  const master = usesFile ? [await fileWrapping(keys.masterFile)] : own;
  const service = await openTransit(keys.transit, options.telemetry);
  const [first, ...others] = toMasterKey ? [...master, service, ...old] : [service, ...master, ...old];
  return withOthers(first ?? service, others);
}

function keyOf(env: Environment, variable: string): KeyWrapping[] {
  const text = env[variable];
  return text === undefined ? [] : [fixedWrapping({ masterKey: parseKey(text, variable), alsoOpens: [] })];
}

/** Reads the key at once, so that what is wrong with its file is told at the start. */
async function fileWrapping(path: string): Promise<KeyWrapping> {
  const wrapping = masterKeyWrapping(() => readMasterKeys(path));
  await wrapping.currentId();
  return wrapping;
}

/** Loaded only where it is used. */
async function openTransit(settings: TransitSettings, telemetry: Watching): Promise<TransitWrapping> {
  const { transitWrapping } = await import('./wrapping/transit.ts');
  const { tokenFile, url, mount, key, caFile, namespace } = settings;
  return transitWrapping({
    url,
    mount,
    key,
    ...(caFile === undefined ? {} : { caFile }),
    ...(namespace === undefined ? {} : { namespace }),
    token: () => readSecretFile(tokenFile),
    onRetry: ({ attempt, reason }) => {
      telemetry?.log.warn('the service that wraps keys is asked again', { reason, count: attempt });
    },
  });
}

/**
 * How what wraps is replaced in this deployment: the key of the file by another one, the service's key by a new version.
 * Undefined where the environment holds the master key: who put it there replaces it.
 */
export function rotationOf({ keys }: Pick<Config, 'keys'>, wrapping: KeyWrapping): Rotation | undefined {
  const { transit, masterFile } = keys;
  if (transit !== null) return transitRotation(transit, wrapping);
  if (keys.masterVariable !== null) return undefined;
  let next = new Uint8Array();
  return {
    async begin() {
      next = Uint8Array.from(await beginRotation(masterFile));
      return wrapping;
    },
    finish: () => finishRotation(masterFile, next),
  };
}

function transitRotation(settings: TransitSettings, wrapping: KeyWrapping): Rotation {
  const withService = async (work: (service: TransitWrapping) => Promise<void>): Promise<void> => {
    const service = await openTransit(settings, undefined);
    try {
      await work(service);
    } finally {
      service.close();
    }
  };
  let newest = '';
  return {
    async begin() {
      await withService((service) => service.rotate());
      newest = await wrapping.currentId();
      return wrapping;
    },
    finish: () => withService((service) => service.removeBefore(newest)),
  };
}
