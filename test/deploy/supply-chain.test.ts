/** What may come in with a package, and what is said about it. */
import { execFileSync } from 'node:child_process';
import { describe, expect, it } from 'vitest';
import * as z from 'zod';
import { read, ROOT, trackedFiles } from '../docs/repository.ts';
import { lockedPackages, type Locked } from './lockfile.ts';

const packages = lockedPackages();

/** Packages that have a script that runs at install, each with why it is not needed. docs/supply-chain.md has the same. */
const WITH_SCRIPTS: Readonly<Record<string, string>> = {
  lmdb: 'builds from source where no prebuilt package fits',
  'msgpackr-extract': 'builds from source where no prebuilt package fits',
  protobufjs: 'warns about version ranges; development only',
};

const manifest = z
  .looseObject({
    dependencies: z.record(z.string(), z.string()),
    devDependencies: z.record(z.string(), z.string()),
  })
  .parse(JSON.parse(read('package.json')));

describe('package.json', () => {
  it('ships no package that nothing of ours imports', () => {
    const sources = (trackedFiles() ?? []).filter((path) => /^(?:src|bin|clients)\/.*\.[jt]sx?$/u.test(path)).map(read);
    if (sources.length === 0) return; // An unpacked archive.
    const isImported = (name: string): boolean =>
      sources.some((text) => text.includes(`'${name}'`) || text.includes(`'${name}/`));
    expect(Object.keys(manifest.dependencies).filter((name) => !isImported(name))).toEqual([]);
  });
});

describe('package-lock.json', () => {
  it('has install scripts only of packages that are listed, each with a reason', () => {
    const scripted = packages.filter(({ hasInstallScript }) => hasInstallScript === true).map(({ name }) => name);
    expect(new Set(scripted)).toEqual(new Set(Object.keys(WITH_SCRIPTS)));
    const page = read('docs/supply-chain.md');
    for (const [name, why] of Object.entries(WITH_SCRIPTS)) {
      expect(page).toMatch(new RegExp(`\\| \`${name}\` +\\| ${why} +\\|`, 'u'));
    }
  });

  it('has a checksum of everything that is installed on Linux x64 and arm64', () => {
    const unchecked = packages.filter(({ integrity }) => integrity === undefined);
    expect(unchecked.filter(isForLinux).map(({ path }) => path)).toEqual([]);
    // What is left out is what decision 9 says: binaries for other platforms, which npm may leave out.
    expect(unchecked.filter(({ optional, os }) => optional !== true || os === undefined)).toEqual([]);
  });

  it('has strong checksums', () => {
    const weak = packages.filter(
      ({ integrity }) => integrity !== undefined && !/^sha512-[\w+/]{86}==$/u.test(integrity),
    );
    expect(weak.map(({ path }) => path)).toEqual([]);
  });

  it('has packages of the registry only: no folder, no Git, no address', () => {
    const elsewhere = packages.filter(
      ({ version, resolved, link }) => resolved !== undefined || link === true || !/^\d/u.test(version),
    );
    expect(elsewhere.map(({ path }) => path)).toEqual([]);
  });

  it('is what package.json asks for, in exact versions', () => {
    for (const [name, version] of Object.entries({ ...manifest.dependencies, ...manifest.devDependencies })) {
      const locked = packages.find(({ path }) => path === `node_modules/${name}`);
      expect({ name, version: locked?.version }).toEqual({ name, version });
    }
  });
});

describe('npm run sbom', () => {
  it('lists every package, and marks those that are not shipped', () => {
    const { scripts } = z
      .looseObject({ scripts: z.record(z.string(), z.string()) })
      .parse(JSON.parse(read('package.json')));
    const [command = '', file] = (scripts['sbom'] ?? '').split(' > ');
    expect(file).toBe('sbom.json');
    const [npm = '', ...args] = command.split(' ');
    const sbom = execFileSync(npm, args, { cwd: ROOT, encoding: 'utf8', maxBuffer: 1 << 26 });
    const { bomFormat, components } = z
      .looseObject({
        bomFormat: z.literal('CycloneDX'),
        components: z.array(
          z.looseObject({
            name: z.string(),
            version: z.string(),
            properties: z.array(z.object({ name: z.string(), value: z.string() })),
          }),
        ),
      })
      .parse(JSON.parse(sbom));
    expect(bomFormat).toBe('CycloneDX');
    const told = ({ name, version }: { readonly name: string; readonly version: string }): string =>
      `${name}@${version}`;
    const isShipped = ({ properties }: (typeof components)[number]): boolean =>
      !properties.some(({ name, value }) => name === 'cdx:npm:package:development' && value === 'true');
    // Not by npm's own `--omit dev`: it leaves out what is shipped as soon as something of development needs it too.
    const shipped = packages.filter(({ dev }) => dev !== true);
    expect(new Set(components.filter(isShipped).map(told))).toEqual(new Set(shipped.map(told)));
    expect(new Set(components.map(told))).toEqual(new Set(packages.map(told)));
  });
});

function isForLinux({ os, cpu, name }: Locked): boolean {
  const isOs = os === undefined || os.includes('linux');
  const isCpu = cpu === undefined || cpu.includes('x64') || cpu.includes('arm64');
  return isOs && isCpu && !name.endsWith('-musl');
}
