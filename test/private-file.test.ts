import { mkdtemp, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { openPrivateFile } from '../src/private-file.ts';

let dir: string;
beforeEach(async () => {
  dir = await mkdtemp(join(tmpdir(), 'redactory-private-'));
});
afterEach(() => rm(dir, { recursive: true, force: true }));

const modeOf = async (path: string): Promise<number> => (await stat(path)).mode & 0o777;

describe('a private file', () => {
  it.each(['new', 'there'])('is for its owner only and begins empty: %s', async (name) => {
    const path = join(dir, name);
    await writeFile(join(dir, 'there'), 'what was there before', { mode: 0o644 });
    const file = await openPrivateFile(path);
    await file.writeFile('x');
    await file.close();
    expect(await modeOf(path)).toBe(0o600);
    expect(await readFile(path, 'utf8')).toBe('x');
  });

  it.skipIf(process.platform === 'win32')('leaves the mode of a device as it is', async () => {
    const before = await modeOf('/dev/null');
    await (await openPrivateFile('/dev/null')).close();
    expect(await modeOf('/dev/null')).toBe(before);
  });

  it('fails as the system does', async () => {
    await expect(openPrivateFile(join(dir, 'no', 'folder'))).rejects.toMatchObject({ code: 'ENOENT' });
  });
});
