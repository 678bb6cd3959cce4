/** What a run found, as text for a terminal, as JSON, and as a section of docs/privacy-model.md. */
import type { Attack, Form } from './attack.ts';
import { measureNamed, type Measure } from './measure.ts';
import type { AttackReport, ProofReport } from './run.ts';
import type { KeptTexts } from './utility/texts.ts';
import type { Verdict } from './verdict.ts';

// --- the table ---

export const COLUMNS = [
  'attack',
  'what is attacked',
  'measure',
  'figure',
  'chance',
  'raw',
  'shuffled',
  'verdict',
] as const;

/** One line a figure of the judged policy; the verdict stands with an attack's first. */
export function attackTable(report: ProofReport): readonly (readonly string[])[] {
  return report.attacks.flatMap((one) => rowsOf(one));
}

function rowsOf({ attack, outcome, judgements }: AttackReport): string[][] {
  const judgement = judgements[0];
  const verdict = judgement === undefined ? '' : [judgement.verdict, ...judgement.reasons].join('; ');
  if (outcome === undefined) return [[attack.name, '', '', '', '', '', '', verdict]];
  const forms = [...(outcome.released[0]?.forms ?? []), ...outcome.raw.slice(1)];
  const rows = forms.flatMap((form) =>
    form.measures.map((measure) => [
      form.name,
      measure.name,
      withRange(measure.value, measure.range),
      withRange(measure.chance, measure.chanceRange),
      sameFigure(outcome.raw[0], measure),
      sameFigure(outcome.control, measure),
    ]),
  );
  return rows.map((row, i) => [i === 0 ? attack.name : '', ...row, i === 0 ? verdict : '']);
}

function sameFigure(form: Form | undefined, { name }: Measure): string {
  const same = form?.measures.find((measure) => measure.name === name);
  return same === undefined ? '' : figure(same.value);
}

/** Three digits: more would pretend. */
export const figure = (value: number): string => (Number.isFinite(value) ? value.toFixed(3) : 'none');

const withRange = (value: number, [low, high]: Measure['range']): string =>
  low === high && low === value ? figure(value) : `${figure(value)} (${figure(low)} to ${figure(high)})`;

/** The run as text. */
export function describeReport(report: ProofReport): string {
  const { policies, seed, quick } = report;
  const lines = [
    `policy ${policies[0]?.name ?? ''}, seed ${seed}${quick ? ', quick: fewer people and rounds, not for a sign-off' : ''}; intervals of 95 %`,
    '',
    ...aligned([[...COLUMNS], ...attackTable(report)]),
  ];
  if (policies.length > 1) lines.push('', 'what each policy costs and gives:', '', ...aligned(policyTable(report)));
  else if (report.utility !== undefined) lines.push('', ...utilityLines(report));
  return lines.join('\n');
}

function aligned(rows: readonly (readonly string[])[]): string[] {
  const widths = widthsOf(rows);
  return rows.map((row) =>
    row
      .map((cell, i) => cell.padEnd(widths[i] ?? 0))
      .join('  ')
      .trimEnd(),
  );
}

function utilityLines(report: ProofReport): string[] {
  const [head = [], ...rows] = policyTable(report);
  const row = rows.at(-1) ?? [];
  return USES.map(
    ({ title }) => `${title}: ${row[head.indexOf(title)] ?? ''} (raw: ${rows[0]?.[head.indexOf(title)] ?? ''})`,
  );
}

// --- what each policy costs ---

interface Price {
  readonly attack: string;
  readonly measure: string;
}

/** The figures that stand for an attack where policies are compared; each in its first form. */
export const PRICES: readonly Price[] = [
  { attack: 'rhythm', measure: 'top-1' },
  { attack: 'rhythm', measure: 'AUC' },
  { attack: 'pointer', measure: 'top-1' },
  { attack: 'pointer', measure: 'AUC' },
  { attack: 'sentence', measure: 'top-1' },
  { attack: 'linkage', measure: 'top-1' },
  { attack: 'linkage', measure: 'AUC' },
  { attack: 'singling-out', measure: 'risk' },
  { attack: 'linkability', measure: 'risk' },
  { attack: 'inference', measure: 'risk' },
  { attack: 'membership', measure: 'AUC' },
  { attack: 'canaries', measure: 'found' },
];

interface Use {
  readonly title: string;
  readonly raw: string;
  readonly of: (report: ProofReport, policy: number) => string;
}

/** What the data are good for, next to it. */
export const USES: readonly Use[] = [
  { title: 'next action', raw: 'measured', of: ({ utility }, i) => figureOr(utility?.nextAction.released[i]?.value) },
  { title: 'windows kept', raw: '1.000', of: (report, i) => share(report, i, 'window', false) },
  { title: 'windows kept in part', raw: '1.000', of: (report, i) => share(report, i, 'window', true) },
  { title: 'URLs kept in part', raw: '1.000', of: (report, i) => share(report, i, 'url', true) },
  { title: 'targets kept', raw: '1.000', of: (report, i) => share(report, i, 'target', false) },
];

