import { describe, expect, it } from 'vitest';
import { read, readText, trackedFiles } from './repository.ts';

const tracked = trackedFiles();
const files = tracked ?? [];

describe.skipIf(tracked === undefined)('what is tracked (skipped outside of a Git checkout)', () => {
  it.each([
    ['names no folder of somebody’s machine', /(?<![\w~./$}-])\/(?:root|work|home|Users)\/[^\s'"`)]*/gu],
    ['names no temporary folder but the one of an example', /(?<![\w~./$}-])\/tmp\/(?!demo\b)[^\s'"`)]*/gu],
    ['names no package registry', /https?:\/\/[^\s"'/]*(?:registry|artifactory|nexus|verdaccio)[^\s"'/]*/giu],
  ])('%s', (_what, pattern) => {
    const found = files.flatMap((path) => (readText(path)?.match(pattern) ?? []).map((hit) => `${path}: ${hit}`));
    expect(found).toEqual([]);
  });

  it('has a lockfile that works with any registry', () => {
    expect(read('package-lock.json')).not.toContain('"resolved"');
    expect(read('.npmrc')).toContain('omit-lockfile-registry-resolved=true');
    expect(read('.npmrc')).not.toMatch(/^\s*(?:@[\w-]+:)?registry\s*=/mu);
  });

  it('documents every variable that tests and CI read, and no other', () => {
    const readers = files.filter((path) => /^(?:test\/(?!docs\/)|\.ci\/|vitest\.config)/u.test(path));
    const byTests = readers.flatMap((path) =>
      [...(readText(path) ?? '').matchAll(/process\.env(?:\.|\[['"])(REDACTORY_[A-Z_]+)/gu)].map(([, name]) => name),
    );
    const inCi = [...read('.ci/run').matchAll(/^export (REDACTORY_[A-Z_]+)=/gmu)].map(([, name]) => name);
    const documented = [...read('CONTRIBUTING.md').matchAll(/^\| `(REDACTORY_[A-Z_]+)`/gmu)].map(([, name]) => name);
    expect(new Set(documented)).toEqual(new Set([...byTests, ...inCi]));
  });
});
