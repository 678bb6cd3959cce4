/** package-lock.json as the tests of the supply chain see it. */
import * as z from 'zod';
import { read } from '../docs/repository.ts';

const ENTRY = z.looseObject({
  version: z.string(),
  resolved: z.string().optional(),
  integrity: z.string().optional(),
  license: z.string().optional(),
  hasInstallScript: z.boolean().optional(),
  dev: z.boolean().optional(),
  optional: z.boolean().optional(),
  link: z.boolean().optional(),
  os: z.array(z.string()).optional(),
  cpu: z.array(z.string()).optional(),
});
export type Locked = z.output<typeof ENTRY> & { readonly path: string; readonly name: string };

/** Every package of the lockfile but our own, in its order. */
export function lockedPackages(): Locked[] {
  const { packages } = z
    .looseObject({ packages: z.record(z.string(), z.unknown()) })
    .parse(JSON.parse(read('package-lock.json')));
  return Object.entries(packages)
    .filter(([path]) => path !== '')
    .map(([path, entry]) => ({ ...ENTRY.parse(entry), path, name: path.split('node_modules/').at(-1) ?? path }));
}
