import { Argument, type Command } from 'commander';
import { resolve } from 'node:path';
import { setImmediate } from 'node:timers/promises';
import {
  ATTACKS,
  describeReport,
  loadPolicyUnderTest,
  markdownSection,
  objections,
  OPTIONS,
  reportJson,
  runAttacks,
  type PolicyUnderTest,
} from '../proof/index.ts';
import { RunError } from '../runtime/run-error.ts';
import { action, UsageError, wholeNumber, type CommandContext, type Io } from './io.ts';
import { policyPath } from './policy.ts';
import { policyOption } from './run.ts';

interface Own {
  readonly all?: boolean;
  readonly policies?: string;
  readonly biometrics?: string;
  readonly seed: number;
  readonly quick?: boolean;
  readonly markdown?: boolean;
}

const UTILITY = 'utility';
const NAMES = [...ATTACKS.map(({ name }) => name), UTILITY];

export function attackCommand(program: Command, io: Io): void {
  program
    .command('attack')
    .description('attacks what a policy releases: who is known again, what was typed, what comes out')
    .addArgument(new Argument('[names...]', 'the attacks to run').choices(NAMES))
    .option('--all', 'all of them; missing data is a failure then')
    .addOption(policyOption())
    .option(
      '--policies <list>',
      'policies to compare it with, commas between, such as balanced,strict+pause=coarse; `options` stands for every option of strict',
    )
    .option('--biometrics <folder>', 'folder with biometrics/ and recordings/ (default: REDACTORY_DATA)')
    .option('--seed <n>', 'same seed, same figures', wholeNumber(0, 2 ** 32 - 1), 1)
    .option('--quick', 'fewer people and rounds: a try, not a sign-off')
    .option('--markdown', 'print the section for docs/privacy-model.md')
    .addHelpText(
      'after',
      '\nEnds with 1 when a target is missed, when an attack is too weak to count, or when its data is missing.' +
        '\n\nExamples:\n  redactory attack canaries membership\n  redactory attack --all --biometrics data --policies options',
    )
    .action(action<Own>(io, (context, own, names) => attack(context, own, names)));
}

async function attack(context: CommandContext, own: Own, names: readonly string[]): Promise<void> {
  const all = own.all === true;
  if (!all && names.length === 0) {
    throw new UsageError(`say which attacks to run, or --all; there are ${NAMES.join(', ')}`);
  }
  const report = await runAttacks({
    policies: await policiesOf(context, own),
    attacks: ATTACKS.filter(({ name }) => all || names.includes(name)),
    utility: all || names.includes(UTILITY),
    folder: folderOf(context.io, own),
    seed: own.seed,
    quick: own.quick === true,
    async tell(what) {
      await setImmediate();
      if (context.signal.aborted)
        throw new RunError('stopped before all attacks were done; nothing is proven, run it again');
      context.io.stderr.write(`attack: ${what}\n`);
    },
  });
  context.print(own.markdown === true ? markdownSection(report) : describeReport(report), reportJson(report));
  const against = objections(report).map(({ attack, verdict }) => `${attack.name} (${verdict})`);
  if (all && report.utility?.missing !== undefined) against.push(`${UTILITY} (not run: ${report.utility.missing})`);
  if (against.length > 0) throw new RunError(`this release is not proven: ${against.join(', ')}`);
}

/** The policy that is judged, and those to compare it with. */
async function policiesOf(context: CommandContext, own: Own): Promise<PolicyUnderTest[]> {
  const file = (name: string): string => policyPath(context, name);
  const judged = await loadPolicyUnderTest('', () => context.config.policy);
  const policies = [judged];
  const specs = (own.policies ?? '')
    .split(',')
    .flatMap((spec) => (spec.trim() === 'options' ? OPTIONS : [spec.trim()]));
  for (const spec of specs) {
    if (spec === '') continue;
    const other = await loadPolicyUnderTest(spec, file);
    if (policies.every(({ policy }) => policy.digest !== other.policy.digest)) policies.push(other);
  }
  return policies;
}

function folderOf(io: Io, own: Own): string | undefined {
  const folder = own.biometrics ?? io.env['REDACTORY_DATA'];
  return folder === undefined || folder === '' ? undefined : resolve(io.cwd, folder);
}
