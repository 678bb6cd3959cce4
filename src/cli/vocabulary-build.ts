import { InvalidArgumentError, Option, type Command } from 'commander';
import { randomBytes } from 'node:crypto';
import { join, resolve } from 'node:path';
import { byBudget, byPeople, type Selection } from '../privacy/partition-selection.ts';
import { loadPolicy } from '../privacy/policy.ts';
import { digestOf, loadVocabulary, refuseTaken, vocabularyOf, writeVocabulary } from '../privacy/vocabulary-file.ts';
import type { EntryLine, Vocabulary } from '../privacy/vocabulary.ts';
import { allOf, audited, auditTo } from '../runtime/audit.ts';
import { buildVocabulary, type Built } from '../runtime/vocabulary/build.ts';
import {
  commentsOn,
  describeMechanism,
  describeStretch,
  peopleBucket,
  type Mechanism,
} from '../runtime/vocabulary/provenance.ts';
import type { Workspace } from '../runtime/workspace.ts';
import { action, UsageError, wholeNumber, withWorkspace, type CommandContext, type Io } from './io.ts';
import { moment } from './moment.ts';
import { showProgress } from './progress.ts';
import { reason } from './reason.ts';
import { vocabularyPath } from './vocabulary.ts';

interface Own {
  readonly out: string;
  readonly reason: string;
  readonly from?: number;
  readonly to?: number;
  readonly k?: number;
  readonly allowLowK?: boolean;
  readonly dp?: boolean;
  readonly epsilon?: number;
  readonly delta?: number;
  readonly maxContributions?: number;
  readonly base?: string;
  readonly memory: number;
}

/** From so many people on, unless told otherwise; and no fewer than that without a word. */
const DEFAULT_K = 20;
const LEAST_K = 5;

const HELP = `
Two ways to decide: by --k people (the default), or with --dp, which no other knowledge about people undoes.
Every entry still needs a review: many people see the name of a colleague.

Examples:
  redactory vocabulary build --from 2026-11-01 --to 2026-11-08 --out proposed.txt --reason quarterly-review
  redactory vocabulary build --dp --epsilon 2 --delta 1e-6 --max-contributions 10 --out proposed.txt --reason trial`;

export function buildCommand(vocabulary: Command, io: Io): void {
  vocabulary
    .command('build')
    .description('propose entries from a stretch of raw: what enough people were shown, and nobody typed')
    .requiredOption('--out <file>', 'file to write, for a review; it must not be there yet')
    .requiredOption('--reason <text>', 'why, for the audit: one line', reason)
    .option(
      '--from <time>',
      'first moment of reception, a date or ISO 8601, UTC unless it says (default: the first kept)',
      moment,
    )
    .option('--to <time>', 'moment before which it ends (default: the end that raw has at the start)', moment)
    .addOption(
      new Option('--k <n>', `people who must have seen an entry (default: ${DEFAULT_K})`)
        .argParser(wholeNumber(2, 1_000_000))
        .conflicts('dp'),
    )
    .option('--allow-low-k', `allow a --k below ${LEAST_K}`)
    .option('--dp', 'decide with differential privacy')
    .option('--epsilon <e>', 'with --dp: how much one person may change the odds, 0.01 to 10', epsilonOf)
    .option('--delta <d>', 'with --dp: with what chance it may be more, such as 1e-6; at most 1e-3', deltaOf)
    .option('--max-contributions <m>', 'with --dp: entries that one person counts for', wholeNumber(1, 1_000))
    .option(
      '--policy <file>',
      'policy file, or strict or balanced, which says what may count (default: the configured one)',
    )
    .option('--base <file>', 'vocabulary whose entries are left out, base, or none (default: what the policy pins)')
    .option(
      '--memory <MiB>',
      'memory for counting; what needs more goes to sealed files in the data folder',
      wholeNumber(1, 2_048),
      256,
    )
    .addHelpText('after', HELP)
    .action(
      action<Own>(io, async (context, own) => {
        const mechanism = mechanismOf(own);
        checkTimes(own);
        await refuseTaken(resolve(io.cwd, own.out));
        await withWorkspace(context, 'sanitizer', (workspace) => buildAndWrite(context, workspace, own, mechanism));
      }),
    );
}

