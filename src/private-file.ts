import { open, type FileHandle } from 'node:fs/promises';

/**
 * Opens a file to be written from its start, for its owner only: also one that was there and that others could read. What is no
 * regular file, such as /dev/null, keeps its mode: it is everybody's.
 *
 * @throws Error of the system when it cannot be opened, or is another's.
 */
export async function openPrivateFile(path: string): Promise<FileHandle> {
  const file = await open(path, 'w', 0o600);
  try {
    // The mode that open(2) is given is for a new file only.
    if ((await file.stat()).isFile()) await file.chmod(0o600);
    return file;
  } catch (error) {
    await file.close();
    throw error;
  }
}
