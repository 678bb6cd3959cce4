import type { Command } from 'commander';
import { epochOf, type KeyListing } from '../privacy/keyring.ts';
import { isRotating } from '../privacy/keys/key-files.ts';
import type { KeyWrapping } from '../privacy/keys/wrapping.ts';
import { audited } from '../runtime/audit.ts';
import {
  destroyEpoch,
  expelOverwritten,
  livingKeys,
  openKeyring,
  rotateWrapping,
  wouldWrapAgain,
  wrapAgain,
} from '../runtime/keyring-changes.ts';
import type { Workspace } from '../runtime/workspace.ts';
import { openWrapping, rotationOf } from '../runtime/wrapping.ts';
import { action, UsageError, withWorkspace, type CommandContext, type Io } from './io.ts';
import { sealingCommands } from './keys-sealing.ts';
import { whyOption, type Why } from './reason.ts';

export function keysCommand(program: Command, io: Io): void {
  const keys = program
    .command('keys')
    .description('the keys behind pseudonyms, one a purpose and calendar month, and those that seal payloads');
  keys
    .command('list')
    .description('keys by epoch, without their values')
    .addHelpText('after', '\nExample:\n  redactory keys list --json')
    .action(action(io, (context) => withWorkspace(context, 'operator', (workspace) => list(context, workspace))));
  keys
    .command('rotate')
    .description(
      'a new master key (or version of the key of keys.transit) wraps every key; pseudonyms stay what they are',
    )
    .option('--dry-run', 'only say what would be done')
    .addOption(whyOption())
    .addHelpText(
      'after',
      '\nWorkers may go on. Ended half way, run it again: until it is done both keys open.\n\nExample:\n  redactory keys rotate',
    )
    .action(
      action<DryRun & Why>(io, (context, own) =>
        withWorkspace(context, 'operator', (workspace) => rotate(context, workspace, own)),
      ),
    );
  keys
    .command('rewrap')
    .description('wrap every key again by what the config names: after moving to a service, or to another master key')
    .option('--dry-run', 'only say what would be done')
    .option('--to-master-key', 'back from keys.transit, which only opens, to the master key; a file is made if need be')
    .addOption(whyOption())
    .addHelpText(
      'after',
      '\nGive what wraps from now on, and leave what wrapped until now in its place (docs/keys.md). Ended half way, run it again.\n\nExample:\n  redactory keys rewrap --config openbao.yaml',
    )
    .action(
      action<Rewrap>(io, (context, own) =>
        withWorkspace(context, 'operator', (workspace) => rewrap(context, workspace, own)),
      ),
    );
  keys
    .command('destroy')
    .argument('<epoch>', 'calendar month such as 2026-01')
    .description("destroy an epoch's keys: nobody can link its pseudonyms to a person any more, nor replay it")
    .option('--yes', 'do it; without this the command only says what it would do')
    .option('--no-rotate', 'leave the master key: then a backup of the keyring and the master key still open the epoch')
    .addOption(whyOption())
    .addHelpText('after', '\nExample:\n  redactory keys destroy 2026-01 --yes')
    .action(
      action<Destroy>(io, (context, own, args) =>
        withWorkspace(context, 'operator', (workspace) =>
          destroy(context, workspace, { ...own, epoch: args[0] ?? '' }),
        ),
      ),
    );
  sealingCommands(keys, io);
}

interface DryRun {
  readonly dryRun?: boolean;
}

interface Rewrap extends DryRun, Why {
  readonly toMasterKey?: boolean;
}

interface Destroy extends Why {
  readonly yes?: boolean;
  readonly rotate: boolean;
}

