import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { findAll, MIN_SCORE, RECOGNIZERS, toCodePoints, type Span } from '../../../src/privacy/recognizers/index.ts';
import { DIFFERENT, ENTITIES, type Entity } from './support/presidio.ts';
import { printTable } from './support/table.ts';

/** A labelled case; spans count code points, null when only their number is known. */
interface Case {
  readonly entity: string;
  readonly text: string;
  readonly expected_len: number;
  readonly spans: readonly (readonly [number, number])[] | null;
}

/** A number and whether its check digit holds; null when there is nothing to check. */
interface Check {
  readonly entity: string;
  readonly number: string;
  readonly valid: boolean | null;
}

const folder = process.env['REDACTORY_DATA'];
const GENERIC_SHARE = 0.95;
const CHECKED_SHARE = 0.99;

describe.skipIf(folder === undefined)('labelled cases of Presidio (skipped: REDACTORY_DATA names no folder)', () => {
  const cases = folder === undefined ? [] : (read(folder, 'presidio_cases.json') as readonly Case[]);
  const table: { kind: string; cases: number; right: number; different: number; sure: string }[] = [];

  it('has a name here for every entity', () => {
    expect([...new Set(cases.map(({ entity }) => entity))].filter((entity) => !(entity in ENTITIES))).toEqual([]);
  });

  it.each(Object.entries(ENTITIES).filter(([, entity]) => isLookedFor(entity)))('%s', (name, entity) => {
    const mine = cases.filter((each) => each.entity === name);
    const judged = mine.filter(({ text }) => !(digestOf(name, text) in DIFFERENT));
    const wrong = judged.filter((each) => !agrees(each, entity));
    table.push({
      kind: name,
      cases: mine.length,
      right: judged.length - wrong.length,
      different: mine.length - judged.length,
      sure: shareOfSure(judged, entity),
    });
    expect(mine.length).toBeGreaterThan(0);
    const enough =
      (judged.length - wrong.length) / judged.length >= (entity.hasCheck === true ? CHECKED_SHARE : GENERIC_SHARE);
    expect(enough ? [] : wrong.map(({ text }) => `${digestOf(name, text)} ${text}`)).toEqual([]);
  });

  afterAll(() =>
    printTable('labelled cases; sure: of those to be found, the share that needs no word beside it', table),
  );
});

describe.skipIf(folder === undefined)('check digits of Presidio (skipped: REDACTORY_DATA names no folder)', () => {
  const checks = folder === undefined ? [] : (read(folder, 'presidio_cases_checksums.json') as readonly Check[]);

  it.each([...new Set(checks.map(({ entity }) => entity))])('%s', (name) => {
    const entity = ENTITIES[name];
    const wrong = checks.filter((check) => {
      if (check.entity !== name || check.valid === null || digestOf(name, check.number) in DIFFERENT) return false;
      return spansOf(check.number, entity).length > 0 !== check.valid;
    });
    expect(wrong.map(({ number }) => `${digestOf(name, number)} ${number}`)).toEqual([]);
  });
});

/** Whether there is a recogniser of the kind at all; of plates, more than the one country's among the documents. */
function isLookedFor({ kind }: Entity): boolean {
  return RECOGNIZERS.some(({ kinds }) => kinds.some((each) => each === kind) && (kind !== 'plate' || kinds.length < 4));
}

function read(folder: string, file: string): unknown {
  return JSON.parse(readFileSync(join(folder, 'pii', file), 'utf8'));
}

const digestOf = (entity: string, text: string): string =>
  createHash('sha256').update(`${entity}\t${text}`).digest('hex').slice(0, 12);

/** What is found of one entity, weak matches too, in code points. */
function spansOf(text: string, entity: Entity | undefined): readonly Span[] {
  const found = findAll(
    text,
    RECOGNIZERS.filter(({ kinds }) => kinds.some((kind) => kind === entity?.kind)),
  ).filter(
    ({ kind, checked }) => kind === entity?.kind && (entity.checked ?? ['']).some((start) => checked.startsWith(start)),
  );
  return toCodePoints(text, withoutInner(found));
}

/** Of the texts in which something is to be found: in how many of them `recognize` would report it. */
function shareOfSure(cases: readonly Case[], entity: Entity): string {
  const full = cases.filter(({ expected_len }) => expected_len > 0);
  const sure = full.filter(({ text }) => spansOf(text, entity).some(({ score }) => score >= MIN_SCORE));
  return `${sure.length}/${full.length}`;
}

/** The longest of those that overlap, in order. */
function withoutInner(spans: readonly Span[]): Span[] {
  const kept: Span[] = [];
  for (const span of spans.toSorted((a, b) => a.start - b.start || b.end - a.end)) {
    if (span.start >= (kept.at(-1)?.end ?? 0)) kept.push(span);
  }
  return kept;
}

function agrees({ text, expected_len, spans }: Case, entity: Entity): boolean {
  const found = spansOf(text, entity);
  return (
    found.length === expected_len &&
    (spans ?? []).every(([start, end], i) => found[i]?.start === start && found[i].end === end)
  );
}
