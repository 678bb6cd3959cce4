import type { Command } from 'commander';
import type { KeyringTable } from '../privacy/keyring.ts';
import { audited } from '../runtime/audit.ts';
import { expelOverwritten } from '../runtime/keyring-changes.ts';
import { RunError } from '../runtime/run-error.ts';
import { makeSealingKey, openSealingKeys, type SealingKeyTable } from '../runtime/sealing-keys.ts';
import {
  boundSealed,
  countSealed,
  destroySealingKey,
  SEALED_LATE_MS,
  type StillSealed,
} from '../runtime/sealing-retirement.ts';
import type { Workspace } from '../runtime/workspace.ts';
import { action, UsageError, withWorkspace, type CommandContext, type Io } from './io.ts';
import { whyOption, type Why } from './reason.ts';

/** The commands below `keys sealing`. */
export function sealingCommands(keys: Command, io: Io): void {
  const sealing = keys.command('sealing').description('the keys to which producers seal payloads, and which open them');
  sealing
    .command('list')
    .description('sealing keys, oldest first, with their public parts in --json')
    .addHelpText('after', '\nExample:\n  redactory keys sealing list --json')
    .action(action(io, (context) => withWorkspace(context, 'operator', (workspace) => list(context, workspace))));
  sealing
    .command('rotate')
    .description('make a new key, to which producers seal from now on; older ones open what was sealed to them')
    .addOption(whyOption())
    .addHelpText('after', '\nNothing has to be stopped.\n\nExample:\n  redactory keys sealing rotate')
    .action(
      action<Why>(io, (context, { why }) =>
        withWorkspace(context, 'operator', (workspace) => rotate(context, workspace, why)),
      ),
    );
  sealing
    .command('destroy')
    .argument('[key]', 'id of a key that has been followed by another')
    .description('destroy keys for good, once all raw that is sealed to them has expired')
    .option('--expired', 'every key of which nothing is left on the raw topic')
    .option('--force', 'although batches are left: nobody can read them any more')
    .option('--yes', 'do it; without this the command only says what it would do')
    .addOption(whyOption())
    .addHelpText(
      'after',
      '\nExamples:\n  redactory keys sealing destroy --expired --yes\n' +
        '  redactory keys sealing destroy 1f0e9c77ab34d2c8 --force',
    )
    .action(
      action<Destroy>(io, (context, own, args) =>
        withWorkspace(context, 'operator', (workspace) => destroy(context, workspace, own, args[0])),
      ),
    );
}

interface Destroy extends Why {
  readonly expired?: boolean;
  readonly force?: boolean;
  readonly yes?: boolean;
}

interface Listed {
  readonly keyId: string;
  /** `unpublished`: a private key whose making was broken off; nothing was ever sealed to it. */
  readonly state: 'sealing' | 'opening' | 'destroyed' | 'unpublished' | 'private key missing';
  readonly createdAt: number;
  readonly retiredAt: number | null;
  readonly publicKey: Uint8Array | null;
}

async function open(workspace: Workspace): Promise<{ keys: SealingKeyTable; keyring: KeyringTable }> {
  const tables = await workspace.controlTables(0);
  const keys = await openSealingKeys(workspace);
  // After the public keys: their private ones were on the keyring before them.
  await tables.catchUp();
  return { keys, keyring: tables.keyring };
}

function listed({ keys, keyring }: { keys: SealingKeyTable; keyring: KeyringTable }): Listed[] {
  const current = keys.current()?.keyId;
  const told = keys.all().map(({ keyId, createdAt, publicKey, state }): Listed => {
    const opens = keyring.sealing.state(keyId);
    const live = opens === 'missing' ? 'private key missing' : keyId === current ? 'sealing' : 'opening';
    const gone = state === 'destroyed' || opens === 'destroyed';
    return { keyId, state: gone ? 'destroyed' : live, createdAt, retiredAt: keys.retiredAt(keyId), publicKey };
  });
  const ids = new Set(told.map(({ keyId }) => keyId));
  const untold = keyring.sealing.entries().flatMap(({ keyId, state, createdAt }): Listed[] => {
    const unknown = { keyId, createdAt, retiredAt: null, publicKey: null };
    return ids.has(keyId) ? [] : [{ ...unknown, state: state === 'destroyed' ? state : 'unpublished' }];
  });
  return [...told, ...untold].toSorted((a, b) => a.createdAt - b.createdAt);
}

async function list(context: CommandContext, workspace: Workspace): Promise<void> {
  const all = listed(await open(workspace));
  const lines = all.map(({ keyId, state, createdAt, retiredAt }) => {
    const until = retiredAt === null ? '' : `, followed ${timeOf(retiredAt)}`;
    return `${keyId}  ${state.padEnd(10)} made ${timeOf(createdAt)}${until}`;
  });
  context.print(lines.length === 0 ? 'no sealing keys yet: the first is made on first use' : lines.join('\n'), {
    keys: all.map(({ createdAt, retiredAt, publicKey, ...key }) => ({
      ...key,
      createdAt: timeOf(createdAt),
      retiredAt: retiredAt === null ? null : timeOf(retiredAt),
      publicKey: publicKey === null ? null : Buffer.from(publicKey).toString('base64'),
    })),
  });
}

