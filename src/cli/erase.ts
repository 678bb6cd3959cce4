import { Option, type Command } from 'commander';
import { randomUUID } from 'node:crypto';
import type { Erasure } from '../events/control.ts';
import { askErasure } from '../privacy/decisions.ts';
import { audited } from '../runtime/audit.ts';
import { appendErasure } from '../runtime/erasures.ts';
import { openErasures } from '../runtime/steward/erase.ts';
import { action, withWorkspace, type Io } from './io.ts';
import { whyOption, type Why } from './reason.ts';
import { subjectOption } from './subject.ts';

interface Own extends Why {
  readonly subject: string;
  readonly show?: boolean;
}

export function eraseCommand(program: Command, io: Io): void {
  program
    .command('erase')
    .description('have all that was kept of a person up to now erased; the steward does it')
    .addOption(subjectOption().makeOptionMandatory())
    .addOption(new Option('--show', 'ask for nothing, and tell how far the last erasure is').conflicts('why'))
    .addOption(whyOption())
    .addHelpText(
      'after',
      '\nExamples:\n  redactory erase --subject ana@example.org\n  redactory erase --subject ana@example.org --show --json',
    )
    .action(
      action<Own>(io, (context, { subject, show, why }) =>
        withWorkspace(context, 'operator', async (workspace) => {
          const subjectKey = (await workspace.subjectKeys())(subject);
          const before = (await openErasures(workspace)).of(subjectKey);
          if (show === true) return context.print(lineOf(before), asJson(before));
          const asked = await audited(workspace.audit, { what: 'erase', why, about: {} }, async () => {
            const now = await workspace.trustedNow();
            const request = askErasure(before, { subjectKey, by: 'operator', now, randomId: randomUUID });
            await appendErasure(workspace, request);
            return request;
          });
          context.print('the erasure is under way: nothing that came before now is processed any more', asJson(asked));
        }),
      ),
    );
}

function lineOf(erasure: Erasure | undefined): string {
  if (erasure === undefined) return 'no erasure was asked for';
  const { requestedAt, doneAt, rows, sessions } = erasure;
  const asked = `asked for at ${timeOf(requestedAt)}`;
  if (doneAt === null) return `under way: ${asked}`;
  return `done at ${timeOf(doneAt)}: ${rows} rows of ${sessions} sessions; ${asked}`;
}

/** Neither the person's key nor the erasure's id: with the audit trail or the table they would tell whose rows are gone. */
function asJson(erasure: Erasure | undefined): object {
  if (erasure === undefined) return { state: 'none', requestedAt: null, doneAt: null, rows: 0, sessions: 0 };
  const { requestedAt, doneAt, rows, sessions } = erasure;
  return {
    state: doneAt === null ? 'under_way' : 'done',
    requestedAt: timeOf(requestedAt),
    doneAt: doneAt === null ? null : timeOf(doneAt),
    rows,
    sessions,
  };
}

const timeOf = (ms: number): string => new Date(ms).toISOString();
