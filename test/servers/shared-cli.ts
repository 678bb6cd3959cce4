/** One build of the command line and the pages for all test files of a run, made when the first of them asks. */
import { execFile } from 'node:child_process';
import { copyFile, cp, mkdtemp, rm, symlink } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { promisify } from 'node:util';
import type { TestProject } from 'vitest/node';
import { openDesk } from './desk.ts';

declare module 'vitest' {
  interface ProvidedContext {
    /** Where a test process asks for the folder of the build. */
    cliBuild: string;
  }
}

/** Vitest's global setup. */
export default async function setup(project: TestProject): Promise<() => Promise<void>> {
  let built: Promise<string> | undefined;
  const forget = async (): Promise<void> => {
    // That it could not be built has been told to those who asked.
    const folder = await built?.catch(() => undefined);
    built = undefined;
    if (folder !== undefined) await rm(folder, { recursive: true, force: true });
  };
  const desk = await openDesk(() => (built ??= build()));
  project.provide('cliBuild', desk.url);
  // Sources have changed.
  project.onTestsRerun(forget);
  return async () => {
    desk.close();
    await forget();
  };
}

/** Compiles the sources as they are now into a package of its own in a temporary folder: `dist` may be older. */
async function build(): Promise<string> {
  const root = resolve(import.meta.dirname, '../..');
  const folder = await mkdtemp(join(tmpdir(), 'redactory-build-'));
  try {
    await buildInto(folder, root);
  } catch (error) {
    await rm(folder, { recursive: true });
    throw error;
  }
  return folder;
}

async function buildInto(folder: string, root: string): Promise<void> {
  const run = (script: string, ...args: string[]): Promise<unknown> =>
    promisify(execFile)(process.execPath, [script, ...args]);
  const copy = (part: string): Promise<void> => cp(join(root, part), join(folder, part), { recursive: true });
  const project = join(root, 'tsconfig.build.json');
  await run(join(root, 'node_modules/typescript/bin/tsc'), '-p', project, '--outDir', join(folder, 'dist'));
  for (const file of ['package.json', 'tsconfig.json']) await copyFile(join(root, file), join(folder, file));
  for (const part of ['bin', 'schemas', 'policies', 'clients', 'src']) await copy(part);
  await symlink(join(root, 'node_modules'), join(folder, 'node_modules'), 'dir');
  for (const pages of ['build-clients', 'build-page']) await run(join(folder, `dist/dev/${pages}.js`));
  // A package has no sources.
  for (const part of ['clients', 'src', 'tsconfig.json']) await rm(join(folder, part), { recursive: true });
}
