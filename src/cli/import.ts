import { Option, type Command } from 'commander';
import { randomUUID } from 'node:crypto';
import { resolve } from 'node:path';
import { makeDecision } from '../privacy/decisions.ts';
import { openRecording, RECORDING_FORMATS, type RecordingFormat } from '../producers/recordings/index.ts';
import { audited } from '../runtime/audit.ts';
import { createIngest } from '../runtime/ingest.ts';
import { action, withWorkspace, type Io } from './io.ts';
import { whyOption, type Why } from './reason.ts';
import { showProgress } from './progress.ts';
import { subjectOption } from './subject.ts';

interface Own extends Why {
  readonly format: RecordingFormat;
  readonly subject?: string;
  readonly enrol?: boolean;
}

export function importCommand(program: Command, io: Io): void {
  program
    .command('import')
    .argument('<path>', 'recording: a file, or for agentnet and ducktrack its folder')
    .description('put a real recording onto the raw topic, all of it or nothing')
    .addOption(new Option('--format <format>', 'who made it').choices(RECORDING_FORMATS).makeOptionMandatory())
    .addOption(subjectOption('the person in it, where the recording does not say'))
    .option('--enrol', 'record that the people in it have agreed to being recorded')
    .addOption(whyOption())
    .addHelpText(
      'after',
      '\nExamples:\n  redactory import StudentRecord.csv --format rpa-csv --enrol\n' +
        '  redactory import recordings/agentnet --format agentnet --subject ana@example.org --enrol\n' +
        '  redactory import events.jsonl --format capture-jsonl',
    )
    .action(
      action<Own>(io, (context, own, args) =>
        withWorkspace(context, 'producer', async (workspace) => {
          const stamps = { at: await workspace.trustedNow() };
          const now = (): number => (stamps.at = Math.max(stamps.at, workspace.now()));
          const progress = showProgress(context.io, 'importing', 'bytes');
          const recording = await openRecording({
            path: resolve(context.io.cwd, args[0] ?? ''),
            format: own.format,
            subject: own.subject,
            subjectKey: await workspace.subjectKeys(),
            now,
            onProgress: (done, total) => progress.update(done, total),
            signal: context.signal,
          });
          try {
            const logs = { log: workspace.log, consentLog: await workspace.logAs('operator') };
            const ingest = createIngest({ ...logs, codec: workspace.codec, sealer: await workspace.sealer() });
            const { subjectKeys } = recording.summary;
            const enrol = async (): Promise<void> => {
              for (const subjectKey of subjectKeys) {
                await ingest.decide(makeDecision('enrol', { subjectKey, now: now(), randomId: randomUUID }));
              }
            };
            if (own.enrol === true) {
              const about = { import: own.format };
              await audited(workspace.audit, { what: 'consent enrol', why: own.why, about }, enrol);
            }
            for await (const captured of recording.batches()) await ingest.capture(captured);
            await ingest.flush();
            const { sessions, subjects } = recording.summary;
            const { events, batches, bytes } = ingest;
            context.print(
              `imported ${events.toLocaleString('en')} events of ${subjects} people in ${sessions} sessions: ` +
                `${batches.toLocaleString('en')} batches, ${bytes.toLocaleString('en')} bytes` +
                (own.enrol === true ? '' : '; people who are not enrolled will be dropped (consent enrol, or --enrol)'),
              { events, batches, bytes, sessions, subjects, enrolled: own.enrol === true },
            );
          } finally {
            progress.stop();
            await recording.close();
          }
        }),
      ),
    );
}
