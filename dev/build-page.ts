/** Bundles the recorded worker's page: `node dist/dev/build-page.js` after `tsc`, as `npm run build` does. */
import { copyFile, mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { rolldown } from 'rolldown';
import { packagePath } from '../src/package-path.ts';

const COPIED = ['index.html', 'page.css', 'icon.svg'] as const;

/** The page's script as one ES module, not minified: whoever is recorded may read it. @throws when it cannot be one file. */
async function bundleScript(): Promise<string> {
  const bundle = await rolldown({
    input: packagePath('clients/page/page.ts'),
    platform: 'browser',
    transform: { target: 'es2022' },
  });
  const { output } = await bundle.generate({ format: 'es' });
  await bundle.close();
  const [first, ...others] = output;
  if (others.length > 0) throw new Error('the page must be one script: it imports something dynamically');
  return first.code;
}

/** Writes the page's files into a folder, from which `pagesIn` serves them. */
export async function buildPage(folder: string): Promise<void> {
  await mkdir(folder, { recursive: true });
  await Promise.all([
    bundleScript().then((code) => writeFile(join(folder, 'page.js'), code)),
    ...COPIED.map((name) => copyFile(packagePath(`clients/page/${name}`), join(folder, name))),
  ]);
}

if (import.meta.url === pathToFileURL(process.argv[1] ?? '').href) await buildPage(packagePath('dist/clients/page'));
