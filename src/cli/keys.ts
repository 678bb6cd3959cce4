import type { Command } from 'commander';
import type { KeyringEntry } from '../events/control.ts';
import type { NewRecord } from '../log/event-log.ts';
import { createKeyring, epochOf, keyringRecordKey, type KeyringTable } from '../privacy/keyring.ts';
import { beginRotation, finishRotation } from '../privacy/keys/key-files.ts';
import { TOPICS } from '../runtime/topics.ts';
import type { Workspace } from '../runtime/workspace.ts';
import { action, UsageError, withWorkspace, type Io } from './io.ts';

export function keysCommand(program: Command, io: Io): void {
  const keys = program.command('keys').description('the keys behind pseudonyms: one a purpose and calendar month');
  keys
    .command('list')
    .description('keys by epoch, without their values')
    .addHelpText('after', '\nExample:\n  redactory keys list --json')
    .action(
      action(io, (context) =>
        withWorkspace(context, async (workspace) => {
          const entries = (await openKeyring(workspace)).entries();
          const lines = entries.map(
            (key) => `${key.epoch}  ${key.purpose.padEnd(8)} ${key.state.padEnd(10)} ${key.keyId}`,
          );
          context.print(lines.length === 0 ? 'no keys yet: they are made on first use' : lines.join('\n'), {
            keys: entries.map(({ createdAt, ...key }) => ({ ...key, createdAt: new Date(createdAt).toISOString() })),
          });
        }),
      ),
    );
  keys
    .command('rotate')
    .description('wrap every key by a new master key; pseudonyms stay what they are')
    .addHelpText('after', '\nStop the workers first, start them again afterwards.\n\nExample:\n  redactory keys rotate')
    .action(
      action(io, (context) =>
        withWorkspace(context, async (workspace) => {
          if (context.config.keys.masterVariable !== null) {
            throw new UsageError(
              `the master key comes from ${context.config.keys.masterVariable}: rotate it where it is kept, with a key file here`,
            );
          }
          const rewrapped = await rotate(workspace, context.config.keys.masterFile);
          context.print(`${rewrapped} keys are wrapped by a new master key; the old one is gone`, { rewrapped });
        }),
      ),
    );
  keys
    .command('destroy')
    .argument('<epoch>', 'calendar month such as 2026-01')
    .description("destroy an epoch's keys: nobody can link its pseudonyms to a person any more, nor replay it")
    .option('--yes', 'do it; without this the command only says what it would do')
    .addHelpText('after', '\nExample:\n  redactory keys destroy 2026-01 --yes')
    .action(
      action<{ readonly yes?: boolean }>(io, (context, own, args) =>
        withWorkspace(context, async (workspace) => {
          const epoch = args[0] ?? '';
          const keyring = await openKeyring(workspace);
          const entries = keyring.destroyEntries(epoch, workspace.now());
          if (own.yes !== true) {
            const open =
              epoch === epochOf(workspace.now()) ? ' This month is still in use: its sessions would be dropped.' : '';
            context.print(`would destroy ${entries.length} keys of ${epoch} for good.${open} Add --yes to do it.`, {
              epoch,
              destroyed: 0,
              wouldDestroy: entries.length,
            });
            return;
          }
          await appendEntries(workspace, entries, []);
          await workspace.log.clean(workspace.now());
          context.print(`destroyed ${entries.length} keys of ${epoch}`, { epoch, destroyed: entries.length });
        }),
      ),
    );
}

async function openKeyring(workspace: Workspace): Promise<KeyringTable> {
  const tables = await workspace.controlTables(0);
  await tables.catchUp();
  return tables.keyring;
}

/** Wraps under the next master key, in one append, and only then puts that key in place: a crash leaves one that opens. */
async function rotate(workspace: Workspace, masterFile: string): Promise<number> {
  const { masterKey } = await workspace.masterKeys();
  const next = await beginRotation(masterFile);
  const keyring = createKeyring({ masterKey: next, alsoOpens: [masterKey] });
  const ends = await workspace.log.endOffsets(TOPICS.keyring);
  for (const [partition, end] of ends.entries()) {
    let offset = (await workspace.log.beginOffsets(TOPICS.keyring))[partition] ?? 0;
    while (offset < end) {
      const at = { topic: TOPICS.keyring, partition, offset };
      const fetched = await workspace.log.read({ ...at, maxRecords: 1_000, maxBytes: 1 << 20, waitMs: 0 });
      for (const record of fetched.records) {
        if (record.value !== null) keyring.apply(workspace.codec.decodeKeyEntry(record.value), record.offset);
      }
      if (fetched.nextOffset === offset) break;
      offset = fetched.nextOffset;
    }
  }
  keyring.openKeys();
  const change = keyring.rewrap();
  await appendEntries(workspace, change.entries, change.tombstones);
  await finishRotation(masterFile);
  // Records under the old master key go now, not at the next hour's cleaning.
  await workspace.log.clean(workspace.now());
  return change.entries.length;
}

async function appendEntries(
  workspace: Workspace,
  entries: readonly KeyringEntry[],
  tombstones: readonly string[],
): Promise<void> {
  const timestamp = workspace.now();
  const records: NewRecord[] = [
    ...tombstones.map((key) => ({ key, value: null, timestamp })),
    ...entries.map((entry) => ({
      key: keyringRecordKey(entry),
      value: workspace.codec.encodeKeyEntry(entry),
      timestamp,
    })),
  ];
  if (records.length > 0) await workspace.log.append(TOPICS.keyring, records);
}
