import type { Command } from 'commander';
import { rmSync } from 'node:fs';
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
import { action, UsageError, withWorkspace, wholeNumber, type CommandContext, type Io } from './io.ts';
import { runBoth } from './run.ts';
import { serveUntilStopped } from './serving.ts';
import { withOwnSteward } from './steward.ts';
import { describeCounts } from './summary.ts';
import { openTable } from './table.ts';

interface Own {
  readonly people: number;
  readonly minutes: number;
  readonly seed: number;
  readonly open?: boolean;
}

export function demoCommand(program: Command, io: Io): void {
  program
    .command('demo')
    .description('made-up people, the whole line, then what came out and how to open the table')
    .option('--people <n>', 'how many people', wholeNumber(1, 1_000), 20)
    .option('--minutes <n>', 'how long each of them works', wholeNumber(1, 240), 15)
    .option('--seed <n>', 'same seed, same people', wholeNumber(0, 2 ** 32 - 1), 1)
    .option(
      '--open',
      'instead: a page to type, click and paste in, next to what is released of it; until it is stopped',
    )
    .addHelpText(
      'after',
      '\nExamples:\n  redactory demo\n  redactory demo --open\n  redactory demo --people 100 --minutes 30 --data /tmp/demo',
    )
    .action(action<Own>(io, (context, own) => (own.open === true ? playground(context) : demoIn(context, own))));
}

async function demoIn(context: CommandContext, own: Own): Promise<void> {
  // A demo must not mix its people with a folder that is in use, so without --data it gets one of its own.
  const data = context.options.data === undefined ? await temporaryFolder() : context.config.data;
  const table = context.options.table === undefined ? join(data, 'table') : context.config.table;
  await demo({ ...context, config: { ...configIn(data, context), table } }, own);
}

const temporaryFolder = (): Promise<string> => mkdtemp(join(tmpdir(), 'redactory-demo-'));

/** One machine, one folder. */
function configIn(data: string, context: CommandContext): CommandContext['config'] {
  return { ...context.config, data, kafka: null, registry: null, keys: keysIn(data, context) };
}

/** Many more than a page asks: nobody else is there. */
const REQUESTS_PER_MINUTE = 6_000;

/** The playground on a log of its own, which is gone when it is stopped; not when it is killed. */
async function playground(context: CommandContext): Promise<void> {
  if (context.options.data !== undefined || context.options.table !== undefined) {
    throw new UsageError('demo --open keeps nothing: leave out --data and --table');
  }
  const data = await temporaryFolder();
  // A second signal, and a stop that takes too long, end the process without a `finally`; so does a terminal that is closed.
  const remove = (): void => rmSync(data, { recursive: true, force: true, maxRetries: 3 });
  const onClosed = (): void => process.exit(129);
  process.once('exit', remove);
  process.on('SIGHUP', onClosed);
  try {
    const own = configIn(data, context);
    const gateway: typeof own.gateway = {
      ...own.gateway,
      host: '127.0.0.1',
      port: 0,
      tls: undefined,
      identity: { kind: 'tokens' },
      requestsPerMinute: REQUESTS_PER_MINUTE,
      playground: true,
    };
    const config = {
      ...own,
      gateway,
      table: join(data, 'table'),
      sink: { ...own.sink, flushSeconds: 1 },
      steward: { ...own.steward, url: undefined, pollSeconds: 1 },
    };
    const { policy } = await loadPolicy(config.policy);
    const { telemetry, io } = context;
    const whole = { ...context, config };
    await withWorkspace(whole, 'operator', (workspace) =>
      withOwnSteward(whole, (steward) =>
        besideTheLine(whole, workspace, (signal) =>
          serveUntilStopped({
            ...(steward === undefined ? {} : { view: steward.view }),
            workspace,
            policy,
            telemetry,
            signal,
            onServed({ playground: address }) {
              if (address === null) return;
              const page = address.replace('/playground#', '/me#');
              context.print(
                `The playground is ready: ${address}\nThe page of who is recorded there: ${page}\n\n` +
                  'Type, click and paste. Ctrl+C stops it and deletes all of it. Killed in another way (kill -9), it leaves\n' +
                  `what was typed in ${data}: delete that folder then.`,
                { address, page },
              );
              io.browse?.(address);
            },
          }),
        ),
      ),
    );
  } finally {
    remove();
    process.off('exit', remove);
    process.off('SIGHUP', onClosed);
  }
}

/** Runs `work` while the line fills the table; whichever of them fails first ends the other. */
async function besideTheLine(
  context: CommandContext,
  workspace: Workspace,
  work: (signal: AbortSignal) => Promise<void>,
): Promise<void> {
  const stop = new AbortController();
  const signal = AbortSignal.any([context.signal, stop.signal]);
  const stopping = async (done: Promise<unknown>): Promise<void> => {
    try {
      await done;
    } finally {
      stop.abort();
    }
  };
  const ended = await Promise.allSettled([
    stopping(work(signal)),
    stopping(runBoth({ ...context, signal }, workspace, {})),
  ]);
  for (const one of ended) if (one.status === 'rejected') throw one.reason;
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
  const workspace = await openWorkspace(context.config, context.io.env, { now: context.io.now });
  try {
    const beginnings = await simulateInto(workspace, own);
    const simulatedAt = performance.now();
    const result = await runBoth(context, workspace, { untilEnd: true }, () => {}, 'demo');
    const seconds = {
      simulate: (simulatedAt - started) / 1000,
      run: (performance.now() - simulatedAt) / 1000,
    };
    const { table } = context.config;
    const example = await chooseExample(context, workspace, beginnings);
    context.print(
      [
        describeCounts(result.sanitized),
        '',
        sideBySide(example),
        '',
        `${result.sink.rows.toLocaleString('en')} rows in ${table}`,
        `simulated in ${seconds.simulate.toFixed(1)} s, redacted and written in ${seconds.run.toFixed(1)} s`,
        '',
        'Open the table in Python (pip install deltalake pandas):',
        `  import deltalake; print(deltalake.DeltaTable("${table}").to_pandas())`,
      ].join('\n'),
      { ...result, seconds, table, example: example?.rows ?? [] },
    );
  } finally {
    await workspace.close();
  }
}

