import { cp, mkdir, readdir, readFile, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { packagePath } from '../../src/package-path.ts';
import { makeDecision } from '../../src/privacy/decisions.ts';
import { byPeople } from '../../src/privacy/partition-selection.ts';
import { loadPolicy } from '../../src/privacy/policy.ts';
import { digestOf, loadVocabulary, vocabularyOf } from '../../src/privacy/vocabulary-file.ts';
import { compare, parseVocabulary } from '../../src/privacy/vocabulary.ts';
import type { PlantedString } from '../../src/producers/simulator/index.ts';
import { appendDecision } from '../../src/runtime/ingest.ts';
import { buildVocabulary } from '../../src/runtime/vocabulary/build.ts';
import { openTableStore, readTable, type TableRow } from '../../src/sinks/index.ts';
import { needlesOf, search, textHaystack } from '../leak/needles.ts';
import { readTopic } from '../simulation/oracle.ts';
import { createBench, type Bench } from './harness.ts';

let bench: Bench;
beforeEach(async () => {
  bench = await createBench();
});
afterEach(() => bench.remove());

interface Result {
  readonly digest: string;
  readonly entries: number;
  readonly counts: Readonly<Record<string, number>>;
  readonly people: string;
  readonly mechanism: { readonly kind: string };
  readonly warning: string | null;
}

const at = (name: string): string => join(bench.dir, name);
const build = (args: string): Promise<Result> =>
  bench.json<Result>(`vocabulary build --reason review-of-the-test ${args}`);
const simulate = (people: number, minutes = 3): Promise<unknown> =>
  bench.json(`simulate --people ${people} --minutes ${minutes} --seed 11 --truth truth`);
const planted = async (): Promise<PlantedString[]> =>
  (await readFile(at('truth'), 'utf8'))
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line) as PlantedString);

/** The strict policy with another vocabulary. */
async function policyOver(file: string, digest: string): Promise<string> {
  await mkdir(at('policies'), { recursive: true });
  const strict = await readFile(packagePath('policies/strict.yaml'), 'utf8');
  const policy = strict
    .replace('file: vocabulary.txt', `file: ../${file}`)
    .replace(/digest: sha256:[0-9a-f]{64}/u, `digest: ${digest}`);
  await writeFile(at(`policies/${file}.yaml`), policy);
  return `policies/${file}.yaml`;
}

async function rowsOf(name: string): Promise<TableRow[]> {
  const view = await readTable({ store: await openTableStore(join(bench.data, 'table-replays', name)) });
  const rows: TableRow[] = [];
  for await (const batch of view.batches()) rows.push(...batch);
  return rows;
}

it('200 people: built by k and by privacy budget, pinned, replayed; no planted string in either vocabulary or table', async () => {
  await simulate(200, 1);
  const needles = needlesOf(await planted(), await loadVocabulary(packagePath('policies/vocabulary.txt')));
  expect(needles.length).toBeGreaterThan(500);
  for (const [name, how] of [
    ['k', '--k 20'],
    ['dp', '--dp --epsilon 10 --delta 1e-4 --max-contributions 15'],
  ] as const) {
    const { digest, entries, people } = await build(`--base none ${how} --out ${name}.txt`);
    expect(entries).toBeGreaterThan(0);
    expect(people).toBe('100 to 999');
    const file = await readFile(at(`${name}.txt`), 'utf8');
    expect(search([textHaystack(name, file)], needles)).toEqual([]);

    const policy = await policyOver(`${name}.txt`, digest);
    await bench.json(`replay --policy ${policy} --into ${name} --no-compare`);
    const rows = await rowsOf(name);
    expect(search([textHaystack(`table ${name}`, JSON.stringify(rows))], needles)).toEqual([]);
    const texts = rows.flatMap(({ app, window, target, target_role }) => [app, window, target, target_role]);
    const kept = new Set(texts.flatMap((text) => text?.split(' - ') ?? []));
    const proposed = parseVocabulary(file, name).map(({ text }) => text);
    expect(proposed.filter((text) => kept.has(text)).length).toBeGreaterThan(entries / 4);
  }
  // What nearly all of them see is in both: chance has no part in that, or less than one in 10^9.
  const [k, dp] = [await readFile(at('k.txt'), 'utf8'), await readFile(at('dp.txt'), 'utf8')];
  expect(k).toContain('\nbutton\n');
  expect(dp).toContain('\ntextbox\n');
}, 600_000);