/** A line for raw data, then one a policy; what was not run is empty. */
export function policyTable(report: ProofReport): string[][] {
  const prices = PRICES.filter(({ attack }) => report.attacks.some((one) => one.attack.name === attack));
  const uses = report.utility === undefined ? [] : USES;
  const head = [
    'policy',
    ...prices.map(({ attack, measure }) => `${attack} ${measure}`),
    ...uses.map(({ title }) => title),
  ];
  const cells = (of: (one: AttackReport) => Form | undefined): string[] =>
    prices.map(({ attack, measure }) => {
      const form = report.attacks.flatMap((one) => (one.attack.name === attack ? [of(one)] : []))[0];
      return form === undefined ? '' : figure(measureNamed(form.measures, measure).value);
    });
  const rawUses = uses.map(({ raw }) => (raw === 'measured' ? figureOr(report.utility?.nextAction.raw.value) : raw));
  const rows = report.policies.map(({ name }, i) => [
    name,
    ...cells(({ outcome }) => outcome?.released[i]?.forms[0]),
    ...uses.map((use) => use.of(report, i)),
  ]);
  return [head, ['raw data', ...cells(({ outcome }) => outcome?.raw[0]), ...rawUses], ...rows];
}

const figureOr = (value: number | undefined): string => (value === undefined ? '' : figure(value));

function share({ utility }: ProofReport, policy: number, column: KeptTexts['column'], inPart: boolean): string {
  const kept = utility?.texts?.[policy]?.find((one) => one.column === column);
  if (kept === undefined || kept.shown === 0) return '';
  return figure((kept.whole + (inPart ? kept.partly : 0)) / kept.shown);
}

// --- the section of the privacy model ---

export const SECTION_BEGIN = '<!-- made by `redactory attack`: begin -->';
export const SECTION_END = '<!-- made by `redactory attack`: end -->';

/** The section, markers included, as the formatter leaves it. */
export function markdownSection(report: ProofReport): string {
  const { seed, quick, policies } = report;
  const transposed = transpose(policyTable(report));
  return [
    SECTION_BEGIN,
    '',
    `Policy ${policies[0]?.name ?? ''}, seed ${seed}${quick ? ', quick' : ''}. In brackets intervals of 95 %. "Shuffled" is the same attack where there is nothing`,
    'to find. "Chance" is what the strongest method would reach if it knew nothing.',
    '',
    ...markdownTable([[...COLUMNS], ...attackTable(report)]),
    '',
    'What each option costs and gives, each alone on top of its policy:',
    '',
    ...markdownTable(transposed),
    '',
    SECTION_END,
  ].join('\n');
}

function transpose(rows: readonly (readonly string[])[]): string[][] {
  return (rows[0] ?? []).map((_, i) => rows.map((row) => row[i] ?? ''));
}

function markdownTable(rows: readonly (readonly string[])[]): string[] {
  const widths = widthsOf(rows);
  const line = (row: readonly string[]): string =>
    `| ${row.map((cell, i) => cell.padEnd(widths[i] ?? 0)).join(' | ')} |`;
  const [head = [], ...others] = rows;
  return [line(head), `| ${widths.map((width) => '-'.repeat(width)).join(' | ')} |`, ...others.map(line)];
}

function widthsOf(rows: readonly (readonly string[])[]): number[] {
  const widths: number[] = [];
  for (const row of rows) {
    for (const [i, cell] of row.entries()) widths[i] = Math.max(widths[i] ?? 3, cell.length);
  }
  return widths;
}

// --- the verdict of the run ---

/** Attacks that speak against a release under the judged policy, with the verdict of each. */
export function objections(report: ProofReport): readonly { readonly attack: Attack; readonly verdict: Verdict }[] {
  return report.attacks.flatMap(({ attack, judgements }) => {
    const verdict = judgements[0]?.verdict ?? 'not run';
    return verdict === 'pass' || verdict === 'no target' ? [] : [{ attack, verdict }];
  });
}

/** The report as plain data. */
export function reportJson(report: ProofReport): unknown {
  return {
    seed: report.seed,
    quick: report.quick,
    policies: report.policies.map(({ name, policy, vocabulary }) => ({
      name,
      digest: policy.digest,
      vocabulary: vocabulary.digest,
    })),
    attacks: report.attacks.map(({ attack, outcome, judgements }) => ({
      attack: attack.name,
      asks: attack.asks,
      source: attack.source,
      targets: attack.targets.map(({ says }) => says),
      floor: { measure: attack.headline, atLeast: attack.floor },
      raw: outcome?.raw ?? null,
      shuffled: outcome?.control ?? null,
      released: (outcome?.released ?? []).map((released, i) => ({ ...released, ...judgements[i] })),
      ...(outcome === undefined ? { verdict: judgements[0]?.verdict, reasons: judgements[0]?.reasons } : {}),
    })),
    utility: report.utility ?? null,
  };
}
