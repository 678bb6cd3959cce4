/** Licences of all packages: only such as we have agreed to, and those of what is shipped are listed in docs/licences.md. */
import { resolve } from 'node:path';
import { describe, expect, it } from 'vitest';
import { lockedPackages, type Locked } from './lockfile.ts';

/** All ask for no more than a notice; a choice counts by what we choose. */
const SHIPPED = new Set(['0BSD', 'Apache-2.0', 'BSD-2-Clause', 'BSD-3-Clause', 'ISC', 'MIT', 'MIT or MPL-2.0']);
/** Used to build and to test; nothing of them is in what is shipped. */
const DEVELOPMENT = new Set([...SHIPPED, 'CC0-1.0', 'MPL-2.0']);

/** The lockfile has no licence of the platforms that it names by hand (decision 9): they have their parent package's. */
const PARENTS = [
  [/^@msgpackr-extract\//u, 'msgpackr-extract'],
  [/^@oxfmt\//u, 'oxfmt'],
  [/^@oxlint\//u, 'oxlint'],
  [/^@oxlint-tsgolint\//u, 'oxlint-tsgolint'],
] as const;

/** Say it in a file and not in their package.json. */
const IN_A_FILE: Readonly<Record<string, string>> = { '@kafkajs/confluent-schema-registry': 'MIT' };

const packages = lockedPackages();

function licenceOf({ name, license }: Locked): string {
  const told = license ?? IN_A_FILE[name];
  if (told !== undefined) return told;
  const parent = PARENTS.find(([pattern]) => pattern.test(name))?.[1];
  return packages.find((other) => other.name === parent)?.license ?? 'none';
}

describe('licences', () => {
  it('of what is shipped are those that we have agreed to', () => {
    const shipped = packages.filter(({ dev }) => dev !== true);
    expect(shipped.length).toBeGreaterThan(50);
    const others = shipped.filter((one) => !SHIPPED.has(licenceOf(one)));
    expect(others.map((one) => `${one.name}: ${licenceOf(one)}`)).toEqual([]);
  });

  it('of what is only used to build and to test likewise', () => {
    const others = packages.filter((one) => !DEVELOPMENT.has(licenceOf(one)));
    expect(others.map((one) => `${one.name}: ${licenceOf(one)}`)).toEqual([]);
  });

  it('are docs/licences.md as well', async () => {
    await expect(page()).toMatchFileSnapshot(resolve(import.meta.dirname, '../../docs/licences.md'));
  });
});

function page(): string {
  const names = new Map<string, Set<string>>();
  for (const one of packages.filter(({ dev }) => dev !== true)) {
    const licence = licenceOf(one);
    names.set(licence, (names.get(licence) ?? new Set<string>()).add(one.name));
  }
  const sections = [...names]
    .toSorted(([a], [b]) => (a < b ? -1 : 1))
    .map(
      ([licence, of]) =>
        `## ${licence}\n\n${[...of]
          .toSorted()
          .map((name) => `- \`${name}\`\n`)
          .join('')}`,
    );
  return `# Licences\n\n<!-- Made from package-lock.json: \`npm run licences\` writes it anew. -->\n\nOf every package that is installed with Redactory, on some platform or on all. Each asks for no more than that its notice\nis kept. What is used to build and to test only is not in this list.\n\n${sections.join('\n')}`;
}
