import { Writable } from 'node:stream';
import { CommanderError, type Command } from 'commander';
import { describe, expect, it } from 'vitest';
import { createProgram } from '../../src/cli/program.ts';
import { blocksOf, codeSpans, exists, page, read, trackedFiles, type Page } from './repository.ts';

const tracked = trackedFiles();
const pages = (tracked ?? []).filter((path) => path.endsWith('.md')).map(page);

/** A command line as a page shows it. In a sentence it may leave out what must be given. */
interface Shown {
  readonly path: string;
  readonly line: string;
  readonly whole: boolean;
}

const inScripts = pages.flatMap((from) =>
  scriptLines(from).map((line): Shown => ({ path: from.path, line, whole: true })),
);
const inSentences = pages.flatMap((from) =>
  codeSpans(from).map((line): Shown => ({ path: from.path, line, whole: false })),
);
const shown = [...inScripts, ...inSentences];
const commands = shown.filter(({ line }) => /^(?:npx )?redactory(?: [^<…]*)?$/u.test(line));

describe.skipIf(tracked === undefined)('commands on the pages (skipped outside of a Git checkout)', () => {
  it('are found', () => {
    expect(commands.length).toBeGreaterThan(10);
  });

  it.each(commands)('$path: $line', async ({ line, whole }) => {
    const words = wordsOf(line);
    expect(await complaint(words.slice(words.indexOf('redactory') + 1), whole)).toBeUndefined();
  });

  it('of npm name scripts that there are', () => {
    const parsed: unknown = JSON.parse(read('package.json'));
    const scripts = (parsed as { readonly scripts: Readonly<Record<string, string>> }).scripts;
    const names = shown.flatMap(({ line }) => [...line.matchAll(/\bnpm run ([\w:-]+)/gu)].map(([, name = '']) => name));
    expect(names.filter((name) => !(name in scripts))).toEqual([]);
  });

  it('of vitest name files that there are', () => {
    const files = shown.flatMap(({ line }) =>
      [...line.matchAll(/\bvitest run (test\/\S+)/gu)].map(([, file = '']) => file),
    );
    expect(files.length).toBeGreaterThan(0);
    expect(files.filter((file) => !exists(file))).toEqual([]);
  });
});

describe('the check itself', () => {
  it.each([
    ['an unknown command', 'redactory obey'],
    ['an unknown option', 'redactory run --until-dawn'],
    ['a value that is not allowed', 'redactory sink --to paper'],
    ['a number out of bounds', 'redactory consent pause --subject ana --minutes 31'],
    ['a word too many', 'redactory keys list all'],
    ['something missing', 'redactory consent pause --subject ana'],
  ])('finds %s', async (_what, line) => {
    expect(await complaint(wordsOf(line).slice(1), true)).toBeDefined();
  });

  it('lets a sentence leave out what must be given', async () => {
    expect(await complaint(['consent', 'pause'], false)).toBeUndefined();
  });
});

/** Lines of shell blocks, continued lines joined; what stands in a here-document is no command. */
function scriptLines(from: Page): readonly string[] {
  const scripts = blocksOf(from).filter(({ language }) => ['sh', 'bash', 'console'].includes(language));
  return scripts.flatMap(({ lines }) =>
    lines
      .join('\n')
      .replaceAll(/\\\n\s*/gu, '')
      .replaceAll(/<<'?(\w+)'?\n[\s\S]*?^\1$/gmu, '')
      .split('\n')
      .map((line) => line.replace(/^\$ /u, '').trim())
      .filter((line) => line !== ''),
  );
}

/** The words of the first simple command in a line of shell. */
function wordsOf(line: string): string[] {
  const words: string[] = [];
  for (const [word] of line.matchAll(/(?:"[^"]*"|'[^']*'|[^\s"'|&;<>#])+|[|&;<>#]/gu)) {
    if (/^[|&;<>#]$/u.test(word)) break;
    words.push(word.replaceAll(/["']/gu, ''));
  }
  return words;
}

/** What the command line says against these words; nothing is executed. */
async function complaint(words: readonly string[], whole: boolean): Promise<string | undefined> {
  const nowhere = new Writable({ write: (_chunk, _encoding, done) => done() });
  const io = { stdout: nowhere, stderr: nowhere, env: {}, cwd: '.', now: () => 0 };
  const program = disarmed(createProgram(io));
  if (words.length === 0) return undefined;
  try {
    await program.parseAsync(words, { from: 'user' });
    return undefined;
  } catch (error) {
    if (!(error instanceof CommanderError)) throw error;
    if (error.exitCode === 0 || (!whole && LEFT_OUT.has(error.code))) return undefined;
    return error.message;
  }
}

/** `commander.help` is a group named without one of its commands. */
const LEFT_OUT: ReadonlySet<string> = new Set([
  'commander.missingArgument',
  'commander.missingMandatoryOptionValue',
  'commander.help',
]);

function disarmed(command: Command): Command {
  if (command.commands.length === 0) command.action(() => undefined);
  else command.commands.forEach(disarmed);
  return command;
}
