/** Bundles and minifies the recorder for web pages: `node dist/dev/build-clients.js` after `tsc`, as `npm run build` does. */
import { copyFile, mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { rolldown, type OutputChunk } from 'rolldown';
import { loadContracts, schemaIds } from '../src/events/schemas.ts';
import { packagePath } from '../src/package-path.ts';

/** What the recorder's sources leave open until they are bundled: the id of the payload's schema is its fingerprint. */
export function recorderDefines({ tap = false } = {}): Record<string, string> {
  const payload = schemaIds(loadContracts()).idOf('CapturePayload');
  return { CAPTURE_PAYLOAD_SCHEMA_ID: String(payload), WITH_TAP: String(tap) };
}

/** The recorder as one minified ES module. @throws when it cannot be bundled into one file. */
export async function bundleRecorder(): Promise<string> {
  const bundle = await rolldown({
    input: packagePath('clients/web/recorder.ts'),
    platform: 'browser',
    transform: { define: recorderDefines(), target: 'es2022' },
  });
  const { output } = await bundle.generate(OUTPUT);
  await bundle.close();
  const [first, ...others] = output;
  if (others.length > 0) throw new Error('the recorder must be one file: it imports something dynamically');
  return (first satisfies OutputChunk).code;
}

/**
 * Names of properties that only the recorder's own files use, which may be shortened: none that the page, the protocol or
 * whoever embeds the recorder knows. A name that is missing here costs some bytes, no more.
 */
const INTERNAL =
  /^(?:sizeNow|eventCount|known|rows|waiting|filling|closing|overAt|rules|arrive|wants|take|guard|onHidden|retryMs|said|rowOf|kind|at|dx|dy|op|bounds|role|count|content|sequence|path|entered|pressed|outcome|put|seal|pack|payload|grant)$/u;

const OUTPUT = {
  format: 'es',
  comments: false,
  minify: { compress: true, mangle: true, mangleProps: { include: INTERNAL }, codegen: true },
} as const;

async function writeRecorder(): Promise<void> {
  const folder = packagePath('dist/clients/web');
  await mkdir(folder, { recursive: true });
  await writeFile(join(folder, 'recorder.js'), await bundleRecorder());
}

/** The playground's page: its script with the recorder's sources in it, and its other files as they are. */
export async function writePlayground(folder: string): Promise<void> {
  const from = packagePath('clients/playground');
  await mkdir(folder, { recursive: true });
  const bundle = await rolldown({
    input: join(from, 'main.ts'),
    platform: 'browser',
    transform: { define: recorderDefines({ tap: true }), target: 'es2022' },
  });
  await bundle.write({ file: join(folder, 'playground.js'), format: 'es', minify: true });
  await bundle.close();
  for (const name of ['index.html', 'style.css', 'icon.svg']) await copyFile(join(from, name), join(folder, name));
}

if (import.meta.url === pathToFileURL(process.argv[1] ?? '').href) {
  await writeRecorder();
  await writePlayground(packagePath('dist/clients/playground'));
}