async function list(context: CommandContext, workspace: Workspace): Promise<void> {
  const { keyring, failure } = await audited(
    workspace.audit,
    { what: 'keys list', why: '', about: {} },
    async () => {
      const opened = await openKeyring(workspace, await workspace.wrapping());
      // That one of them does not open is worth knowing before the workers need it, and no reason to hide the list.
      const refused: unknown = await opened.keyring.openKeys().catch((error: unknown) => error);
      return { keyring: opened.keyring, failure: refused };
    },
    (listed) => ({ opened: listed.failure === undefined }),
  );
  const entries = keyring.entries();
  const lines = entries.map((key) => lineOf(key, workspace.now()));
  context.print(lines.length === 0 ? 'no keys yet: they are made on first use' : [HEADER, ...lines].join('\n'), {
    keys: entries.map(({ createdAt, ...key }) => ({ ...key, createdAt: new Date(createdAt).toISOString() })),
  });
  if (failure !== undefined) throw failure;
}

const HEADER = 'epoch    purpose  state      key               age     wrapped by';
const DAY_MS = 86_400_000;

function lineOf(key: KeyListing, now: number): string {
  const days = Math.max(0, Math.floor((now - key.createdAt) / DAY_MS));
  const columns = [
    key.epoch,
    key.purpose.padEnd(8),
    key.state.padEnd(10),
    key.keyId,
    `${days} d`.padEnd(7),
    key.leftover ? 'still on the topic: destroy the epoch again' : key.masterKeyIds.join(', ') || '-',
    ...(key.state === 'active' && !key.current ? ['(never used: another one came first)'] : []),
  ];
  return columns.join('  ');
}

async function rotate(context: CommandContext, workspace: Workspace, { dryRun, why }: DryRun & Why): Promise<void> {
  const wrapping = await workspace.wrapping();
  const rotation = rotationOf(context.config, wrapping);
  if (rotation === undefined) throw new UsageError(`${heldElsewhere(context)}: ${REPLACING}`);
  if (dryRun === true) {
    const wouldRewrap = await wouldWrapAgain(workspace, wrapping, '');
    context.print(`would wrap ${keysOf(wouldRewrap)} by a new ${wrapperName(context)}`, { rewrapped: 0, wouldRewrap });
    return;
  }
  const { rewrapped, wrappedBy } = await audited(
    workspace.audit,
    { what: 'keys rotate', why, about: { from: await wrapping.currentId() } },
    async () => {
      const count = await rotateWrapping(workspace, rotation);
      await expelOverwritten(workspace);
      return { rewrapped: count, wrappedBy: await wrapping.currentId() };
    },
    (done) => done,
  );
  const text = `${keysOf(rewrapped, 'is', 'are')} wrapped by a new ${wrapperName(context)} (${wrappedBy}); the old one is gone`;
  context.print(text, { rewrapped, wrappedBy });
}

async function rewrap(context: CommandContext, workspace: Workspace, own: Rewrap): Promise<void> {
  const { toMasterKey = false } = own;
  const { transit, masterVariable, masterFile } = context.config.keys;
  if (transit === null && masterVariable === null && (await isRotating(masterFile))) {
    throw new UsageError('a rotation of the master key was begun: finish it with `redactory keys rotate`');
  }
  if (toMasterKey && transit === null) {
    throw new UsageError('--to-master-key moves keys away from keys.transit, and the config has none');
  }
  const wrapping = toMasterKey ? await backToMasterKey(context) : await workspace.wrapping();
  try {
    await rewrapBy(wrapping, context, workspace, own);
  } finally {
    if (toMasterKey) wrapping.close();
  }
}

function backToMasterKey({ config, io, telemetry }: CommandContext): Promise<KeyWrapping> {
  // A new file is what is asked for here.
  return openWrapping(config, io.env, { checkNew: () => Promise.resolve(), telemetry, toMasterKey: true });
}

