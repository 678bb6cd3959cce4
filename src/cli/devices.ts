import type { Command } from 'commander';
import { audited } from '../runtime/audit.ts';
import { issueDevice, openDevices, revokeDevice } from '../runtime/devices.ts';
import { action, UsageError, wholeNumber, withWorkspace, type Io } from './io.ts';
import { whyOption, type Why } from './reason.ts';
import { subjectOption } from './subject.ts';
import { table } from './topics-text.ts';

const DAY_MS = 86_400_000;

interface Issue extends Why {
  readonly subject: string;
  readonly device?: string;
  readonly days: number;
}

export function devicesCommand(program: Command, io: Io): void {
  const devices = program.command('devices').description('tokens with which recorders sign in to the gateway');
  devices
    .command('issue')
    .description("make a token for a person's recorder; it is shown once")
    .addOption(subjectOption().makeOptionMandatory())
    .option('--device <name>', 'the only device that it is good for (default: any of the person)')
    .option('--days <n>', 'days that it is good for', wholeNumber(1, 366), 90)
    .addOption(whyOption())
    .addHelpText('after', '\nExample:\n  redactory devices issue --subject ana@example.org --days 30')
    .action(
      action<Issue>(io, (context, { subject, device = null, days, why }) =>
        withWorkspace(context, 'operator', async (workspace) => {
          if (device !== null && (device === '' || device.length > 128)) {
            throw new UsageError('--device must have 1 to 128 characters');
          }
          const issuedAt = context.io.now();
          const expiresAt = issuedAt + days * DAY_MS;
          const subjectKey = (await workspace.subjectKeys())(subject);
          const { text, tokenId } = await audited(
            workspace.audit,
            { what: 'devices issue', why, about: { days } },
            () => issueDevice(workspace, { subjectKey, device, issuedAt, expiresAt }),
            (issued) => ({ token: issued.tokenId }),
          );
          const until = new Date(expiresAt).toISOString();
          context.print(
            `${text}\nshown this once; good until ${until}, or until: redactory devices revoke ${tokenId}`,
            {
              token: text,
              tokenId,
              expiresAt: until,
            },
          );
        }),
      ),
    );
  devices
    .command('list')
    .description('the tokens that there are, without what is secret of them')
    .addOption(subjectOption('those of one person'))
    .addHelpText('after', '\nExample:\n  redactory devices list --subject ana@example.org')
    .action(
      action<{ readonly subject?: string }>(io, (context, { subject }) =>
        withWorkspace(context, 'operator', async (workspace) => {
          const of = subject === undefined ? undefined : (await workspace.subjectKeys())(subject);
          const now = context.io.now();
          const all = (await openDevices(workspace))
            .all()
            .filter(({ subjectKey }) => (of ?? subjectKey) === subjectKey);
          const rows = all
            .toSorted((a, b) => a.issuedAt - b.issuedAt || (a.tokenId < b.tokenId ? -1 : 1))
            .map(({ tokenId, device, issuedAt, expiresAt, revokedAt }) => ({
              tokenId,
              device,
              issuedAt: new Date(issuedAt).toISOString(),
              expiresAt: new Date(expiresAt).toISOString(),
              state: revokedAt !== null ? 'revoked' : now >= expiresAt ? 'expired' : 'good',
            }));
          const shown = rows.map((row) => [row.tokenId, row.device ?? 'any', row.issuedAt, row.expiresAt, row.state]);
          context.print(table(['token', 'device', 'issued', 'expires', 'state'], shown), { devices: rows });
        }),
      ),
    );
  devices
    .command('revoke')
    .description('end a token at once')
    .argument('<id>', 'its id, as `devices list` shows it')
    .addOption(whyOption())
    .addHelpText('after', '\nExample:\n  redactory devices revoke 0123456789abcdef')
    .action(
      action<Why>(io, (context, { why }, [id = '']) =>
        withWorkspace(context, 'operator', async (workspace) => {
          const token = (await openDevices(workspace)).all().find(({ tokenId }) => tokenId === id);
          if (token === undefined) throw new UsageError('there is no token of this id: see `redactory devices list`');
          if (token.revokedAt === null) {
            await audited(workspace.audit, { what: 'devices revoke', why, about: { token: id } }, () =>
              revokeDevice(workspace, token, context.io.now()),
            );
          }
          context.print(`revoked: ${id}`, { tokenId: id, state: 'revoked' });
        }),
      ),
    );
}
