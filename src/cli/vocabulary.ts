import type { Command } from 'commander';
import { resolve } from 'node:path';
import { packagePath } from '../package-path.ts';
import { loadPolicy } from '../privacy/policy.ts';
import { changesBetween, mergeLines, type BySection } from '../privacy/vocabulary-changes.ts';
import {
  digestOf,
  loadVocabulary,
  readVocabularyFile,
  refuseTaken,
  writeVocabulary,
} from '../privacy/vocabulary-file.ts';
import { action, type CommandContext, type Io } from './io.ts';
import { buildCommand } from './vocabulary-build.ts';

export function vocabularyCommand(program: Command, io: Io): void {
  const vocabulary = program.command('vocabulary').description('the list of texts that may be kept');
  buildCommand(vocabulary, io);
  mergeCommand(vocabulary, io);
  diffCommand(vocabulary, io);
  showCommand(vocabulary, io);
}

function mergeCommand(vocabulary: Command, io: Io): void {
  vocabulary
    .command('merge')
    .argument('<base>', 'vocabulary file whose entries all stay, or base: the one that comes with Redactory')
    .argument('<more>', 'reviewed vocabulary file; what means the same as an entry of the first is left out')
    .requiredOption('--out <file>', 'file to write; it must not be there yet')
    .description('both in one file, for a policy to pin')
    .addHelpText('after', '\nExample:\n  redactory vocabulary merge base proposed.txt --out vocabulary.txt')
    .action(
      action<{ readonly out: string }>(io, async (context, own, [base = '', more = '']) => {
        const out = resolve(io.cwd, own.out);
        await refuseTaken(out);
        const [first, second] = [
          await readVocabularyFile(vocabularyPath(context, base)),
          await readVocabularyFile(vocabularyPath(context, more)),
        ];
        const lines = mergeLines(first.lines, second.lines);
        const added = lines.length - first.lines.length;
        const digest = digestOf(lines);
        const made = [`Merged of ${first.digest} and ${second.digest}.`, `digest: ${digest}`];
        const heads = [first, second].flatMap(({ digest, comments }) => ['', `Of ${digest}:`, ...comments]);
        await writeVocabulary(out, [...made, ...heads], lines);
        const already = second.lines.length - added;
        context.print(
          `${lines.length} entries: ${first.lines.length} of the first, ${added} of the second (${already} were there already)\n` +
            howToPin(own.out, digest),
          { digest, entries: lines.length, added, already },
        );
      }),
    );
}

function diffCommand(vocabulary: Command, io: Io): void {
  vocabulary
    .command('diff')
    .argument('<from>', 'vocabulary file, or base')
    .argument('<to>', 'vocabulary file, or base')
    .description('entries that the second has and the first has not, and the other way round, by section')
    .addHelpText('after', '\nExample:\n  redactory vocabulary diff base vocabulary.txt --json')
    .action(
      action(io, async (context, _own, [from = '', to = '']) => {
        const [a, b] = [
          await readVocabularyFile(vocabularyPath(context, from)),
          await readVocabularyFile(vocabularyPath(context, to)),
        ];
        const changes = changesBetween(a.lines, b.lines);
        const { added, removed, changed } = changes;
        const text = [...listed('+', added), ...listed('-', removed), ...listed('~', changed)];
        context.print(text.length === 0 ? `the same ${a.lines.length} entries` : text.join('\n'), {
          from: a.digest,
          to: b.digest,
          ...changes,
        });
      }),
    );
}

function showCommand(vocabulary: Command, io: Io): void {
  vocabulary
    .command('show')
    .argument('[file]', 'vocabulary file, or base (default: what the configured policy pins)')
    .description('how many texts a vocabulary holds of each kind, and its digest')
    .addHelpText('after', '\nExample:\n  redactory vocabulary show --json')
    .action(
      action(io, async (context, _own, [file]) => {
        const { digest, size, counts } =
          file === undefined
            ? (await loadPolicy(context.config.policy)).vocabulary
            : await loadVocabulary(vocabularyPath(context, file));
        const kinds = Object.entries(counts).map(([kind, n]) => `  ${kind.padEnd(6)} ${n}`);
        context.print(`${size} entries, digest ${digest}\n${kinds.join('\n')}`, { digest, entries: size, counts });
      }),
    );
}

function listed(sign: string, sections: BySection): string[] {
  return Object.entries(sections).flatMap(([name, entries]) => [
    `[${name}]`,
    ...entries.map((entry) => `${sign} ${entry}`),
  ]);
}

/** What to do with a file that has been reviewed. */
export function howToPin(file: string, digest: string): string {
  return `wrote ${file}; a policy pins it with\n  vocabulary:\n    file: ${file}\n    digest: ${digest}`;
}

export function vocabularyPath({ io }: Pick<CommandContext, 'io'>, given: string): string {
  return given === 'base' ? packagePath('policies/vocabulary.txt') : resolve(io.cwd, given);
}
