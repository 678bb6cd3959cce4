import { createCipheriv, createDecipheriv, randomBytes } from 'node:crypto';
import { mkdir, open, readdir, rm, unlink, type FileHandle } from 'node:fs/promises';
import { join } from 'node:path';
import { RunError } from '../run-error.ts';

/**
 * Files for what does not fit into memory. They hold personal text, so nothing of them outlives the process, however it ends:
 * each is removed from its folder as soon as it is open, and what is written is sealed with a key that is in memory only.
 */
export interface SpillFolder {
  /** A new file of strings, which hold no line feed, in their order. They are handed over some at a time. */
  write(chunks: Chunks): Promise<SpillFile>;
}

export type Chunks = Iterable<readonly string[]> | AsyncIterable<readonly string[]>;

export interface SpillFile {
  /** The next strings, some at a time; none when there are no more. */
  next(): Promise<readonly string[]>;
  /** Gives the space back. */
  close(): Promise<void>;
}

/** UTF-16 code units of strings that are sealed together. */
const BLOCK = 32 * 1024;
const TAG_BYTES = 16;

/**
 * Opens the folder, for its owner only, and removes what a process left that ended between making a file and removing it.
 *
 * @throws RunError when the folder cannot be used; says why.
 */
export async function openSpillFolder(dir: string): Promise<SpillFolder> {
  await sayingWhere(dir, async () => {
    await mkdir(dir, { recursive: true, mode: 0o700 });
    for (const name of await readdir(dir)) if (name.endsWith('.spill')) await rm(join(dir, name), { force: true });
  });
  const key = randomBytes(32);
  let files = 0;
  return {
    write: (chunks) =>
      sayingWhere(dir, async () => {
        const file = await openNameless(join(dir, `${randomBytes(12).toString('hex')}.spill`));
        const seal = createSeal(key, files++);
        try {
          return reader(file, seal, await writeAll(file, seal, chunks));
        } catch (error) {
          await file.close();
          throw error;
        }
      }),
  };
}

async function openNameless(path: string): Promise<FileHandle> {
  const file = await open(path, 'wx+', 0o600);
  try {
    await unlink(path);
  } catch (error) {
    await file.close();
    throw error;
  }
  return file;
}

/** Returns the lengths of the sealed blocks. */
async function writeAll(file: FileHandle, seal: Seal, chunks: Chunks): Promise<readonly number[]> {
  const lengths: number[] = [];
  let block: string[] = [];
  let size = 0;
  const flush = async (): Promise<void> => {
    if (block.length === 0) return;
    const sealed = seal.close(lengths.length, Buffer.from(block.join('\n'), 'utf8'));
    await file.write(sealed);
    lengths.push(sealed.length);
    block = [];
    size = 0;
  };
  for await (const chunk of chunks) {
    for (const text of chunk) {
      block.push(text);
      size += text.length;
      if (size >= BLOCK) await flush();
    }
  }
  await flush();
  return lengths;
}

function reader(file: FileHandle, seal: Seal, lengths: readonly number[]): SpillFile {
  let index = 0;
  let position = 0;
  return {
    async next() {
      const length = lengths[index];
      if (length === undefined) return [];
      const sealed = Buffer.alloc(length);
      const { bytesRead } = await file.read(sealed, 0, length, position);
      const plain = bytesRead === length ? seal.open(index, sealed) : null;
      if (plain === null)
        throw new RunError('a spill file was changed or cut while in use: check the disk, and run it again');
      index++;
      position += length;
      return plain.toString('utf8').split('\n');
    },
    close: () => file.close(),
  };
}

interface Seal {
  close(block: number, plain: Uint8Array): Buffer;
  open(block: number, sealed: Uint8Array): Buffer | null;
}

/** AES-256-GCM; the nonce is file and block, each of which is sealed once. */
function createSeal(key: Uint8Array, file: number): Seal {
  const nonceOf = (block: number): Buffer => {
    const nonce = Buffer.alloc(12);
    nonce.writeUInt32BE(file, 0);
    nonce.writeUIntBE(block, 6, 6);
    return nonce;
  };
  return {
    close(block, plain) {
      const cipher = createCipheriv('aes-256-gcm', key, nonceOf(block));
      return Buffer.concat([cipher.update(plain), cipher.final(), cipher.getAuthTag()]);
    },
    open(block, sealed) {
      const decipher = createDecipheriv('aes-256-gcm', key, nonceOf(block), { authTagLength: TAG_BYTES });
      decipher.setAuthTag(sealed.subarray(sealed.length - TAG_BYTES));
      try {
        return Buffer.concat([decipher.update(sealed.subarray(0, sealed.length - TAG_BYTES)), decipher.final()]);
      } catch {
        return null;
      }
    },
  };
}

async function sayingWhere<T>(dir: string, work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    if (!(error instanceof Error) || !('code' in error)) throw error;
    throw new RunError(
      `${dir} cannot hold what does not fit into memory (${String(error.code)}): ` +
        'make room there and see that it is yours, or give more --memory',
    );
  }
}
