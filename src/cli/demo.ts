import type { Command } from 'commander';
import { mkdtemp } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { loadPolicy } from '../privacy/policy.ts';
import { epochOf } from '../privacy/epoch.ts';
import { sessionName } from '../processors/stages.ts';
import type { Captured } from '../producers/captured.ts';
import { simulate } from '../producers/simulator/index.ts';
import { createIngest } from '../runtime/ingest.ts';
import { openWorkspace, type Workspace } from '../runtime/workspace.ts';
import { readTable, type TableRow } from '../sinks/index.ts';
import { action, wholeNumber, type CommandContext, type Io } from './io.ts';
import { runBoth } from './run.ts';
import { describeCounts } from './summary.ts';

interface Own {
  readonly people: number;
  readonly minutes: number;
  readonly seed: number;
}

export function demoCommand(program: Command, io: Io): void {
  program
    .command('demo')
    .description('made-up people, the whole line, then what came out and how to open the table')
    .option('--people <n>', 'how many people', wholeNumber(1, 1_000), 20)
    .option('--minutes <n>', 'how long each of them works', wholeNumber(1, 240), 15)
    .option('--seed <n>', 'same seed, same people', wholeNumber(0, 2 ** 32 - 1), 1)
    .addHelpText('after', '\nExamples:\n  redactory demo\n  redactory demo --people 100 --minutes 30 --data /tmp/demo')
    .action(
      action<Own>(io, async (context, own) => {
        // A demo must not mix its people with a folder that is in use, so without --data it gets one of its own.
        const data =
          context.options.data === undefined ? await mkdtemp(join(tmpdir(), 'redactory-demo-')) : context.config.data;
        const own1 = { ...context, config: { ...context.config, data, keys: keysIn(data, context) } };
        await demo(own1, own);
      }),
    );
}

function keysIn(data: string, context: CommandContext): CommandContext['config']['keys'] {
  return {
    ...context.config.keys,
    masterFile: join(data, 'keys', 'master.key'),
    ingestFile: join(data, 'keys', 'ingest.key'),
  };
}

async function demo(context: CommandContext, own: Own): Promise<void> {
  const started = performance.now();
  const workspace = await openWorkspace(context.config, context.io.env, context.io.now);
  try {
    const example = await simulateInto(workspace, own);
    const simulatedAt = performance.now();
    const result = await runBoth(context, workspace, { untilEnd: true });
    const seconds = {
      simulate: (simulatedAt - started) / 1000,
      run: (performance.now() - simulatedAt) / 1000,
    };
    const table = join(context.config.data, 'table');
    const released = example === null ? [] : await rowsOf(context, workspace, table, example);
    context.print(
      [
        describeCounts(result.sanitized),
        '',
        sideBySide(example, released),
        '',
        `${result.sink.rows.toLocaleString('en')} rows in ${table}`,
        `simulated in ${seconds.simulate.toFixed(1)} s, redacted and written in ${seconds.run.toFixed(1)} s`,
        '',
        'Open the table in Python (pip install deltalake pandas):',
        `  import deltalake; print(deltalake.DeltaTable("${table}").to_pandas())`,
      ].join('\n'),
      { ...result, seconds, table, example: { released } },
    );
  } finally {
    await workspace.close();
  }
}

/** Puts the simulation on the log; gives back one batch of raw events to show, with some typing in it. */
async function simulateInto(workspace: Workspace, own: Own): Promise<Captured | null> {
  const ingest = createIngest(workspace);
  const stream = simulate({ ...own, start: await workspace.trustedNow(), subjectKey: await workspace.subjectKeys() });
  let example: Captured | null = null;
  let best = 0;
  for (const simulated of stream) {
    if (simulated.kind === 'consent') {
      await ingest.decide(simulated.decision);
      continue;
    }
    const { record } = simulated;
    await ingest.capture(record);
    const score = record.envelope.sequence === 0 ? 0 : interest(record);
    if (score > best) [best, example] = [score, record];
  }
  await ingest.flush();
  return example;
}

