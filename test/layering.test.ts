/** Conventions of the code that no compiler checks, as tests: docs/decisions says why they are there. */
import { readdirSync, readFileSync } from 'node:fs';
import { dirname, join, relative, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';

const SRC = fileURLToPath(new URL('../src', import.meta.url));

interface Import {
  readonly from: string;
  readonly to: string;
  /** Erased by the compiler: nothing of it is there at run time. */
  readonly typeOnly: boolean;
}

const IMPORT = /^(?:import|export)\s+(type\s)?([^;'"]*?\sfrom\s+)?'([^']+)'/gmu;
const DYNAMIC = /\bimport\(\s*'([^']+)'\s*\)/gu;

const files = readdirSync(SRC, { recursive: true, encoding: 'utf8' })
  .filter((file) => file.endsWith('.ts'))
  .toSorted();
const sources = new Map(files.map((file) => [file, readFileSync(join(SRC, file), 'utf8')]));

const imports: readonly Import[] = files.flatMap((from) => {
  const source = sources.get(from) ?? '';
  const target = (name: string): string =>
    name.startsWith('.') ? relative(SRC, resolve(SRC, dirname(from), name)) : name;
  const fixed = [...source.matchAll(IMPORT)].map(([, type, what = '', name = '']) => {
    // `import { type A, type B }` imports a module for its effects only; the convention is `import type`.
    return { from, to: target(name), typeOnly: type !== undefined && what !== '' };
  });
  const dynamic = [...source.matchAll(DYNAMIC)].map(([, name = '']) => ({ from, to: target(name), typeOnly: false }));
  return [...fixed, ...dynamic];
});

const layerOf = (file: string): string => file.split('/')[0] ?? '';
const told = ({ from, to }: Import): string => `${from} -> ${to}`;

/** What each folder may import of others; files beside the folders are helpers of all that read files of the package. */
const MAY_IMPORT: Readonly<Record<string, readonly string[]>> = {
  events: [],
  privacy: ['events'],
  processors: ['events', 'privacy'],
  producers: ['events', 'privacy'],
  sinks: ['events', 'privacy'],
  log: ['events'],
  runtime: ['events', 'privacy', 'processors', 'producers', 'sinks', 'log'],
  proof: ['events', 'privacy', 'processors', 'producers'],
  cli: ['events', 'privacy', 'processors', 'producers', 'sinks', 'log', 'runtime', 'proof'],
};

describe('imports go one way', () => {
  it('finds the sources', () => {
    expect(files).toContain('processors/pipeline.ts');
    expect(imports.map(told)).toContain('processors/pipeline.ts -> processors/openBatch.ts');
  });

  it.each(Object.keys(MAY_IMPORT))('%s', (layer) => {
    const allowed = new Set([layer, ...(MAY_IMPORT[layer] ?? [])]);
    const wrong = imports.filter(
      ({ from, to }) =>
        layerOf(from) === layer && to.includes('/') && layerOf(to) in MAY_IMPORT && !allowed.has(layerOf(to)),
    );
    expect(wrong.map(told)).toEqual([]);
  });

  it('every folder has a place in the order', () => {
    const folders = new Set(files.filter((file) => file.includes('/')).map(layerOf));
    expect([...folders].filter((folder) => !(folder in MAY_IMPORT))).toEqual([]);
  });
});

it("OpenTelemetry's libraries are loaded only where traces are on", () => {
  const users = new Set(imports.filter(({ to }) => to.startsWith('@opentelemetry/')).map(({ from }) => from));
  expect([...users]).toEqual(['runtime/traces-otel.ts']);
  const fixed = files.filter((file) =>
    /^(?:import|export)\s(?!type\s)[^;]*traces-otel\.ts'/mu.test(sources.get(file) ?? ''),
  );
  expect(fixed).toEqual([]);
  expect(imports.map(told)).toContain('runtime/traces.ts -> runtime/traces-otel.ts');
});

it('processors run in a browser: nothing that they need at run time is of Node', () => {
  const reached = new Set(files.filter((file) => layerOf(file) === 'processors'));
  for (const file of reached) {
    for (const { from, to, typeOnly } of imports) if (from === file && !typeOnly) reached.add(to);
  }
  expect([...reached]).toContain('privacy/recognizers/index.ts');
  expect([...reached].filter((name) => name.startsWith('node:'))).toEqual([]);
  expect([...reached].filter((name) => /\bprocess\.|\bBuffer\b/u.test(sources.get(name) ?? ''))).toEqual([]);
});

it('processors wait for nothing and write no logs', () => {
  const wrong = files.filter(
    (file) =>
      layerOf(file) === 'processors' &&
      /\b(?:async|await|Promise|console|setTimeout|Date\.now|Math\.random)\b/u.test(sources.get(file) ?? ''),
  );
  expect(wrong).toEqual([]);
});

it('one module knows the metrics library, and one more the logs’ looks', () => {
  const users = imports.filter(({ to }) => /^(?:pino|pino-pretty|prom-client)$/u.test(to)).map(({ from }) => from);
  expect([...new Set(users)].filter((file) => !['runtime/telemetry.ts', 'runtime/pretty.ts'].includes(file))).toEqual(
    [],
  );
});

it('only the unsealing step of the runtime opens what is sealed', () => {
  const opener = 'privacy/sealing/open.ts';
  expect(files).toContain(opener);
  expect(imports.filter(({ to }) => to === opener).map(({ from }) => from)).toEqual(['runtime/unseal.ts']);
  const users = imports.filter(({ to }) => to.startsWith('@hpke/')).map(({ from }) => from);
  expect([...new Set(users)].filter((file) => !file.startsWith('privacy/sealing/'))).toEqual([]);
});

it('a recorder seals in a browser: nothing that it needs for that is of Node', () => {
  const sealer = ['privacy/sealing/seal.ts', 'privacy/sealing/format.ts', 'events/raw.ts'];
  const needed = imports.filter(({ from, typeOnly }) => sealer.includes(from) && !typeOnly).map(({ to }) => to);
  expect(new Set(needed)).toEqual(new Set(['@hpke/core', 'privacy/sealing/format.ts', 'events/raw.ts']));
  expect(sealer.filter((file) => /\bprocess\.|\bBuffer\b/u.test(sources.get(file) ?? ''))).toEqual([]);
});

it('only release makes released batches', () => {
  const casts = files.filter((file) =>
    /\bas\s+(?:unknown\s+as\s+)?(?:readonly\s+)?ReleasedBatch\b|<ReleasedBatch>\s*[({]/u.test(sources.get(file) ?? ''),
  );
  expect(casts).toEqual(['processors/release.ts']);
});
