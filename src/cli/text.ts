import type { Command } from 'commander';
import { createReadStream } from 'node:fs';
import { basename, resolve } from 'node:path';
import type { Readable } from 'node:stream';
import { once } from 'node:events';
import type { Context } from '../events/raw.ts';
import { loadPolicy } from '../privacy/policy.ts';
import {
  createTextJudge,
  TEXT_FIELDS,
  type TextField,
  type TextJudge,
  type TextSample,
} from '../processors/judgeText.ts';
import { failIn, ImportError, type Fail } from '../producers/recordings/import-error.ts';
import { createFields, isObject, parseObject, type Fields } from '../producers/recordings/json.ts';
import { action, UsageError, type CommandContext, type Io } from './io.ts';
import { readLines } from './lines.ts';
import { policyOption } from './run.ts';

/** Room for the longest text of a recording, escaped. */
const MAX_LINE_BYTES = 1_048_576;
const MAX_ID_LENGTH = 1_024;

const HELP = `
Each line in is {"id", "field", "text"} and, if it is known, "context": {"app", "title", "url", "private"}.
Each line out is {"id", "field", "text"}: what a recording under this policy would release, or null.
field is one of ${TEXT_FIELDS.join(', ')}. The first line that is not right ends the command with 1.

Examples:
  redactory text samples.jsonl --policy recognizers --explain
  redactory text --policy strict --explain   # samples come in on stdin`;

export function textCommand(program: Command, io: Io): void {
  program
    .command('text')
    .argument('[file]', 'file of samples, one JSON object a line (default: what comes in on stdin)')
    .description('try a policy on samples: lines of JSON text in, lines of released text out')
    .addOption(policyOption())
    .option('--explain', 'say what recognisers found in each text, and why parts of it are not released')
    .addHelpText('after', HELP)
    .action(
      action<{ readonly explain?: boolean }>(io, async (context, own, args) => {
        const { policy, vocabulary } = await loadPolicy(context.config.policy);
        const judge = createTextJudge(policy, vocabulary);
        await judgeLines(context, args[0], own.explain === true ? explained(judge) : released(judge));
      }),
    );
}

/** What goes out for a line: the keys of one JSON object. */
type Answer = (line: SampleLine) => object;

const released =
  (judge: TextJudge): Answer =>
  ({ id, field, sample }) => ({ id, field, text: judge.release(sample) });

const explained =
  (judge: TextJudge): Answer =>
  ({ id, field, sample }) => {
    const { released: text, spans, reasons } = judge.explain(sample);
    return { id, field, text, kinds: [...new Set(spans.map(({ kind }) => kind))].toSorted(), spans, reasons };
  };

/** Answers lines as they come; those before a wrong one are answered all the same. */
async function judgeLines(context: CommandContext, file: string | undefined, answer: Answer): Promise<void> {
  const { stdout } = context.io;
  const name = file === undefined ? 'stdin' : basename(file);
  const fail = failIn(name);
  const parse = createSampleParser(fail);
  const stream = openInput(context, file);
  // A person at a terminal, or a pipe that says no more, would be waited for.
  context.signal.addEventListener('abort', () => stream.destroy(), { once: true });
  try {
    for await (const { first, lines } of readLines(stream, MAX_LINE_BYTES, fail)) {
      let out = '';
      try {
        for (const [i, line] of lines.entries()) {
          if (line.trim() !== '') out += `${JSON.stringify(answer(parse(line, first + i)))}\n`;
        }
      } finally {
        // A reader that is slower than this one sets the pace.
        if (out !== '' && !stdout.write(out)) await once(stdout, 'drain');
      }
    }
  } catch (error) {
    if (context.signal.aborted) return;
    throw isFileError(error)
      ? new ImportError(name, undefined, `cannot be read (${error.code}); name a file of samples`)
      : error;
  } finally {
    stream.destroy();
  }
}

function openInput({ io }: CommandContext, file: string | undefined): Readable {
  if (file !== undefined) return createReadStream(resolve(io.cwd, file));
  if (io.stdin === undefined) throw new UsageError('there is no input: name a file of samples');
  return io.stdin();
}

const isFileError = (error: unknown): error is Error & { readonly code: string } =>
  error instanceof Error && 'code' in error && 'syscall' in error && typeof error.code === 'string';

/** A checked line. */
interface SampleLine {
  readonly id: string | number;
  readonly field: TextField;
  readonly sample: TextSample;
}

const LINE_KEYS: ReadonlySet<string> = new Set(['id', 'field', 'text', 'context']);
const CONTEXT_KEYS: ReadonlySet<string> = new Set(['app', 'title', 'url', 'private']);

/** Makes the parser of lines. Its errors name line and key, and never hold anything that was read. */
function createSampleParser(fail: Fail): (text: string, line: number) => SampleLine {
  const fields = createFields(fail);
  return (text, line) => {
    const parsed = parseObject(text, line, fail);
    checkKeys(parsed, LINE_KEYS, '', line, fail);
    const field = TEXT_FIELDS.find((known) => known === parsed['field']);
    if (field === undefined) return fail(line, `field must be one of ${TEXT_FIELDS.join(', ')}`);
    const sample = {
      field,
      text: fields.text(parsed, 'text', line),
      context: toContext(parsed['context'], line, fields, fail),
    };
    return { id: toId(parsed['id'], line, fail), field, sample };
  };
}

function toId(id: unknown, line: number, fail: Fail): string | number {
  if (typeof id === 'string' && id.length <= MAX_ID_LENGTH) return id;
  if (typeof id === 'number' && Number.isFinite(id)) return id;
  return fail(line, `id must be a text of at most ${MAX_ID_LENGTH} characters, or a number`);
}

/** What a context leaves out is empty, as in capture-jsonl. */
function toContext(context: unknown, line: number, fields: Fields, fail: Fail): Context | undefined {
  if (context === undefined || context === null) return undefined;
  if (!isObject(context)) return fail(line, 'context must be an object or null');
  checkKeys(context, CONTEXT_KEYS, ' of context', line, fail);
  return {
    app: fields.optionalText(context, 'app', line),
    title: fields.optionalText(context, 'title', line),
    url: fields.optionalText(context, 'url', line),
    private: context['private'] === undefined ? false : fields.boolean(context, 'private', line),
  };
}

function checkKeys(of: object, known: ReadonlySet<string>, where: string, line: number, fail: Fail): void {
  for (const key of Object.keys(of)) {
    if (!known.has(key)) fail(line, `has an unknown key${where}; known: ${[...known].join(', ')}`);
  }
}