async function rotate(context: CommandContext, workspace: Workspace, why: string): Promise<void> {
  const { log, codec } = workspace;
  const { keyId, createdAt } = await audited(
    workspace.audit,
    { what: 'keys sealing rotate', why, about: {} },
    async () => {
      const tables = await workspace.controlTables(0);
      return makeSealingKey({ log, codec, tables, now: await workspace.trustedNow() });
    },
    (made) => ({ key: made.keyId }),
  );
  context.print(`payloads are sealed to ${keyId} from now on; older keys open what was sealed to them`, {
    keyId,
    createdAt: timeOf(createdAt),
  });
}

async function destroy(
  context: CommandContext,
  workspace: Workspace,
  own: Destroy,
  keyId: string | undefined,
): Promise<void> {
  if ((keyId === undefined) === (own.expired !== true)) throw new UsageError('name one key, or give --expired');
  if (own.expired === true && own.force === true) throw new UsageError('--force goes with the id of one key');
  const opened = await open(workspace);
  const stillSealed = await remaining(context, workspace, opened.keys);
  const keys = keyId === undefined ? listed(opened).filter(isFollowed) : [mayEnd(listed(opened), keyId)];
  const found = await Promise.all(
    keys.map(async (key) => ({ key, left: hasEnded(key) ? NOTHING : await stillSealed(key) })),
  );
  const ready = found.filter(({ left }) => left.batches === 0 || own.force === true);
  if (keyId !== undefined && ready.length === 0) throw stillNeeded(found, context.config.topics.retentionDays.raw);
  const ids = ready.map(({ key }) => key.keyId);
  const lost = ready.filter(({ left }) => left.batches > 0).map(({ left }) => ` ${lossOf(left)}`);
  if (own.yes !== true) {
    context.print(`would destroy ${named(ids)} for good.${lost.join('')} Add --yes to do it.`, {
      destroyed: [],
      wouldDestroy: ids,
    });
    return;
  }
  const batches = ready.reduce((sum, { left }) => sum + left.batches, 0);
  const about = { keys: ids.join(' '), count: ids.length, force: own.force === true, batches };
  await audited(workspace.audit, { what: 'keys sealing destroy', why: own.why, about }, async () => {
    for (const id of ids) {
      await destroySealingKey({ ...workspace, ...opened, keyId: id, now: workspace.now() });
    }
    // The wrapped keys' records go now, not at the next hour's cleaning.
    await expelOverwritten(workspace);
  });
  context.print(`destroyed ${named(ids)}.${lost.join('')}`, { destroyed: ids });
}

/** Nobody has ever had its public part, or it is gone; what of a destroyed key was left undone can be done at any time. */
const hasEnded = ({ state }: Listed): boolean => state === 'unpublished' || state === 'destroyed';
const NOTHING: StillSealed = { batches: 0, counted: true };

const isFollowed = ({ state }: Listed): boolean => state === 'opening' || state === 'unpublished';

/** @throws RunError for a key that is not known, or is the one in use. */
function mayEnd(all: readonly Listed[], keyId: string): Listed {
  const key = all.find((one) => one.keyId === keyId);
  if (key === undefined) {
    throw new RunError(`there is no sealing key ${keyId}: list them with \`redactory keys sealing list\``);
  }
  if (key.state !== 'sealing') return key;
  throw new RunError(
    `producers seal to ${keyId} now: make another first with \`redactory keys sealing rotate\`, and destroy this one ` +
      'when what is sealed to it has expired',
  );
}

/** How many raw batches only a key opens. */
async function remaining(
  { config }: CommandContext,
  { log, codec }: Workspace,
  keys: SealingKeyTable,
): Promise<(key: Listed) => Promise<StillSealed>> {
  if (config.kafka === null) {
    const counted = await countSealed(log, codec);
    return async ({ keyId }) => counted(keyId);
  }
  return ({ keyId }) => boundSealed(log, keys.retiredAt(keyId) ?? Number.MAX_SAFE_INTEGER - SEALED_LATE_MS);
}

function stillNeeded(found: readonly { key: Listed; left: StillSealed }[], retentionDays: number): RunError {
  const [first] = found;
  if (first === undefined) return new RunError('there is nothing to destroy');
  const { key, left } = first;
  const expires = (key.retiredAt ?? key.createdAt) + SEALED_LATE_MS + retentionDays * 86_400_000;
  return new RunError(
    `${lossOf(left)} Raw of that time expires about ${timeOf(expires)}; destroy the key then, or now with --force`,
  );
}

const lossOf = ({ batches, counted }: StillSealed): string =>
  `${counted ? '' : 'Up to '}${batches.toLocaleString('en')} batches on the raw topic are sealed to it and could never be read again, nor replayed.`;

const named = (ids: readonly string[]): string =>
  ids.length === 0 ? 'no sealing key' : `sealing key ${ids.join(', ')}`;
const timeOf = (ms: number): string => new Date(ms).toISOString();
