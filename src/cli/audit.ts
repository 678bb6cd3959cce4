import { Option, type Command } from 'commander';
import { resolve } from 'node:path';
import type { AuditRecord } from '../events/control.ts';
import { appendAnchor, checkNoAnchors, readAnchors } from '../runtime/audit/anchors.ts';
import type { Anchor, Finding, Verdict } from '../runtime/audit/chain.ts';
import { parseAbout } from '../runtime/audit/trail.ts';
import { lastOfTrail, verifyTrail } from '../runtime/audit/verify.ts';
import { RunError } from '../runtime/run-error.ts';
import type { Workspace } from '../runtime/workspace.ts';
import { action, wholeNumber, withWorkspace, type CommandContext, type Io } from './io.ts';
import { table } from './topics-text.ts';

export function auditCommand(program: Command, io: Io): void {
  const audit = program.command('audit').description('who did what with personal data: a chain of records');
  audit
    .command('show')
    .description('the last records, oldest first')
    .addOption(new Option('--limit <n>', 'how many to show').argParser(wholeNumber(0, 100_000)).default(20))
    .addHelpText('after', '\nExample:\n  redactory audit show --limit 100 --json')
    .action(
      action<{ readonly limit: number }>(io, (context, { limit }) =>
        withWorkspace(context, 'operator', async (workspace) => {
          const records = await lastOfTrail(workspace, limit);
          context.print(records.length === 0 ? 'nothing recorded yet' : table(HEAD, records.map(rowOf)), {
            records: records.map((record) => ({ ...record, at: timeOf(record.at), about: parseAbout(record.about) })),
          });
        }),
      ),
    );
  audit
    .command('verify')
    .description('look for records that were altered, removed or moved')
    .option('--anchor <file>', 'anchors to compare with; only they tell of a chain that was written anew')
    .addHelpText(
      'after',
      '\nExit code 1 if anything is not as it was written.' +
        '\n\nExamples:\n  redactory audit verify\n  redactory audit verify --anchor /mnt/elsewhere/audit.jsonl',
    )
    .action(
      action<{ readonly anchor?: string }>(io, (context, { anchor }) =>
        withWorkspace(context, 'operator', async (workspace) => {
          const anchors = anchor === undefined ? [] : await readAnchors(resolve(io.cwd, anchor));
          const verdict = await verify(workspace, anchors);
          context.print(`${describe(verdict)}\n${describeAnchors(verdict, anchors)}`, verdictJson(verdict, anchors));
          refuse(verdict);
        }),
      ),
    );
  audit
    .command('anchor')
    .description("keep the chain's end in a file elsewhere, if the chain is whole and fits the anchors already there")
    .requiredOption('--file <file>', 'file that a line is added to, best where nobody who writes the trail may write')
    .option('--new', 'begin the file; without it, a file without anchors is an error: they may have been taken away')
    .addHelpText(
      'after',
      '\nExamples:\n  redactory audit anchor --file /mnt/elsewhere/audit.jsonl --new\n' +
        '  redactory audit anchor --file /mnt/elsewhere/audit.jsonl',
    )
    .action(
      action<AnchorOptions>(io, (context, own) =>
        withWorkspace(context, 'operator', (workspace) =>
          anchorInto(context, workspace, { ...own, file: resolve(io.cwd, own.file) }),
        ),
      ),
    );
}

interface AnchorOptions {
  readonly file: string;
  readonly new?: boolean;
}

async function anchorInto(context: CommandContext, workspace: Workspace, own: AnchorOptions): Promise<void> {
  const path = own.file;
  if (own.new === true) await checkNoAnchors(path);
  const anchors = own.new === true ? [] : await readAnchors(path);
  const verdict = await verify(workspace, anchors);
  const { head, findings } = verdict;
  if (findings.length > 0) context.io.stderr.write(`${describe(verdict)}\n`);
  refuse(verdict);
  if (head === null) throw new RunError('there is nothing to anchor yet: nothing is recorded');
  const isNew = anchors.every(({ hash }) => hash !== head.hash);
  if (isNew) await appendAnchor(path, head);
  context.print(`record ${head.sequence} ${isNew ? 'is anchored' : 'was anchored already'}: ${head.hash}`, {
    anchor: { ...head, at: timeOf(head.at) },
    isNew,
  });
}

const DAY_MS = 86_400_000;

function verify(workspace: Workspace, anchors: readonly Anchor[]): Promise<Verdict> {
  const keptSince = workspace.now() - workspace.config.topics.retentionDays.audit * DAY_MS;
  return verifyTrail(workspace, { anchors, keptSince });
}

function refuse({ findings }: Verdict): void {
  if (findings.length === 0) return;
  const [count, first] = [findings.length, findings[0]];
  throw new RunError(
    `the audit trail is not as it was written: ${count === 1 ? '1 finding' : `${count} findings`}` +
      `${first?.sequence == null ? '' : `, the first about record ${first.sequence}`}; docs/audit.md says what to do`,
  );
}

/** More would hide the first ones. */
const SHOWN = 100;

function describe({ findings, records, first, head }: Verdict): string {
  const begins =
    first === null || first === 0 ? '' : `; begins with record ${first}, older ones have left by their age`;
  if (findings.length === 0) {
    return head === null
      ? 'no records'
      : `whole: ${records.toLocaleString('en')} records to ${head.sequence}, ${timeOf(head.at)}${begins}`;
  }
  const more = findings.length > SHOWN ? [`and ${findings.length - SHOWN} more`] : [];
  return [...findings.slice(0, SHOWN).map(lineOf), ...more].join('\n');
}

function describeAnchors({ anchored, expired }: Verdict, anchors: readonly Anchor[]): string {
  if (anchors.length === 0) return 'anchors: none given; without them a chain that was cut or written anew looks whole';
  const gone = expired === 0 ? '' : `; ${expired} of records that have left by their age`;
  return `anchors: ${anchored} of ${anchors.length} fit${gone}`;
}

function lineOf({ kind, sequence, to, text }: Finding): string {
  const which = sequence === null ? '' : `record ${sequence}${to === null ? '' : ` to ${to}`}: `;
  return `${kind.padEnd(9)}  ${which}${text}`;
}

function verdictJson({ head, ...verdict }: Verdict, anchors: readonly Anchor[]): unknown {
  return {
    whole: verdict.findings.length === 0,
    ...verdict,
    anchors: anchors.length,
    head: head && { ...head, at: timeOf(head.at) },
  };
}

const HEAD = ['record', 'at', 'who', 'what', 'stage', 'why', 'about'] as const;

function rowOf({ sequence, at, who, what, stage, why, about }: AuditRecord): readonly string[] {
  // Whoever forges a record must not write to a terminal.
  return [String(sequence), timeOf(at), who, what, stage, why, about].map((text) =>
    text.replaceAll(/[\p{Cc}\p{Cf}]/gu, '\uFFFD'),
  );
}

/** The codec lets no time through that has no date. */
const timeOf = (ms: number): string => new Date(ms).toISOString();