/** Sessions whose beginning is kept to choose an example from, and how many batches of each. */
const KEPT_SESSIONS = 60;
const KEPT_BATCHES = 10;

/** Puts the simulation on the log; gives back the first batches of some sessions. Made-up people: there is no harm in it. */
async function simulateInto(workspace: Workspace, own: Own): Promise<readonly Captured[][]> {
  const ingest = createIngest({ ...workspace, sealer: await workspace.sealer() });
  const stream = simulate({ ...own, start: await workspace.trustedNow(), subjectKey: await workspace.subjectKeys() });
  const beginnings = new Map<string, Captured[]>();
  for (const simulated of stream) {
    if (simulated.kind === 'consent') {
      await ingest.decide(simulated.decision);
      continue;
    }
    const { record } = simulated;
    await ingest.capture(record);
    const { session, sequence } = record.envelope;
    if (sequence === 0 && beginnings.size < KEPT_SESSIONS) beginnings.set(session, []);
    const kept = beginnings.get(session);
    if (kept?.length === sequence && sequence < KEPT_BATCHES) kept.push(record);
  }
  await ingest.flush();
  return [...beginnings.values()];
}

/** The beginning of a session, raw and released. */
interface Example {
  readonly captured: readonly Captured[];
  readonly rows: readonly TableRow[];
}

/** The session whose first rows show the most: kept texts, typing, different actions. */
async function chooseExample(
  context: CommandContext,
  workspace: Workspace,
  beginnings: readonly Captured[][],
): Promise<Example | null> {
  const { policy } = await loadPolicy(context.config.policy);
  const tables = await workspace.controlTables(policy.consent.guardSeconds * 1000);
  await tables.catchUp();
  const rowsOf = new Map<string, TableRow[]>();
  for (const captured of beginnings) {
    const first = captured[0];
    if (first === undefined) continue;
    const id = sessionName({ key: first.key, ...first.envelope });
    rowsOf.set(tables.keyring.pseudonym('session', epochOf(first.envelope.grantedAt), id) ?? '', []);
  }
  const store = await openTable(context, 'read');
  for await (const batch of (await readTable({ store, zstd: workspace.zstd })).batches()) {
    for (const row of batch) if (row.step < SHOWN) rowsOf.get(row.session)?.push(row);
  }
  let best: Example | null = null;
  for (const [i, rows] of [...rowsOf.values()].entries()) {
    rows.sort((a, b) => a.step - b.step);
    const example = { captured: beginnings[i] ?? [], rows };
    if (best === null || interest(example) > interest(best)) best = example;
  }
  return best;
}

function interest({ rows }: Example): number {
  const actions = new Set(rows.map((row) => row.action));
  const texts = rows.filter((row) => row.window !== null && row.target !== null && !row.target.includes('{'));
  const typed = rows.filter((row) => row.action === 'type' && row.length !== null && row.length !== '<4');
  const places = new Set(rows.map((row) => row.url ?? row.window));
  return actions.size * 2 + places.size * 3 + texts.length + typed.length * 2;
}

const SHOWN = 16;
const WIDTH = 58;

/** What the raw log holds of a session's beginning, next to what was released of it. */
function sideBySide(example: Example | null): string {
  if (example === null) return 'no session to show';
  const left = example.captured.flatMap((captured, i) => rawLines(captured, i === 0)).slice(0, 2 * SHOWN);
  const right = example.rows.map(rowLine);
  const lines = Array.from({ length: Math.max(left.length, right.length) }, (_, i) =>
    `  ${cut(left[i] ?? '').padEnd(WIDTH)} | ${cut(right[i] ?? '')}`.trimEnd(),
  );
  const head = `  ${'one made-up session as the raw log holds it'.padEnd(WIDTH)} | what was released of it`;
  return [head, `  ${'-'.repeat(WIDTH)}-+-${'-'.repeat(WIDTH)}`, ...lines].join('\n');
}

const cut = (text: string): string => (text.length > WIDTH ? `${text.slice(0, WIDTH - 1)}…` : text);

function rawLines({ payload }: Captured, isFirst: boolean): string[] {
  const lines = isFirst ? [`subject ${payload.subject}, device ${payload.device}`] : [];
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
  const place = row.url ?? row.window ?? row.app;
  const what = [row.key, row.target_role, row.target, row.length, row.direction, row.count].filter(
    (text) => text !== null,
  );
  return `${String(row.step).padStart(2)} ${row.action.padEnd(12)} ${what.join(' ')}${place === null ? '' : ` in ${place}`}`;
}
