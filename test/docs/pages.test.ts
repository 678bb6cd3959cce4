import { posix } from 'node:path';
import { describe, expect, it } from 'vitest';
import { DROP_REASONS, QUARANTINE_REASONS } from '../../src/events/outcome.ts';
import { AUDITED_WORK } from '../../src/runtime/audit.ts';
import { SPAN_KINDS } from '../../src/privacy/recognizers/index.ts';
import { TEXT_FIELDS, TEXT_REASONS } from '../../src/processors/judgeText.ts';
import { COLUMNS } from '../../src/sinks/index.ts';
import { codeSpans, exists, page, read, trackedFiles, type Page } from './repository.ts';

const tracked = trackedFiles();
const pages = (tracked ?? []).filter((path) => path.endsWith('.md')).map(page);

describe.skipIf(tracked === undefined)('every page (skipped outside of a Git checkout)', () => {
  it('is found', () => {
    expect(pages.map(({ path }) => path)).toEqual(
      expect.arrayContaining(['CHANGELOG.md', 'CONTRIBUTING.md', 'docs/policy.md', 'docs/privacy-model.md']),
    );
  });

  it.each(pages)('$path: its relative links lead somewhere', (from) => {
    expect(linksOf(from).filter((link) => !leadsSomewhere(from, link))).toEqual([]);
  });

  it.each(pages)('$path: the files of this project that it names are there', (from) => {
    const named = codeSpans(from).filter((code) => PROJECT_PATH.test(code));
    expect(named.filter((path) => !exists(path))).toEqual([]);
  });
});

/** A path from the root; with a placeholder or a pattern in it, it is no path. */
const PROJECT_PATH = /^(?:src|test|docs|bench|policies|schemas|bin|\.ci)\/[\w./-]*$/u;

describe('docs/trying-a-policy.md', () => {
  it('explains every field and every reason, and no other', () => {
    const { text } = page('docs/trying-a-policy.md');
    const reasons = text.slice(text.indexOf('| reason ')).matchAll(/^\| `(\w+)` +\|/gmu);
    expect(Array.from(reasons, ([, name]) => name)).toEqual(TEXT_REASONS);
    expect(text).toContain(
      TEXT_FIELDS.slice(0, -1)
        .map((field) => `\`${field}\``)
        .join(', '),
    );
  });
});

it('docs/audit.md tells of all that is recorded, once, and of nothing else', () => {
  const section = /## What is recorded[\s\S]*?^What only/mu.exec(page('docs/audit.md').text)?.[0] ?? '';
  const cells = [...section.matchAll(/^\| (`[^|]+) \|/gmu)].map(([, cell = '']) => cell).slice(1);
  const told = cells.flatMap((cell) => [...cell.matchAll(/`([^`]+)`/gu)].map(([, what]) => what));
  expect(told).toHaveLength(new Set(told).size);
  expect(new Set(told)).toEqual(new Set(AUDITED_WORK));
});

describe('docs/privacy-model.md', () => {
  const model = page('docs/privacy-model.md');
  const rules = model.text.split(/^(?=### \d)/mu).slice(1);

  it('goes through nine rules, each with its code, tests, choices and limits', () => {
    expect(rules.map((rule) => /^### (\d)/u.exec(rule)?.[1])).toEqual('123456789'.split(''));
    for (const rule of rules) {
      for (const part of ['It says', 'Why', 'Code', 'Tests', 'A policy can change', 'Limits']) {
        expect(rule).toContain(`**${part}:**`);
      }
    }
  });

  const named = testsNamedIn(model.text);
  it('names tests for every rule', () => {
    expect(named.length).toBeGreaterThan(9);
    expect(rules.filter((rule) => testsNamedIn(rule).length === 0)).toEqual([]);
  });

  it.each(named)('$file has the tests that it names', ({ file, titles }) => {
    const source = unescaped(read(file));
    expect(titles.length).toBeGreaterThan(0);
    expect(titles.filter((title) => !isTitleIn(source, title))).toEqual([]);
  });

  it('explains every reason for which something is dropped or quarantined, and no other', () => {
    const rows = model.text.slice(model.text.indexOf('## Conservation')).matchAll(/^\| (`[^|]+) \|/gmu);
    const explained = [...rows].flatMap(([, cell = '']) => [...cell.matchAll(/`(\w+)`/gu)].map(([, name]) => name));
    expect(explained).toHaveLength(new Set(explained).size);
    expect(new Set(explained)).toEqual(new Set([...DROP_REASONS, ...QUARANTINE_REASONS]));
  });

  it('says of every column what it can reveal, in the table’s order', () => {
    const section = /## The table's columns[\s\S]*?^## /mu.exec(model.text)?.[0] ?? '';
    const rows = [...section.matchAll(/^\| `(\w+)`/gmu)].map(([, name]) => name);
    expect(rows).toEqual(COLUMNS.map(({ name }) => name));
  });
});

describe('CHANGELOG.md', () => {
  it('has a section for what is not released yet, before all others', () => {
    const sections = [...read('CHANGELOG.md').matchAll(/^## (.+)$/gmu)].map(([, title]) => title);
    expect(sections[0]).toBe('[Unreleased]');
  });
});

/** Targets of links and images that are not addresses. */
function linksOf({ prose }: Page): readonly string[] {
  const targets = [...prose.matchAll(/\]\(<?([^)\s>]+)>?(?:\s+"[^"]*")?\)/gu)].map(([, target = '']) => target);
  return targets.filter((target) => !/^(?:[a-z][a-z0-9+.-]*:|\/\/)/iu.test(target));
}

function leadsSomewhere(from: Page, link: string): boolean {
  const [path = '', anchor] = link.split('#');
  const target = path === '' ? from.path : posix.join(posix.dirname(from.path), decodeURIComponent(path));
  if (target.startsWith('..') || !exists(target)) return false;
  return anchor === undefined || headingsOf(page(target)).includes(anchor);
}

/** As GitHub makes anchors of headings. */
function headingsOf({ prose }: Page): readonly string[] {
  return [...prose.matchAll(/^#{1,6} (.+)$/gmu)].map(([, heading = '']) =>
    heading
      .trim()
      .toLowerCase()
      .replaceAll(/[^\p{L}\p{N}\p{M}\s_-]/gu, '')
      .replaceAll(/\s/gu, '-'),
  );
}

interface NamedTests {
  readonly file: string;
  readonly titles: readonly string[];
}

/** Lines such as: - `test/a.test.ts`: "a title"; "another" */
function testsNamedIn(text: string): readonly NamedTests[] {
  return [...text.matchAll(/^- `(test\/[^`]+)`: (.+)$/gmu)].map(([, file = '', list = '']) => ({
    file,
    titles: [...list.matchAll(/"([^"]+)"/gu)].map(([, title = '']) => title),
  }));
}

const unescaped = (source: string): string => source.replaceAll(/\\(['"`])/gu, '$1');

/** The title is the whole of a string literal, not a part of something else. */
const isTitleIn = (source: string, title: string): boolean =>
  ["'", '"', '`'].some((quote) => source.includes(`${quote}${title}${quote}`));

it('docs/recognizers.md has every kind of span', () => {
  const kinds = [...page('docs/recognizers.md').text.matchAll(/^\| `(\w+)`/gmu)].map(([, kind]) => kind);
  expect(new Set(kinds)).toEqual(new Set(SPAN_KINDS));
  expect(kinds.length).toBe(SPAN_KINDS.length);
});