describe('vocabulary build', () => {
  it('writes a file for its owner, that says how it was made, and counts nobody', async () => {
    await simulate(12);
    const { digest, entries, counts } = await build(
      '--k 5 --base none --from 2020-01-01 --to 2040-01-01T08:00 --out a.txt',
    );
    expect(Object.values(counts).reduce((a, b) => a + b)).toBe(entries);
    expect((await stat(at('a.txt'))).mode & 0o777).toBe(0o600);
    const file = await readFile(at('a.txt'), 'utf8');
    const comments = file
      .split('\n')
      .filter((line) => line.startsWith('#'))
      .join('\n');
    expect(comments).toContain('mechanism: seen by at least 5 people each');
    expect(comments).toContain('stretch: 2020-01-01 to 2040-01-01\n');
    expect(comments).toContain('people: fewer than 20');
    expect(comments).toContain(`digest: ${digest}`);
    expect(comments).toMatch(/made on: \d{4}-\d{2}-\d{2}\n/u);
    expect(await loadVocabulary(at('a.txt'))).toHaveProperty('digest', digest);
    const sections = [...file.matchAll(/^\[(\w+)\]$/gmu)].map(([, name = '']) => name);
    expect(sections.join()).toBe(sections.toSorted(compare).join());
    expect(file.split('\n').filter((line) => line !== '' && !/^[#[]/u.test(line))).toHaveLength(entries);
  });

  it('gives the same with hardly any memory; no file of it is left, and none can be read', async () => {
    await simulate(30, 2);
    const whole = await build('--k 5 --base none --out a.txt');
    const { policy } = await loadPolicy(packagePath('policies/strict.yaml'));
    const spillDir = join(bench.data, 'vocabulary-spill');
    const built = await bench.withWorkspace(async (workspace) =>
      buildVocabulary(
        { asked: { from: null, to: null }, policy, known: vocabularyOf('', 'none'), selection: byPeople(5) },
        {
          ...workspace,
          subjectKey: await workspace.subjectKeys(),
          tables: await workspace.controlTables(5_000),
          sealed: 'required',
          fetch: { maxRecords: 7, maxBytes: 100_000 },
          memoryBytes: 20_000,
          spillDir,
          signal: new AbortController().signal,
        },
      ),
    );
    expect(built.spilledFiles).toBeGreaterThan(3);
    expect(digestOf(built.lines)).toBe(whole.digest);
    expect(await readdir(spillDir)).toEqual([]);
  });

  it('proposes nothing that the pinned vocabulary holds, and less to more people', async () => {
    await simulate(30);
    const all = await build('--k 5 --base none --out all.txt');
    const fresh = await build('--k 5 --out fresh.txt');
    const fewer = await build('--k 25 --base none --out fewer.txt');
    expect(fresh.entries).toBeLessThan(all.entries);
    expect(fewer.entries).toBeLessThan(all.entries);
    const base = await loadVocabulary(packagePath('policies/vocabulary.txt'));
    for (const { kind, text } of (await loadVocabulary(at('fresh.txt'))).entries) {
      expect(kind === 'text' ? (base.find(text.toLowerCase()) ?? base.findApp(text)) : undefined).toBeUndefined();
    }
    const { added } = await bench.json<{ added: Record<string, string[]> }>('vocabulary diff all.txt fewer.txt');
    expect(added).toEqual({});
  });

  it('reads the stretch that was asked for, and does not count who withdrew since', async () => {
    await simulate(12);
    expect(await build('--k 5 --base none --to 2000-01-01 --out before.txt')).toMatchObject({
      entries: 0,
      people: 'fewer than 20',
    });
    await bench.withWorkspace(async (workspace) => {
      const now = (await workspace.trustedNow()) + 3_600_000;
      const keys = new Set((await readTopic(workspace.log, 'interactions.raw')).map(({ key }) => key));
      for (const [i, subjectKey] of [...keys].entries()) {
        const decision = makeDecision('withdraw', { subjectKey, now, randomId: () => `decision-${i}-of-the-test` });
        await appendDecision(workspace.log, workspace.codec, decision);
      }
    });
    expect(await build('--k 2 --allow-low-k --base none --out after.txt')).toMatchObject({ entries: 0 });
  });

  it('says who looked at what and why, before and after, also when it fails and whatever the log’s level', async () => {
    await simulate(5, 1);
    const quiet = { env: { REDACTORY_LOG_LEVEL: 'error' } };
    const run = (out: string) =>
      bench.run(['vocabulary', 'build', '--k', '5', '--out', out, '--reason', 'the yearly review'], quiet);
    const entriesOf = (stderr: string) =>
      stderr
        .split('\n')
        .flatMap((line) => (line.startsWith('{"audit"') ? [JSON.parse(line) as Record<string, unknown>] : []));
    const good = entriesOf((await run('a.txt')).stderr);
    expect(good.map(({ stage }) => stage)).toEqual(['started', 'done']);
    for (const entry of good) {
      expect(entry).toMatchObject({
        audit: 'vocabulary build',
        why: 'the yearly review',
        who: expect.any(String) as string,
      });
      expect(entry['mechanism']).toBe('seen by at least 5 people each');
    }
    expect(good[1]).toMatchObject({
      people: 'fewer than 20',
      entries: expect.any(Number) as number,
      digest: expect.any(String) as string,
    });
    const bad = await run('nowhere/a.txt');
    expect(bad.code).toBe(1);
    expect(entriesOf(bad.stderr).map(({ stage }) => stage)).toEqual(['started', 'failed']);
    expect(bad.stderr).toContain('name a file in a folder that is there and yours');
  });

  it('with a budget leaves the number of people out of the file, and warns of a delta that is too large', async () => {
    await simulate(12, 1);
    await build('--dp --epsilon 1 --delta 1e-6 --max-contributions 3 --out a.txt');
    const file = await readFile(at('a.txt'), 'utf8');
    expect(file).toContain('epsilon 1, delta 0.000001 for one person more or less, who counts for at most 3 entries');
    expect(file).not.toContain('people:');
  });

  it('refuses to overwrite, and does not read raw for it', async () => {
    await writeFile(at('a.txt'), 'reviewed');
    const { code, stderr } = await bench.run('vocabulary build --out a.txt --reason again');
    expect(code).toBe(1);
    expect(stderr).toContain('is there already and may have been reviewed: give another name');
    expect(stderr).not.toContain('"audit"');
    expect(await readFile(at('a.txt'), 'utf8')).toBe('reviewed');
  });

  it.each([
    ['--out a.txt', "required option '--reason <text>'"],
    ['--reason trial', "required option '--out <file>'"],
    ['--reason x --out a.txt', 'one line of 3 to 300 characters'],
    [
      '--reason trial --out a.txt --k 4',
      '--k below 5 proposes what a small team shares: raise it, or add --allow-low-k',
    ],
    ['--reason trial --out a.txt --k 1 --allow-low-k', 'whole number from 2'],
    ['--reason trial --out a.txt --k 20 --dp', 'cannot be used with option'],
    ['--reason trial --out a.txt --dp --epsilon 1', '--dp needs --epsilon, --delta and --max-contributions'],
    ['--reason trial --out a.txt --epsilon 1', 'go with --dp'],
    ['--reason trial --out a.txt --dp --epsilon 11 --delta 1e-6 --max-contributions 1', 'number from 0.01 to 10'],
    ['--reason trial --out a.txt --dp --epsilon 1 --delta 0.1 --max-contributions 1', 'It must be a number from'],
    [
      '--reason trial --out a.txt --dp --epsilon 0.01 --delta 1e-6 --max-contributions 1000',
      'nothing would ever be kept',
    ],
    ['--reason trial --out a.txt --from 2026-03-02 --to 2026-03-01', '--from must be before --to'],
  ])('%s is wrong usage', async (args, message) => {
    const { code, stderr } = await bench.run(`vocabulary build ${args}`);
    expect(code).toBe(2);
    expect(stderr).toContain(message);
  });
});

describe('a proposed vocabulary', () => {
  const WORDS = '# Proposed.\n[apps]\nZebra Board\n[texts]\nGrazing plan\nSave as\n';
  beforeEach(async () => {
    await writeFile(at('proposed.txt'), WORDS);
    await cp(packagePath('policies/vocabulary.txt'), at('base.txt'));
  });

  it('is merged with the base into a file that a policy can pin; another does not start a worker', async () => {
    const merged = await bench.json<{ digest: string; entries: number; added: number; already: number }>(
      'vocabulary merge base proposed.txt --out merged.txt',
    );
    const base = await loadVocabulary(at('base.txt'));
    expect(merged).toMatchObject({ entries: base.size + 2, added: 2, already: 1 });
    expect(await readFile(at('merged.txt'), 'utf8')).toContain('# Proposed.\n');
    const policy = await policyOver('merged.txt', merged.digest);
    expect(await bench.json(`policy check ${policy}`)).toMatchObject({ vocabulary: { digest: merged.digest } });

    await writeFile(at('merged.txt'), '[texts]\nOne more\n', { flag: 'a' });
    await bench.json('simulate --people 2 --minutes 1');
    for (const command of [`replay --policy ${policy} --into trial`, `run --until-end --policy ${policy}`]) {
      const { code, stderr } = await bench.run(command);
      expect(code).toBe(2);
      expect(stderr).toContain(`pins ${merged.digest}, but ../merged.txt now has sha256:`);
      expect(stderr).not.toContain('One more');
    }
  });

  it('is compared with the base by section', async () => {
    const ran = await bench.json<Record<string, unknown>>('vocabulary diff proposed.txt base.txt');
    expect(ran).toMatchObject({ removed: { apps: ['Zebra Board'], texts: ['Grazing plan'] }, changed: {} });
    const other = await bench.run('vocabulary diff base proposed.txt');
    expect(other.code).toBe(0);
    expect(other.stdout).toMatch(/^\[apps\]\n\+ Zebra Board\n\[texts\]\n\+ Grazing plan\n/u);
    expect((await bench.run('vocabulary diff proposed.txt proposed.txt')).stdout).toBe('the same 3 entries\n');
  });

  it('is shown with its digest', async () => {
    const shown = await bench.json<Result>('vocabulary show proposed.txt');
    expect(shown).toMatchObject({ entries: 3, counts: { app: 1, text: 2 } });
  });

  it.each([
    ['vocabulary diff proposed.txt gone.txt', 'gone.txt: cannot be read (ENOENT): name a readable vocabulary file'],
    ['vocabulary merge base proposed.txt --out base.txt', 'is there already'],
    ['vocabulary show truth.txt', 'truth.txt:1: an entry before the first section'],
  ])('%s fails and says why', async (command, message) => {
    await writeFile(at('truth.txt'), 'Anna Miller\n');
    const { code, stderr } = await bench.run(command);
    expect(code).toBe(1);
    expect(stderr).toContain(message);
    expect(stderr).not.toContain('Anna');
  });
});
