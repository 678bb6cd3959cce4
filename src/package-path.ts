import { existsSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

/** Path of a file that comes with the package, from the sources as well as from the build. */
export function packagePath(relative: string): string {
  return join(root, relative);
}

/** The policies that come with the package, by the names under which they may be given. */
const SHIPPED_POLICIES: ReadonlySet<string> = new Set(['strict', 'balanced', 'recognizers']);

/** Path of a policy that comes with the package; undefined for any other name. */
export function shippedPolicy(name: string): string | undefined {
  return SHIPPED_POLICIES.has(name) ? packagePath(`policies/${name}.yaml`) : undefined;
}

const root = findRoot(dirname(fileURLToPath(import.meta.url)));

function findRoot(from: string): string {
  let folder = from;
  while (!existsSync(join(folder, 'package.json'))) {
    const parent = dirname(folder);
    if (parent === folder) throw new Error('the package.json of redactory is missing: install the package again');
    folder = parent;
  }
  return folder;
}