async function rewrapBy(
  wrapping: KeyWrapping,
  context: CommandContext,
  workspace: Workspace,
  { dryRun, why }: Rewrap,
): Promise<void> {
  const wrappedBy = await wrapping.currentId();
  if (dryRun === true) {
    const wouldRewrap = await wouldWrapAgain(workspace, wrapping, wrappedBy);
    context.print(`would wrap ${keysOf(wouldRewrap)} by ${wrappedBy}`, { rewrapped: 0, wouldRewrap, wrappedBy });
    return;
  }
  const { rewrapped } = await audited(
    workspace.audit,
    { what: 'keys rewrap', why, about: { to: wrappedBy } },
    async () => {
      const count = await wrapAgain(workspace, wrapping);
      await expelOverwritten(workspace);
      return { rewrapped: count };
    },
    (done) => done,
  );
  const text = `${keysOf(rewrapped, 'was', 'were')} wrapped again; all are wrapped by ${wrappedBy}, nothing else is needed to open them`;
  context.print(text, { rewrapped, wrappedBy });
}

async function destroy(
  context: CommandContext,
  workspace: Workspace,
  own: Destroy & { readonly epoch: string },
): Promise<void> {
  const { epoch } = own;
  const wrapping = await workspace.wrapping();
  const rotation = own.rotate ? rotationOf(context.config, wrapping) : undefined;
  if (own.rotate && rotation === undefined) {
    throw new UsageError(
      `${heldElsewhere(context)} and cannot be rotated from here: add --no-rotate, then ${REPLACING}; until then a backup of the keyring opens with it`,
    );
  }
  if (own.yes !== true) {
    const { keyring } = await openKeyring(workspace, wrapping);
    // It says what is wrong with the epoch.
    keyring.destroyEntries(epoch, workspace.now());
    const wouldDestroy = livingKeys(keyring, epoch);
    const open =
      epoch === epochOf(workspace.now()) ? ' This month is still in use: its sessions would be dropped.' : '';
    const then = own.rotate ? `, and rotate the ${wrapperName(context)}` : '';
    context.print(`would destroy ${keysOf(wouldDestroy)} of ${epoch} for good${then}.${open} Add --yes to do it.`, {
      epoch,
      destroyed: 0,
      wouldDestroy,
    });
    return;
  }
  const { destroyed, rewrapped } = await audited(
    workspace.audit,
    { what: 'keys destroy', why: own.why, about: { epoch, rotate: own.rotate } },
    async () => {
      const count = await destroyEpoch(workspace, wrapping, epoch);
      const again = rotation === undefined ? null : await rotateWrapping(workspace, rotation).catch(unfinished(epoch));
      await expelOverwritten(workspace);
      return { destroyed: count, rewrapped: again };
    },
    (done) => done,
  );
  const then =
    rewrapped === null
      ? `; the ${wrapperName(context)} is the same: until it is replaced, a backup of the keyring opens with it`
      : `; ${keysOf(rewrapped, 'is', 'are')} wrapped by a new ${wrapperName(context)}, the old one is gone`;
  context.print(`destroyed ${keysOf(destroyed)} of ${epoch}${then}`, {
    epoch,
    destroyed,
    rewrapped,
    wrappedBy: await wrapping.currentId(),
  });
}

/** The keys are destroyed by then: that must not be lost in an error about what came after. */
function unfinished(epoch: string): (error: unknown) => never {
  return (error) => {
    if (error instanceof Error) {
      error.message = `the keys of ${epoch} are destroyed, but what wrapped them is not replaced: ${error.message}; then run \`redactory keys rotate\``;
    }
    throw error;
  };
}

const REPLACING = 'replace it where it is kept, as docs/keys.md says';

function heldElsewhere({ config }: CommandContext): string {
  return `the master key comes from ${config.keys.masterVariable ?? 'elsewhere'}`;
}

function wrapperName({ config }: CommandContext): string {
  const { transit } = config.keys;
  return transit === null ? 'master key' : `version of ${transit.mount}/${transit.key}`;
}

const keysOf = (count: number, one = '', many = ''): string =>
  `${count} ${count === 1 ? `key ${one}` : `keys ${many}`}`.trimEnd();
