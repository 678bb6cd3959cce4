import { mkdtemp, readFile, readlink, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { openSpillFolder } from '../../../src/runtime/vocabulary/spill.ts';

it.skipIf(process.platform !== 'linux')(
  'what is on the disk is sealed: none of the text is in the removed file (skipped where files cannot be looked at by descriptor)',
  async () => {
    const dir = await mkdtemp(join(tmpdir(), 'redactory-spill-'));
    try {
      const folder = await openSpillFolder(dir);
      const file = await folder.write([Array.from({ length: 5_000 }, (_, i) => `zebra crossing ${i}`)]);
      const own: Buffer[] = [];
      for (const fd of await readdir('/proc/self/fd')) {
        const target = await readlink(`/proc/self/fd/${fd}`).catch(() => '');
        if (target.startsWith(dir)) own.push(await readFile(`/proc/self/fd/${fd}`));
      }
      expect(own).toHaveLength(1);
      expect(own[0]?.length).toBeGreaterThan(80_000);
      expect(own[0]?.includes('zebra')).toBe(false);
      expect((await file.next())[0]).toBe('zebra crossing 0');
      await file.close();
    } finally {
      await rm(dir, { recursive: true, force: true });
    }
  },
);
