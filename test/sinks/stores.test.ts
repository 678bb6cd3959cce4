import { afterAll, beforeAll, beforeEach, describe, expect, onTestFinished, test } from 'vitest';
import { TableFormatError, type TableStore } from '../../src/sinks/index.ts';
import { PLACES, type Place } from '../helpers/table-places.ts';

/** What every store promises. */
const bytes = (text: string): Uint8Array => new TextEncoder().encode(text);
const text = (data: Uint8Array | undefined): string | undefined => data && new TextDecoder().decode(data);

for (const kind of PLACES) {
  describe.skipIf(kind.isLacking)(`a store ${kind.title}`, () => {
    let place: Place;
    let connect: () => Promise<TableStore>;
    let store: TableStore;
    beforeAll(async () => {
      place = await kind.open();
    });
    afterAll(async () => {
      await place?.close();
    });
    beforeEach(async () => {
      const table = await place.table();
      connect = () => table.connect();
      store = await connect();
    });

    test('of 200 racing writers of one name exactly one wins, and its whole file is there', async () => {
      const writers = [store, await connect(), await connect()];
      const racing = Array.from({ length: 200 }, async (_, i) => {
        const writer = writers[i % writers.length] ?? store;
        return await writer.putIfAbsent('log/1.json', bytes(`${i} `.repeat(1000)));
      });
      const results = await Promise.all(racing);
      expect(results.filter(Boolean)).toHaveLength(1);
      expect(text(await store.read('log/1.json'))).toBe(`${results.indexOf(true)} `.repeat(1000));
    });

    test('one of two writers of the same bytes wins', async () => {
      expect(await store.putIfAbsent('log/1.json', bytes('same'))).toBe(true);
      expect(await store.putIfAbsent('log/1.json', bytes('same'))).toBe(false);
    });

    test('put replaces, delete forgets, read and list of nothing are nothing', async () => {
      await store.put('a/b', bytes('1'));
      await store.put('a/b', bytes('2'));
      await store.put('a/c', bytes('3'));
      expect(text(await store.read('a/b'))).toBe('2');
      await store.delete('a/b');
      await store.delete('a/b');
      expect(await store.read('a/b')).toBeUndefined();
      expect(await store.putIfAbsent('a/b', bytes('4'))).toBe(true);
      expect(await store.list('nowhere')).toEqual([]);
      await store.put('empty', new Uint8Array());
      expect(await store.read('empty')).toEqual(expect.objectContaining({ length: 0 }));
    });

    test('list names the files of one folder in order, after a name if asked', async () => {
      for (const path of ['a/10', 'a/9', 'a/b/c', 'ab/x', 'a/é', 'a/z', 'a/b.x']) await store.put(path, bytes('x'));
      expect(await store.list('a')).toEqual(['10', '9', 'b.x', 'z', 'é']);
      expect(await store.list('a', '9')).toEqual(['b.x', 'z', 'é']);
      expect(await store.list('a', '5')).toEqual(['9', 'b.x', 'z', 'é']);
      expect(await store.list('a/b')).toEqual(['c']);
    });

    test('folders names the folders of one folder in order, and the table itself has files and folders', async () => {
      for (const path of ['top', 'b=2/x', 'b=2/y', 'a/1/z', 'a/2', 'ab/x']) await store.put(path, bytes('x'));
      expect(await store.folders('')).toEqual(['a', 'ab', 'b=2']);
      expect(await store.folders('a')).toEqual(['1']);
      expect(await store.folders('nowhere')).toEqual([]);
      expect(await store.list('')).toEqual(['top']);
    });

    test('list goes on beyond the thousand that S3 gives at a time', async () => {
      const names = Array.from({ length: 1_030 }, (_, i) => String(i).padStart(20, '0'));
      for (let i = 0; i < names.length; i += 50) {
        await Promise.all(names.slice(i, i + 50).map((name) => store.put(`log/${name}`, bytes('x'))));
      }
      expect(await store.list('log')).toEqual(names);
      expect(await store.list('log', names[9])).toEqual(names.slice(10));
    });

    test('a file of many megabytes is whole, and there but once', async () => {
      const large = new Uint8Array(18 * 2 ** 20).map((_, i) => (i * 31) >> 7);
      expect(await store.putIfAbsent('large', large)).toBe(true);
      expect(await store.putIfAbsent('large', bytes('other'))).toBe(false);
      expect(await store.putIfAbsent('large', large.slice())).toBe(false);
      expect(Buffer.compare((await store.read('large')) ?? bytes(''), large)).toBe(0);
      await store.put('large', large.fill(7));
      expect(Buffer.compare((await store.read('large')) ?? bytes(''), large)).toBe(0);
    });
  });
}

// A map has no outside.
for (const kind of PLACES.filter(({ title }) => title !== 'in memory')) {
  describe.skipIf(kind.isLacking)(`a store ${kind.title}`, () => {
    test('no path leads out of the table', async () => {
      const place = await kind.open();
      onTestFinished(() => place.close());
      const store = await (await place.table()).connect();
      for (const path of ['../secret', 'a/../../secret', '/etc/hostname', 'a\\..\\b', 'a\0b']) {
        await expect(store.read(path)).rejects.toThrow(TableFormatError);
        await expect(store.putIfAbsent(path, bytes('x'))).rejects.toThrow(TableFormatError);
        await expect(store.delete(path)).rejects.toThrow(TableFormatError);
      }
    });
  });
}
