import { chmod, mkdir, mkdtemp, readdir, readFile, rm, stat, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import {
  beginRotation,
  isRotating,
  finishRotation,
  KeyError,
  parseKey,
  readKeyFile,
  readMasterKeys,
  readOrCreateKeyFile,
} from '../../../src/privacy/keys/key-files.ts';

let folder: string;
let path: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'redactory-keys-'));
  path = join(folder, 'keys', 'master.key');
});
afterEach(() => rm(folder, { recursive: true, force: true }));

async function failure(action: Promise<unknown>): Promise<Error> {
  const error: unknown = await action.then(
    () => undefined,
    (reason: unknown) => reason,
  );
  if (!(error instanceof KeyError)) throw new Error('expected a KeyError', { cause: error });
  return error;
}

describe('readOrCreateKeyFile', () => {
  it('makes a random key in a private file and folder, and reads it again', async () => {
    const key = await readOrCreateKeyFile(path);
    expect(key).toHaveLength(32);
    expect(await readOrCreateKeyFile(path)).toEqual(key);
    expect((await stat(path)).mode & 0o777).toBe(0o600);
    expect((await stat(join(folder, 'keys'))).mode & 0o777).toBe(0o700);
    expect(Buffer.from(await readFile(path, 'utf8'), 'base64')).toEqual(Buffer.from(key));
    expect(await readOrCreateKeyFile(join(folder, 'keys', 'ingest.key'))).not.toEqual(key);
  });

  it('gives everyone the same key when many make it at once, and leaves nothing else behind', async () => {
    const keys = await Promise.all(Array.from({ length: 16 }, () => readOrCreateKeyFile(path)));
    expect(new Set(keys.map((key) => Buffer.from(key).toString('hex'))).size).toBe(1);
    expect(await readdir(join(folder, 'keys'))).toEqual(['master.key']);
  });

  it.each([0o640, 0o604, 0o620, 0o602])('refuses a file of mode %o and says how to mend it', async (mode) => {
    await readOrCreateKeyFile(path);
    await chmod(path, mode);
    expect((await failure(readOrCreateKeyFile(path))).message).toContain(`chmod 600 ${path}`);
  });

  it('refuses a folder that others may write to', async () => {
    await readOrCreateKeyFile(path);
    await chmod(join(folder, 'keys'), 0o770);
    expect((await failure(readOrCreateKeyFile(path))).message).toContain(`chmod 700 ${join(folder, 'keys')}`);
  });

  it('refuses a symbolic link, dangling or not', async () => {
    await readOrCreateKeyFile(path);
    const linked = join(folder, 'keys', 'linked.key');
    await symlink(path, linked);
    expect((await failure(readOrCreateKeyFile(linked))).message).toContain('symbolic link');
    const dangling = join(folder, 'keys', 'dangling.key');
    await symlink(join(folder, 'nowhere'), dangling);
    expect((await failure(readOrCreateKeyFile(dangling))).message).toContain('symbolic link');
  });

  it.each([
    ['empty', ''],
    ['short', Buffer.alloc(31, 65).toString('base64')],
    ['long', Buffer.alloc(33, 65).toString('base64')],
    ['no base64', '!'.repeat(44)],
    ['hex', 'ab'.repeat(32)],
    ['another file', 'A'.repeat(100_000)],
  ])('refuses a file that is %s, and shows nothing of it', async (_, content) => {
    await mkdir(join(folder, 'keys'), { mode: 0o700 });
    await writeFile(path, content, { mode: 0o600 });
    const { message } = await failure(readOrCreateKeyFile(path));
    expect(message).toContain(path);
    expect(message).not.toContain(content.slice(0, 12) || 'undefined');
    expect(await readFile(path, 'utf8')).toBe(content);
  });

  it('refuses a folder in the file’s place', async () => {
    await mkdir(path, { recursive: true, mode: 0o700 });
    expect((await failure(readOrCreateKeyFile(path))).message).toContain(path);
  });
});

describe('readKeyFile', () => {
  it('does not make a key', async () => {
    expect((await failure(readKeyFile(path))).message).toContain('does not exist');
  });
});

describe('parseKey', () => {
  it('takes 32 bytes in base64', () => {
    expect(parseKey(` ${Buffer.alloc(32, 9).toString('base64')}\n`, 'REDACTORY_MASTER_KEY')).toEqual(
      new Uint8Array(32).fill(9),
    );
  });

  it.each(['', 'secretvalue', Buffer.alloc(16, 9).toString('base64'), `${'A'.repeat(43)}!`, 'ab'.repeat(32)])(
    'refuses anything else, names the variable and not the value: %s',
    (text) => {
      const parse = (): unknown => parseKey(text, 'REDACTORY_MASTER_KEY');
      expect(parse).toThrow(KeyError);
      expect(parse).toThrow(/^REDACTORY_MASTER_KEY /u);
      expect(parse).not.toThrow(text || 'undefined');
    },
  );
});

describe('a rotation of the master key', () => {
  it('offers both keys until it is finished, and may be begun again', async () => {
    const old = await readOrCreateKeyFile(path);
    expect(await readMasterKeys(path)).toEqual({ masterKey: old, alsoOpens: [] });
    const next = await beginRotation(path);
    expect(next).not.toEqual(old);
    expect(await beginRotation(path)).toEqual(next);
    expect(await readMasterKeys(path)).toEqual({ masterKey: next, alsoOpens: [old] });
    expect(await isRotating(path)).toBe(true);
    await finishRotation(path, next);
    expect(await isRotating(path)).toBe(false);
    expect(await readMasterKeys(path)).toEqual({ masterKey: next, alsoOpens: [] });
    expect(await readdir(join(folder, 'keys'))).toEqual(['master.key']);
    // Once more, by somebody who has begun the same.
    await finishRotation(path, next);
    expect(await readKeyFile(path)).toEqual(next);
  });

  it('is not finished for somebody else, who has begun another', async () => {
    await readOrCreateKeyFile(path);
    const mine = await beginRotation(path);
    await finishRotation(path, mine);
    const theirs = await beginRotation(path);
    await finishRotation(path, mine);
    expect(await readKeyFile(path)).toEqual(mine);
    expect(await readMasterKeys(path)).toEqual({ masterKey: theirs, alsoOpens: [mine] });
  });

  it('is not finished by who does not know the next key', async () => {
    const old = await readOrCreateKeyFile(path);
    await beginRotation(path);
    expect(
      (
        await failure(
          finishRotation(
            path,
            old.map((byte) => byte ^ 1),
          ),
        )
      ).message,
    ).toContain('another rotation');
    expect(await readKeyFile(path)).toEqual(old);
  });

  it('needs a key to begin with', async () => {
    expect((await failure(beginRotation(path))).message).toContain('does not exist');
  });
});