/** Batches with typing, clicks and something secret show the most. */
function interest({ payload }: Captured): number {
  const kinds = new Set(payload.events.map((event) => event.kind));
  const typed = payload.events.filter((event) => event.kind === 'key_down').length;
  const wanted = ['key_down', 'pointer_down', 'clipboard', 'value_change', 'focus'] as const;
  return wanted.filter((kind) => kinds.has(kind)).length * 10 + Math.min(typed, 30) / 3;
}

async function rowsOf(
  context: CommandContext,
  workspace: Workspace,
  table: string,
  example: Captured,
): Promise<readonly TableRow[]> {
  const { policy } = await loadPolicy(context.config.policy);
  const tables = await workspace.controlTables(policy.consent.guardSeconds * 1000);
  await tables.catchUp();
  const { key, envelope } = example;
  const pseudonym = tables.keyring.pseudonym('session', epochOf(envelope.grantedAt), sessionName({ key, ...envelope }));
  const rows: TableRow[] = [];
  for await (const batch of (await readTable({ dir: table, zstd: workspace.zstd })).batches()) {
    rows.push(...batch.filter((row) => row.session === pseudonym));
  }
  return rows.toSorted((a, b) => a.step - b.step);
}

const SHOWN = 14;
const WIDTH = 58;

/** What a raw batch of one session holds, next to the first rows that were released of that session. */
function sideBySide(example: Captured | null, rows: readonly TableRow[]): string {
  if (example === null) return 'no session to show';
  const left = rawLines(example).slice(0, SHOWN);
  const right = rows.slice(0, SHOWN).map(rowLine);
  const lines = Array.from({ length: Math.max(left.length, right.length) }, (_, i) => {
    return `  ${cut(left[i] ?? '').padEnd(WIDTH)} | ${cut(right[i] ?? '')}`;
  });
  const head = `  ${'one made-up session on the raw log'.padEnd(WIDTH)} | what was released of it`;
  return [head, `  ${'-'.repeat(WIDTH)}-+-${'-'.repeat(WIDTH)}`, ...lines].join('\n');
}

const cut = (text: string): string => (text.length > WIDTH ? `${text.slice(0, WIDTH - 1)}…` : text);

function rawLines({ payload }: Captured): string[] {
  const lines = [`subject ${payload.subject}`, `device ${payload.device}`];
  let keys = '';
  let moves = 0;
  let place = '';
  const flush = (): void => {
    if (keys !== '') lines.push(`keys: ${keys}`);
    if (moves > 0) lines.push(`${moves} pointer positions`);
    [keys, moves] = ['', 0];
  };
  for (const event of payload.events) {
    const context = payload.contexts[event.context];
    const here =
      context === undefined ? '' : `${context.app}: ${context.title}${context.url === '' ? '' : ` (${context.url})`}`;
    if (here !== place) {
      flush();
      place = here;
      lines.push(here);
    }
    if (event.kind === 'key_down') keys += event.key.length === 1 ? event.key : `[${event.key}]`;
    else if (event.kind === 'pointer_move') moves++;
    else if (event.kind === 'clipboard') lines.push(`${event.op}: ${event.text}`);
    else if (event.kind === 'value_change') lines.push(`value: ${event.value}`);
    else if (event.kind === 'pointer_down') {
      flush();
      const name = payload.elements[event.element]?.name ?? '';
      lines.push(`press at ${event.x},${event.y} on "${name}"`);
    }
  }
  flush();
  return lines;
}

function rowLine(row: TableRow): string {
  const detail = [row.key, row.target_role, row.target, row.window, row.length, row.direction, row.count];
  return `${String(row.step).padStart(3)} ${row.action.padEnd(9)} ${detail.filter((text) => text !== null).join(' | ')}`;
}
