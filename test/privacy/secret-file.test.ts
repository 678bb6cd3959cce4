import { chmod, mkdir, mkdtemp, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { readSecretFile } from '../../src/privacy/keys/secret-file.ts';

let dir: string;
beforeEach(async () => {
  dir = await mkdtemp(join(tmpdir(), 'redactory-secret-'));
});
afterEach(() => rm(dir, { recursive: true }));

async function secret(text: string, mode = 0o600): Promise<string> {
  const path = join(dir, 'secret');
  await writeFile(path, text);
  await chmod(path, mode);
  return path;
}

describe('readSecretFile', () => {
  it.each([0o600, 0o400, 0o440])('reads a file of mode %o, without white space at its end', async (mode) => {
    expect(await readSecretFile(await secret(' pa ss \n', mode))).toBe(' pa ss');
  });

  it('follows links, as orchestrators mount secrets', async () => {
    await symlink(await secret('s'), join(dir, 'link'));
    expect(await readSecretFile(join(dir, 'link'))).toBe('s');
  });

  it.each([
    ['open to all', 'hunter2', 0o604, 'chmod o='],
    ['empty', ' \n', 0o600, 'is empty'],
    ['another file by its size', 'hunter2'.repeat(3_000), 0o600, 'larger than 16 KiB'],
  ])('refuses one that is %s, and does not tell it', async (_what, text, mode, message) => {
    const path = await secret(text, mode);
    const error: unknown = await readSecretFile(path).catch((reason: unknown) => reason);
    expect(String(error)).toContain(message);
    expect(String(error)).toContain(path);
    expect(String(error)).not.toContain('hunter2');
  });

  it('refuses a folder and a file that is not there', async () => {
    await mkdir(join(dir, 'folder'));
    await expect(readSecretFile(join(dir, 'folder'))).rejects.toThrow(/not a file/u);
    await expect(readSecretFile(join(dir, 'none'))).rejects.toThrow(/cannot be read \(ENOENT\)/u);
  });
});
