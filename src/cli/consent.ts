import type { Command } from 'commander';
import { randomUUID } from 'node:crypto';
import type { ConsentDecision } from '../events/control.ts';
import { openGlobalTable } from '../log/global-table.ts';
import { loadPolicy } from '../privacy/policy.ts';
import { DECISION_KINDS, makeDecision, type DecisionKind } from '../privacy/decisions.ts';
import { appendDecision } from '../runtime/ingest.ts';
import { audited } from '../runtime/audit.ts';
import { TOPICS } from '../runtime/topics.ts';
import type { Workspace } from '../runtime/workspace.ts';
import { action, decimal, withWorkspace, type Io } from './io.ts';
import { whyOption, type Why } from './reason.ts';
import { subjectOption } from './subject.ts';

interface Own extends Why {
  readonly subject: string;
  readonly minutes?: number;
}

const SUMMARIES: Readonly<Record<DecisionKind, string>> = {
  enrol: 'let a person be recorded from now on',
  pause: 'drop what is recorded of a person for 1 to 30 minutes; their sessions end now',
  resume: 'end a pause before its time',
  withdraw: 'stop recording a person; their sessions end now',
  exempt: 'exempt a person from recording; their sessions end now',
};

export function consentCommand(program: Command, io: Io): void {
  const consent = program.command('consent').description('what people have decided about being recorded');
  for (const kind of DECISION_KINDS) {
    const command = consent
      .command(kind)
      .description(SUMMARIES[kind])
      .addOption(subjectOption().makeOptionMandatory())
      .addOption(whyOption())
      .addHelpText(
        'after',
        `\nExample:\n  redactory consent ${kind} --subject ana@example.org${kind === 'pause' ? ' --minutes 10' : ''}`,
      )
      .action(
        action<Own>(io, (context, own) =>
          withWorkspace(context, 'operator', async (workspace) => {
            const subjectKey = (await workspace.subjectKeys())(own.subject);
            // Neither who it is about nor the decision's id: both would tell of the person.
            const entry = { what: `consent ${kind}` as const, why: own.why, about: {} };
            const decision = await audited(workspace.audit, entry, async () => {
              // Stamped when it goes to the log: what comes after the stamp is to meet it there.
              const made = makeDecision(kind, {
                subjectKey,
                ...(own.minutes === undefined ? {} : { minutes: own.minutes }),
                now: await workspace.trustedNow(),
                randomId: randomUUID,
              });
              await appendDecision(workspace.log, workspace.codec, made);
              return made;
            });
            const until = decision.until === null ? null : new Date(decision.until).toISOString();
            // After the decision: that is recorded whatever becomes of this.
            const note = await noteAbout(workspace, decision);
            const recorded = `recorded: ${kind}${until === null ? '' : ` until ${until}`}`;
            context.print(note === '' ? recorded : `${recorded}\n${note}`, {
              kind,
              decisionId: decision.decisionId,
              decidedAt: new Date(decision.decidedAt).toISOString(),
              until,
              ...(note === '' ? {} : { note }),
            });
          }),
        ),
      );
    if (kind === 'pause') command.requiredOption('--minutes <n>', 'length of the pause, 1 to 30', decimal(1, 30));
  }
  consent
    .command('show')
    .description('what holds for a person now')
    .addOption(subjectOption().makeOptionMandatory())
    .addHelpText('after', '\nExample:\n  redactory consent show --subject ana@example.org --json')
    .action(
      action<Pick<Own, 'subject'>>(io, (context, own) =>
        withWorkspace(context, 'operator', async (workspace) => {
          const { policy } = await loadPolicy(context.config.policy);
          const tables = await workspace.controlTables(policy.consent.guardSeconds * 1000);
          await tables.catchUp();
          const subjectKey = (await workspace.subjectKeys())(own.subject);
          const status = tables.consent.status(subjectKey, await workspace.trustedNow());
          const until = status.kind === 'paused' ? new Date(status.until).toISOString() : null;
          context.print(`${status.kind.replaceAll('_', ' ')}${until === null ? '' : ` until ${until}`}`, {
            status: status.kind,
            until,
          });
        }),
      ),
    );
}

/** Decisions that end recording: of somebody who is recorded under another id they end nothing. */
const ENDING: ReadonlySet<DecisionKind> = new Set(['pause', 'withdraw', 'exempt']);

/** What to say where nobody of this id has decided anything but `made`; else empty. */
async function noteAbout({ log, codec }: Workspace, made: ConsentDecision): Promise<string> {
  if (!ENDING.has(made.kind)) return '';
  let hasOthers = false;
  await openGlobalTable({
    log,
    topic: TOPICS.consent,
    apply({ value }) {
      const found = value === null ? undefined : codec.decodeConsent(value);
      hasOthers ||= found?.subjectKey === made.subjectKey && found.decisionId !== made.decisionId;
    },
  });
  return hasOthers ? '' : 'nobody of this id has ever decided anything: is it written as the recorder writes it?';
}
