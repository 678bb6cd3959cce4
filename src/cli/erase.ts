import type { Command } from 'commander';
import { randomUUID } from 'node:crypto';
import { audited } from '../runtime/audit.ts';
import { appendErasure } from '../runtime/erasures.ts';
import { openErasures } from '../runtime/steward/erase.ts';
import { action, withWorkspace, type Io } from './io.ts';
import { whyOption, type Why } from './reason.ts';

interface Own extends Why {
  readonly subject: string;
}

export function eraseCommand(program: Command, io: Io): void {
  program
    .command('erase')
    .description('have all that was kept of a person erased; the steward does it')
    .requiredOption('--subject <id>', 'the person, as the company knows them')
    .addOption(whyOption())
    .addHelpText('after', '\nExample:\n  redactory erase --subject ana@example.org')
    .action(
      action<Own>(io, (context, own) =>
        withWorkspace(context, 'operator', async (workspace) => {
          const subjectKey = (await workspace.subjectKeys())(own.subject);
          const erasures = await openErasures(workspace);
          const known = erasures.of(subjectKey);
          if (known === undefined) {
            const requestedAt = await workspace.trustedNow();
            const asked = { subjectKey, requestedAt, erasureId: randomUUID(), by: 'operator' } as const;
            await audited(workspace.audit, { what: 'erase', why: own.why, about: {} }, () =>
              appendErasure(workspace, { ...asked, doneAt: null, rows: 0, sessions: 0 }),
            );
          }
          const { doneAt = null, rows = 0, sessions = 0 } = known ?? {};
          context.print(
            doneAt === null
              ? 'the erasure is under way: nothing more of this person is processed'
              : `erased at ${new Date(doneAt).toISOString()}: ${rows} rows of ${sessions} sessions`,
            { state: doneAt === null ? 'under_way' : 'done', rows, sessions },
          );
        }),
      ),
    );
}