async function buildAndWrite(
  context: CommandContext,
  workspace: Workspace,
  own: Own,
  mechanism: Mechanism,
): Promise<void> {
  const { policy, vocabulary } = await loadPolicy(context.config.policy);
  const known = await baseOf(context, own, vocabulary);
  const asked = { from: own.from ?? null, to: own.to ?? null };
  const now = workspace.now();
  const onStderr = auditTo((line) => void context.io.stderr.write(line), { now: workspace.now });
  const trail = allOf(workspace.audit, onStderr);
  const entry = {
    what: 'vocabulary build' as const,
    why: own.reason,
    about: {
      stretch: describeStretch({ asked, now }),
      mechanism: describeMechanism(mechanism),
      policy: policy.digest,
      base: known.digest,
    },
  };
  const build = async (): Promise<Built> => {
    const progress = showProgress(context.io, 'reading', 'batches');
    try {
      return await buildVocabulary(
        { asked, policy, known, selection: selectionOf(mechanism) },
        {
          log: workspace.log,
          codec: workspace.codec,
          subjectKey: await workspace.subjectKeys(),
          tables: await workspace.controlTables(policy.consent.guardSeconds * 1000),
          sealed: context.config.raw.sealed,
          fetch: context.config.fetch,
          memoryBytes: own.memory * 1024 ** 2,
          spillDir: join(context.config.data, 'vocabulary-spill'),
          signal: context.signal,
          onProgress: (done, total) => progress.update(done, total),
        },
      );
    } finally {
      progress.stop();
    }
  };
  await audited(
    trail,
    entry,
    async () => {
      const built = await build();
      const digest = digestOf(built.lines);
      const made = { mechanism, asked, people: built.people, policy: policy.digest, base: known.digest, digest, now };
      await writeVocabulary(resolve(context.io.cwd, own.out), commentsOn(made), built.lines);
      report(context, own, mechanism, { ...built, digest, stretch: entry.about.stretch });
      return { ...built, digest };
    },
    ({ lines, people, batches, digest }) => ({
      batches,
      people: peopleBucket(people),
      entries: lines.length,
      digest,
    }),
  );
}

function report(
  context: CommandContext,
  own: Own,
  mechanism: Mechanism,
  { lines, people, digest, stretch }: Built & { readonly digest: string; readonly stretch: string },
): void {
  const counts = countByKind(lines);
  const bucket = peopleBucket(people);
  const warning =
    mechanism.kind === 'dp' && mechanism.delta * people >= 1
      ? '--delta is not below one in the number of people: somebody may be shown whole; give a smaller one'
      : null;
  context.print(
    [
      `proposed ${lines.length} entries of ${stretch}, from ${bucket} people: ${describeMechanism(mechanism)}`,
      ...Object.entries(counts).map(([kind, n]) => `  ${kind.padEnd(6)} ${n}`),
      `digest ${digest}`,
      ...(warning === null ? [] : [`warning: ${warning}`]),
      `wrote ${own.out}; next, review every entry, then put them into one file with what is pinned now:`,
      `  redactory vocabulary merge base ${own.out} --out vocabulary.txt`,
    ].join('\n'),
    { digest, entries: lines.length, counts, people: bucket, stretch, mechanism, file: own.out, warning },
  );
}

function countByKind(lines: readonly EntryLine[]): Record<string, number> {
  const counts: Record<string, number> = {};
  for (const { kind } of lines) counts[kind] = (counts[kind] ?? 0) + 1;
  return counts;
}

async function baseOf(context: CommandContext, { base }: Own, pinned: Vocabulary): Promise<Vocabulary> {
  if (base === undefined) return pinned;
  return base === 'none' ? vocabularyOf('', 'none') : loadVocabulary(vocabularyPath(context, base));
}

function mechanismOf({ dp, k, allowLowK, epsilon, delta, maxContributions }: Own): Mechanism {
  if (dp === true) {
    if (epsilon === undefined || delta === undefined || maxContributions === undefined) {
      throw new UsageError('--dp needs --epsilon, --delta and --max-contributions, such as 2, 1e-6 and 10');
    }
    if (epsilon / maxContributions < 1e-4) {
      throw new UsageError('--epsilon is less than 0.0001 for each of --max-contributions: nothing would ever be kept');
    }
    return { kind: 'dp', epsilon, delta, maxContributions };
  }
  if ((epsilon ?? delta ?? maxContributions) !== undefined) {
    throw new UsageError('--epsilon, --delta and --max-contributions go with --dp: add it, or leave them out');
  }
  if (k !== undefined && k < LEAST_K && allowLowK !== true) {
    throw new UsageError(`--k below ${LEAST_K} proposes what a small team shares: raise it, or add --allow-low-k`);
  }
  return { kind: 'people', k: k ?? DEFAULT_K };
}

function selectionOf(mechanism: Mechanism): Selection {
  if (mechanism.kind === 'people') return byPeople(mechanism.k);
  return byBudget(mechanism, randomBytes);
}

function checkTimes({ from, to }: Own): void {
  if (from !== undefined && to !== undefined && from >= to) throw new UsageError('--from must be before --to');
}

const NUMBER = /^\d{1,3}(?:\.\d{1,12})?(?:e-\d{1,2})?$/u;

const epsilonOf = numberWithin(0.01, 10);
const deltaOf = numberWithin(1e-15, 1e-3);

function numberWithin(min: number, max: number): (text: string) => number {
  return (text) => {
    const value = NUMBER.test(text) ? Number(text) : NaN;
    if (value >= min && value <= max) return value;
    throw new InvalidArgumentError(`It must be a number from ${min} to ${max}.`);
  };
}
