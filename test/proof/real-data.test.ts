/** The attacks on real people: they succeed on raw data, and find nothing where nothing is. */
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import { ATTACKS, loadPolicyUnderTest, runAttacks, type AttackReport } from '../../src/proof/index.ts';
import { isAtChance, measureNamed } from '../../src/proof/measure.ts';
import { weaknesses } from '../../src/proof/verdict.ts';

const folder = process.env['REDACTORY_DATA'];
const why = folder === undefined ? ' (skipped: REDACTORY_DATA names no folder of real recordings)' : '';
const SLOW = 900_000;

const strict = (): string => fileURLToPath(new URL('../../policies/strict.yaml', import.meta.url));

const reports = new Map<string, Promise<AttackReport>>();
function run(name: string): Promise<AttackReport> {
  const running = reports.get(name) ?? runOne(name);
  reports.set(name, running);
  return running;
}

async function runOne(name: string): Promise<AttackReport> {
  const report = await runAttacks({
    policies: [await loadPolicyUnderTest('strict', strict)],
    attacks: ATTACKS.filter((attack) => attack.name === name),
    folder,
    seed: 1,
    // A part of the sentences or people would leave a figure with a spread as wide as what the target allows.
    quick: name === 'rhythm',
    utility: false,
    tell: () => Promise.resolve(),
  });
  const [only] = report.attacks;
  if (only === undefined) throw new Error(`there is no attack ${name}`);
  return only;
}

function released({ outcome }: AttackReport, form: string, measure: string) {
  const found = outcome?.released[0]?.forms.find(({ name }) => name === form);
  return measureNamed(found?.measures ?? [], measure);
}

describe.skipIf(folder === undefined)(`attacks on real people${why}`, () => {
  it.each(['rhythm', 'pointer', 'sentence'])(
    '%s: succeeds on raw data, and not on shuffled',
    async (name) => {
      const { attack, outcome } = await run(name);
      expect(outcome).toBeDefined();
      if (outcome === undefined) return;
      expect(weaknesses(attack, outcome)).toEqual([]);
      for (const measure of outcome.raw[0]?.measures ?? []) expect(isAtChance(measure)).toBe(false);
    },
    SLOW,
  );

  it(
    'rhythm: under strict nobody is known again',
    async () => {
      expect((await run('rhythm')).judgements[0]).toEqual({ verdict: 'pass', reasons: [] });
    },
    SLOW,
  );

  it(
    'sentence: among sentences of one length, the right one is not known under strict',
    async () => {
      const { value, chance } = released(await run('sentence'), 'table, same length', 'top-1');
      expect(value).toBeLessThanOrEqual(1.2 * chance);
    },
    SLOW,
  );

  it(
    'pointer: under strict nobody is known again',
    async () => {
      expect((await run('pointer')).judgements[0]).toEqual({ verdict: 'pass', reasons: [] });
    },
    SLOW,
  );

  it(
    'sentence: among sentences of one length bucket, the right one is not known under strict',
    async () => {
      const { value, chance } = released(await run('sentence'), 'table, same bucket', 'top-1');
      expect(value).toBeLessThanOrEqual(1.2 * chance);
    },
    SLOW,
  );
});
