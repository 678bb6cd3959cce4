import { Option, type Command } from 'commander';
import { randomUUID } from 'node:crypto';
import { resolve } from 'node:path';
import { makeDecision } from '../privacy/decisions.ts';
import {
  openRecording,
  RECORDING_FORMATS,
  type OpenRecording,
  type RecordingFormat,
} from '../producers/recordings/index.ts';
import { audited } from '../runtime/audit.ts';
import { createIngest, type Ingest } from '../runtime/ingest.ts';
import { RunError } from '../runtime/run-error.ts';
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
    .description('put a real recording onto the raw topic; of one that has a mistake, nothing')
    .addOption(new Option('--format <format>', 'who made it').choices(RECORDING_FORMATS).makeOptionMandatory())
    .addOption(subjectOption('the person in it, where the recording does not say'))
    .option('--enrol', 'record that the people in it have agreed to being recorded')
    .addOption(whyOption())
    .addHelpText(
      'after',
      '\nExamples:\n  redactory import StudentRecord.csv --format rpa-csv --enrol\n' +
        '  redactory import recordings/agentnet --format agentnet --subject ana@example.org --enrol\n' +
        '  redactory import events.jsonl --format capture-jsonl\n\n' +
        'All of it is checked before anything is appended; a stop meanwhile leaves nothing. Then it is appended, and a stop\n' +
        'waits for that, at most 5 seconds. Where appending fails or is ended, what is on the topic by then stays there: it\n' +
        'says how much that is. Running it again appends all of the recording once more, as new sessions.',
    )
    .action(
      action<Own>(io, (context, own, args) =>
        withWorkspace(context, 'producer', async (workspace) => {
          const stamps = { at: await workspace.trustedNow() };
          const now = (): number => (stamps.at = Math.max(stamps.at, workspace.now()));
          const progress = showProgress(context.io, 'importing', 'bytes');
          const checking = stopOf(context.signal);
          const recording = await openRecording({
            path: resolve(context.io.cwd, args[0] ?? ''),
            format: own.format,
            subject: own.subject,
            subjectKey: await workspace.subjectKeys(),
            now,
            onProgress: (done, total) => progress.update(done, total),
            signal: checking.signal,
          }).finally(checking.dispose);
          try {
            checking.signal.throwIfAborted();
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
            await appendAll(recording, ingest, (text) => void context.io.stderr.write(text));
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

/** Aborts as `signal` does, until it is disposed of: half a recording must not be left by a stop that could wait. */
function stopOf(signal: AbortSignal): { readonly signal: AbortSignal; readonly dispose: () => void } {
  const controller = new AbortController();
  const stop = (): void => controller.abort(new RunError('stopped while it was checked: nothing is imported'));
  if (signal.aborted) stop();
  signal.addEventListener('abort', stop);
  return { signal: controller.signal, dispose: () => signal.removeEventListener('abort', stop) };
}

/** Whatever ends this before it is done, `tell` gets what is on the topic by then. */
async function appendAll(recording: OpenRecording, ingest: Ingest, tell: (text: string) => void): Promise<void> {
  const onBrokenOff = (): void =>
    tell(
      `redactory: the import was broken off: ${ingest.appended.toLocaleString('en')} batches of the recording are on the raw ` +
        'topic and stay there, perhaps some more that were under way; running it again appends all of it once more\n',
    );
  // A second signal, or a stop that takes too long.
  process.once('exit', onBrokenOff);
  try {
    for await (const captured of recording.batches()) await ingest.capture(captured);
    await ingest.flush();
  } catch (error) {
    onBrokenOff();
    throw error;
  } finally {
    process.off('exit', onBrokenOff);
  }
}
