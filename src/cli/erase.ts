import type { Command } from 'commander';
import { randomUUID } from 'node:crypto';
import { audited } from '../runtime/audit.ts';
import { appendErasure } from '../runtime/erasures.ts';
import { openErasures } from '../runtime/steward/erase.ts';
import { action, withWorkspace, type Io } from './io.ts';
import { whyOption, type Why } from './reason.ts';
import { subjectOption } from './subject.ts';

interface Own extends Why {
  readonly subject: string;
}

export function eraseCommand(program: Command, io: Io): void {
  program
    .command('erase')
    .description('have all that was kept of a person erased; the steward does it')
    .addOption(subjectOption().makeOptionMandatory())
    .addOption(whyOption())
    .addHelpText('after', '\nExample:\n  redactory erase --subject ana@example.org')
    .action(
      action<Own>(io, (context, own) =>
        withWorkspace(context, 'operator', async (workspace) => {
          const subjectKey = (await workspace.subjectKeys())(own.subject);
          const erasures = await openErasures(workspace);
          const before = erasures.of(subjectKey);
          // One that is done is of what came before it.
          if (before?.doneAt !== null) {
            await audited(workspace.audit, { what: 'erase', why: own.why, about: {} }, async () => {
              const requestedAt = await workspace.trustedNow();
              const asked = { subjectKey, requestedAt, erasureId: randomUUID(), by: 'operator' } as const;
              await appendErasure(workspace, { ...asked, doneAt: null, rows: 0, sessions: 0 });
            });
          }
          const last = before?.doneAt ?? null;
          const earlier = last === null ? '' : `; one before it was done at ${new Date(last).toISOString()}`;
          context.print(`the erasure is under way: nothing that came before now is processed any more${earlier}`, {
            state: 'under_way',
            lastDoneAt: last === null ? null : new Date(last).toISOString(),
          });
        }),
      ),
    );
}
