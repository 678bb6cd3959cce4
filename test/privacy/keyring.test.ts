import { createHmac } from 'node:crypto';
import { inspect } from 'node:util';
import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { KeyringEntry, KeyringRecord } from '../../src/events/control.ts';
import { createKeyring, epochOf, KeyError, keyringRecordKey, type KeyringTable } from '../../src/privacy/keyring.ts';
import { createWrapper, MAX_WRAPPED_KEY_BYTES } from '../../src/privacy/keys/wrap.ts';
import { fixedWrapping, WrappingUnavailableError, type KeyWrapping } from '../../src/privacy/keys/wrapping.ts';

const MASTER = new Uint8Array(32).fill(1);
const OTHER_MASTER = new Uint8Array(32).fill(2);
const EPOCH = '2025-03';
const NOW = Date.UTC(2025, 2, 10);

/** Bytes that never repeat and are the same in every run. */
function counterBytes(seed: string): (size: number) => Uint8Array {
  let calls = 0;
  return (size) => {
    calls += 1;
    return createHmac('sha256', seed).update(String(calls)).digest().subarray(0, size);
  };
}

function keyring(masterKey = MASTER, seed = 'seed', alsoOpens: Uint8Array[] = []): KeyringTable {
  const randomBytes = counterBytes(seed);
  return createKeyring({ wrapping: fixedWrapping({ masterKey, alsoOpens }, randomBytes), randomBytes });
}

/** A keyring that has read `entries` from offset 0 on and opened them. */
async function loaded(
  entries: readonly KeyringRecord[],
  masterKey = MASTER,
  alsoOpens: Uint8Array[] = [],
): Promise<KeyringTable> {
  const table = keyring(masterKey, 'loaded', alsoOpens);
  for (const [offset, entry] of entries.entries()) table.apply(entry, offset);
  await table.openKeys();
  return table;
}

describe('epochOf', async () => {
  it('is the UTC month', async () => {
    expect(epochOf(Date.UTC(2025, 2, 31, 23, 59, 59, 999))).toBe('2025-03');
    expect(epochOf(Date.UTC(2025, 3, 1))).toBe('2025-04');
  });
});

describe('pseudonyms', async () => {
  const entry = await keyring().newEntry('session', EPOCH, NOW);

  it('are 128 bits of HMAC-SHA-256 under the random key, the same in every process', async () => {
    // The keyring draws the id first and the key after it.
    const drawn = counterBytes('seed');
    drawn(8);
    const expected = createHmac('sha256', drawn(32)).update('pseudonym\0session\0s-1').digest('hex').slice(0, 32);
    expect((await loaded([entry])).pseudonym('session', EPOCH, 's-1')).toBe(expected);
    expect((await loaded([entry])).pseudonym('session', EPOCH, 's-1')).toBe(expected);
  });

  it('differ by value, purpose, epoch and key', async () => {
    const maker = keyring(MASTER, 'many');
    const table = await loaded([
      await maker.newEntry('session', EPOCH, NOW),
      await maker.newEntry('subject', EPOCH, NOW),
      await maker.newEntry('session', '2025-04', NOW),
    ]);
    const all = [
      table.pseudonym('session', EPOCH, 'x'),
      table.pseudonym('session', EPOCH, 'y'),
      table.pseudonym('subject', EPOCH, 'x'),
      table.pseudonym('session', '2025-04', 'x'),
      (await loaded([entry])).pseudonym('session', EPOCH, 'x'),
    ];
    expect(new Set(all).size).toBe(5);
    for (const one of all) expect(one).toMatch(/^[0-9a-f]{32}$/u);
  });

  it('are not given without a key of that very purpose and epoch', async () => {
    const table = await loaded([entry]);
    expect(table.pseudonym('subject', EPOCH, 'x')).toBeUndefined();
    expect(table.pseudonym('session', '2025-04', 'x')).toBeUndefined();
    expect(table.state('session', EPOCH)).toBe('active');
    expect(table.state('subject', EPOCH)).toBe('missing');
  });

  it('are not given before the key is opened', async () => {
    const table = keyring();
    table.apply(entry, 0);
    expect(() => table.pseudonym('session', EPOCH, 'x')).toThrow(KeyError);
  });

  it('stay right when more values are asked for than are remembered', async () => {
    const small = createKeyring({ wrapping: fixedWrapping({ masterKey: MASTER, alsoOpens: [] }), maxCached: 2 });
    small.apply(entry, 0);
    await small.openKeys();
    const large = await loaded([entry]);
    for (const value of ['a', 'b', 'c', 'a', 'b', 'c']) {
      expect(small.pseudonym('session', EPOCH, value)).toBe(large.pseudonym('session', EPOCH, value));
    }
  });
});

describe('of two keys made at once', async () => {
  const first = await keyring(MASTER, 'one').newEntry('session', EPOCH, NOW);
  const second = await keyring(MASTER, 'two').newEntry('session', EPOCH, NOW);
  const winner = (await loaded([first])).pseudonym('session', EPOCH, 's');

  it('the first on the topic is used, whenever the other arrives', async () => {
    expect((await loaded([first, second])).pseudonym('session', EPOCH, 's')).toBe(winner);
    const late = await loaded([first]);
    late.apply(second, 1);
    await late.openKeys();
    expect(late.pseudonym('session', EPOCH, 's')).toBe(winner);
    const backwards = keyring();
    backwards.apply(second, 1);
    await backwards.openKeys();
    backwards.apply(first, 0);
    backwards.apply(second, 1);
    await backwards.openKeys();
    expect(backwards.pseudonym('session', EPOCH, 's')).toBe(winner);
    expect(backwards.entries().filter(({ current }) => current)).toHaveLength(1);
  });

  it('the first stays the first when it is wrapped again and the old record is compacted away', async () => {
    const table = await loaded([first, second], OTHER_MASTER, [MASTER]);
    const { entries } = await rewrapped(table, 2);
    const compacted = keyring(OTHER_MASTER, 'compacted', [MASTER]);
    // The other one's tombstone was lost: whoever wrapped had not seen it.
    compacted.apply(second, 1);
    for (const [i, entry] of entries.entries()) compacted.apply(entry, 3 + i);
    await compacted.openKeys();
    expect(compacted.pseudonym('session', EPOCH, 's')).toBe(winner);
  });
});

/** Chooses the table's own master key and wraps all by it; the records are applied from `offset` on, and returned. */
async function rewrapped(
  table: KeyringTable,
  offset: number,
  masterKey = OTHER_MASTER,
): Promise<{ entries: KeyringEntry[]; tombstones: readonly string[]; choice: KeyringRecord[] }> {
  const id = await idOf(masterKey);
  const choice = table.choose(id, NOW);
  for (const [i, record] of choice.entries()) table.apply(record, offset + i);
  const { entries, tombstones } = await table.rewrap(id);
  return { entries: entries.filter((entry) => entry.state !== 'chosen'), tombstones, choice };
}

const idOf = (masterKey: Uint8Array): Promise<string> => fixedWrapping({ masterKey, alsoOpens: [] }).currentId();

describe('destroying', async () => {
  const maker = keyring();
  const session = await maker.newEntry('session', EPOCH, NOW);
  const double = await keyring(MASTER, 'double').newEntry('session', EPOCH, NOW);

  async function destroyedTable(): Promise<{ table: KeyringTable; entries: KeyringEntry[] }> {
    const table = await loaded([session, double]);
    table.pseudonym('session', EPOCH, 'remembered');
    const entries = table.destroyEntries(EPOCH, NOW);
    for (const [i, entry] of entries.entries()) table.apply(entry, 10 + i);
    await table.openKeys();
    return { table, entries };
  }

  it('writes over every key of the epoch, and closes the purposes that had none', async () => {
    const { entries, table } = await destroyedTable();
    expect(entries.every(({ state, wrapped }) => state === 'destroyed' && wrapped === null)).toBe(true);
    const keys = entries.map(keyringRecordKey);
    expect(keys).toContain(keyringRecordKey(session));
    expect(keys).toContain(keyringRecordKey(double));
    expect(keys.some((key) => key.startsWith(`subject/${EPOCH}/`))).toBe(true);
    expect(table.state('subject', EPOCH)).toBe('destroyed');
    expect(table.destroyEntries(EPOCH, NOW)).toEqual([]);
  });

  it('has a record of its own, which no record of a key can take the place of', async () => {
    const { entries } = await destroyedTable();
    const markers = entries.filter((entry) => ![session.keyId, double.keyId].includes(entry.keyId));
    expect(markers.map(({ purpose }) => purpose).sort()).toEqual(['session', 'subject']);
  });

  it('ends pseudonyms, remembered ones too', async () => {
    const { table } = await destroyedTable();
    expect(table.state('session', EPOCH)).toBe('destroyed');
    expect(table.pseudonym('session', EPOCH, 'remembered')).toBeUndefined();
    expect(table.pseudonym('session', EPOCH, 'new')).toBeUndefined();
  });

  it('ends them at once, before anything is awaited', async () => {
    const table = await loaded([session]);
    expect(table.pseudonym('session', EPOCH, 'x')).toBeDefined();
    table.apply({ ...session, state: 'destroyed', wrapped: null }, 5);
    expect(table.pseudonym('session', EPOCH, 'x')).toBeUndefined();
  });

  it('is for good: no new key, no late record, no old record brings the epoch back', async () => {
    const { table } = await destroyedTable();
    await expect(table.newEntry('session', EPOCH, NOW)).rejects.toThrow(/was destroyed/u);
    await expect(table.newEntry('subject', EPOCH, NOW)).rejects.toThrow(/was destroyed/u);
    table.apply(await keyring(MASTER, 'late').newEntry('session', EPOCH, NOW), 99);
    table.apply(session, 100);
    await table.openKeys();
    expect(table.state('session', EPOCH)).toBe('destroyed');
    expect(table.pseudonym('session', EPOCH, 'x')).toBeUndefined();
    expect(table.entries().some(({ current }) => current)).toBe(false);
    // And their bytes are written over by whoever changes the keyring next.
    expect(table.destroyEntries(EPOCH, NOW)).toHaveLength(2);
    expect((await rewrapped(table, 200)).entries.map(({ state }) => state)).toEqual(['destroyed', 'destroyed']);
  });

  it('holds for any order and repetition of the records', async () => {
    const { entries } = await destroyedTable();
    // The last one: an old record that somebody appends again.
    const records = [session, double, ...entries, session].map((entry, offset) => ({ entry, offset }));
    const anyOrder = fc.shuffledSubarray([...records, ...records], { minLength: 1 });
    await fc.assert(
      fc.asyncProperty(anyOrder, async (order) => {
        const table = keyring();
        for (const { entry, offset } of order) table.apply(entry, offset);
        await table.openKeys();
        fc.pre(order.some(({ entry }) => entry.purpose === 'session' && entry.state === 'destroyed'));
        expect(table.pseudonym('session', EPOCH, 'x')).toBeUndefined();
        expect(table.state('session', EPOCH)).toBe('destroyed');
        const listed = table.entries().filter(({ purpose }) => purpose === 'session');
        expect(new Set(listed.map(({ state }) => state))).toEqual(new Set(['destroyed']));
      }),
    );
  });

  it('leaves other epochs alone', async () => {
    const april = await maker.newEntry('session', '2025-04', NOW);
    const { table } = await destroyedTable();
    table.apply(april, 50);
    await table.openKeys();
    expect(table.pseudonym('session', '2025-04', 'x')).toMatch(/^[0-9a-f]{32}$/u);
  });

  it('refuses an epoch that nothing is known of, and what is no month', () => {
    expect(() => keyring().destroyEntries(EPOCH, NOW)).toThrow(/no key of 2025-03/u);
    expect(() => keyring().destroyEntries('2025-13', NOW)).toThrow(/a month such as/u);
  });
});

describe('a new entry', () => {
  it('is refused where there is a key', async () => {
    const table = await loaded([await keyring().newEntry('session', EPOCH, NOW)]);
    await expect(table.newEntry('session', EPOCH, NOW)).rejects.toThrow(/already/u);
    const entry = await table.newEntry('subject', EPOCH, NOW);
    expect(entry).toMatchObject({ purpose: 'subject', epoch: EPOCH, createdAt: NOW, since: null });
    await expect(table.newEntry('subject', '2025-3', NOW)).rejects.toThrow(/a month such as/u);
  });

  it('never wraps the same way twice, and shows no key', async () => {
    const table = createKeyring({ wrapping: fixedWrapping({ masterKey: MASTER, alsoOpens: [] }) });
    const [a, b] = [await table.newEntry('session', EPOCH, NOW), await table.newEntry('session', EPOCH, NOW)];
    expect(a.keyId).not.toBe(b.keyId);
    expect(a.wrapped).not.toEqual(b.wrapped);
  });
});

it('a new key is wiped once it is wrapped', async () => {
  const drawn: Uint8Array[] = [];
  const randomBytes = (size: number): Uint8Array => {
    const bytes = new Uint8Array(size).fill(5);
    drawn.push(bytes);
    return bytes;
  };
  const wrapping = fixedWrapping({ masterKey: MASTER, alsoOpens: [] });
  await createKeyring({ wrapping, randomBytes }).newEntry('session', EPOCH, NOW);
  expect(drawn.find(({ length }) => length === 32)).toEqual(new Uint8Array(32));
});

describe('the master key', async () => {
  const entry = await keyring().newEntry('session', EPOCH, NOW);

  it('that is another one stops the start, and the message tells them apart', async () => {
    const other = keyring(OTHER_MASTER);
    other.apply(entry, 0);
    const [id, otherId] = [await idOf(MASTER), await idOf(OTHER_MASTER)];
    await expect(other.openKeys()).rejects.toThrow(KeyError);
    await expect(other.openKeys()).rejects.toThrow(
      `does not open with this master key (id ${otherId}), it was wrapped by ${id}`,
    );
    expect(otherId).toMatch(/^[0-9a-f]{8}$/u);
    expect(otherId).not.toBe(id);
  });

  it.each([
    ['purpose', { purpose: 'subject' }],
    ['epoch', { epoch: '2025-04' }],
    ['key id', { keyId: '0011223344556677' }],
  ] as const)('does not open an entry under another %s', async (_, change) => {
    await expect(loaded([{ ...entry, ...change }])).rejects.toThrow(/is damaged/u);
  });

  it('does not open a damaged entry, whichever bit it is', async () => {
    const wrapped = entry.wrapped ?? new Uint8Array();
    await fc.assert(
      fc.asyncProperty(fc.nat(wrapped.length - 1), fc.integer({ min: 0, max: 7 }), async (byte, bit) => {
        const damaged = Uint8Array.from(wrapped);
        damaged[byte] = (damaged[byte] ?? 0) ^ (1 << bit);
        await expect(loaded([{ ...entry, wrapped: damaged }])).rejects.toThrow(KeyError);
      }),
    );
    await expect(loaded([{ ...entry, wrapped: wrapped.subarray(1) }])).rejects.toThrow(KeyError);
    await expect(loaded([{ ...entry, wrapped: null }])).rejects.toThrow(KeyError);
  });

  it('does not open what is no key of 32 bytes, though it is wrapped well', async () => {
    const wrapper = createWrapper(MASTER, counterBytes('short'));
    await expect(loaded([{ ...entry, wrapped: wrapper.wrap(new Uint8Array(31), entry) }])).rejects.toThrow(KeyError);
  });

  it('is not needed for keys destroyed since', async () => {
    const table = keyring(OTHER_MASTER);
    table.apply(entry, 0);
    table.apply({ ...entry, state: 'destroyed', wrapped: null }, 1);
    await expect(table.openKeys()).resolves.toBeUndefined();
  });

  it('must be 32 bytes', () => {
    expect(() => fixedWrapping({ masterKey: new Uint8Array(31), alsoOpens: [] })).toThrow(/must be 32 bytes/u);
  });

  it('wraps keys of any length up to a bound, under a name', () => {
    const wrapper = createWrapper(MASTER, counterBytes('lengths'));
    for (const length of [1, 32, 57, MAX_WRAPPED_KEY_BYTES]) {
      const key = new Uint8Array(length).fill(3);
      expect(wrapper.unwrap(wrapper.wrap(key, entry), entry)).toEqual(key);
    }
    for (const length of [0, MAX_WRAPPED_KEY_BYTES + 1]) {
      expect(() => wrapper.wrap(new Uint8Array(length), entry)).toThrow(KeyError);
    }
  });
});

describe('rotating the master key', async () => {
  const first = await keyring(MASTER, 'one').newEntry('session', EPOCH, NOW);
  const loser = await keyring(MASTER, 'two').newEntry('session', EPOCH, NOW);
  const before = (await loaded([first, loser])).pseudonym('session', EPOCH, 's');
  const rotating = await loaded([first, loser], OTHER_MASTER, [MASTER]);
  const { entries, tombstones, choice } = await rewrapped(rotating, 2);

  it('wraps the keys in use again and keeps all pseudonyms', async () => {
    expect(entries.map(({ keyId, since }) => ({ keyId, since }))).toEqual([{ keyId: first.keyId, since: 0 }]);
    const compacted = await loaded(entries, OTHER_MASTER);
    expect(compacted.pseudonym('session', EPOCH, 's')).toBe(before);
    await expect(loaded(entries, MASTER)).rejects.toThrow(KeyError);
  });

  it('removes what the old master key opens, and keys that never were in use', () => {
    expect([...tombstones].sort()).toEqual([first, loser].map(keyringRecordKey).sort());
  });

  it('is read with the new master key alone, also where the old records are still there', async () => {
    const table = await loaded([first, loser, ...entries], OTHER_MASTER);
    expect(table.pseudonym('session', EPOCH, 's')).toBe(before);
  });

  it('does not disturb a worker that has the keys open', async () => {
    const running = await loaded([first, loser]);
    for (const [i, record] of [...choice, ...entries].entries()) running.apply(record, 2 + i);
    for (const key of tombstones) running.remove(key, 9);
    await running.openKeys();
    expect(running.pseudonym('session', EPOCH, 's')).toBe(before);
  });

  it('is done once', async () => {
    const table = await loaded([first, loser, ...choice, ...entries], OTHER_MASTER, [MASTER]);
    for (const key of tombstones) table.remove(key, 9);
    expect(await rewrapped(table, 10)).toEqual({ entries: [], tombstones: [], choice: [] });
  });

  it('makes what the old master key wraps later count for nothing', async () => {
    const late = await keyring(MASTER, 'late').newEntry('subject', EPOCH, NOW);
    const table = await loaded([first, loser, ...choice, ...entries, late], OTHER_MASTER);
    expect(table.state('subject', EPOCH)).toBe('missing');
    expect(table.entries().map(({ purpose }) => purpose)).not.toContain('subject');
    // So that a worker makes another one, which counts.
    table.apply(await table.newEntry('subject', EPOCH, NOW), 20);
    await table.openKeys();
    expect(table.pseudonym('subject', EPOCH, 'x')).toBeDefined();
    expect((await rewrapped(table, 30)).tombstones).toContain(keyringRecordKey(late));
  });

  it('is left to the one who chose last', async () => {
    const table = await loaded([first], OTHER_MASTER, [MASTER]);
    await expect(table.rewrap(await idOf(OTHER_MASTER))).rejects.toThrow(/by somebody else meanwhile/u);
  });

  it('leaves destroyed keys destroyed', async () => {
    const table = await loaded([first], OTHER_MASTER, [MASTER]);
    for (const entry of table.destroyEntries(EPOCH, NOW)) table.apply(entry, 5);
    expect(await rewrapped(table, 6)).toMatchObject({ entries: [], tombstones: [] });
  });
});

describe('opening keys while the topic goes on', async () => {
  const entry = await keyring().newEntry('session', EPOCH, NOW);
  const name = { purpose: entry.purpose, epoch: entry.epoch, keyId: entry.keyId };

  /** A wrapping whose answers wait until they are let go. */
  function slow(): {
    readonly wrapping: KeyWrapping;
    readonly asked: string[];
    readonly given: Uint8Array[];
    readonly answer: () => void;
  } {
    const own = fixedWrapping({ masterKey: OTHER_MASTER, alsoOpens: [] });
    const waiting: (() => void)[] = [];
    const asked: string[] = [];
    const given: Uint8Array[] = [];
    const wrapping: KeyWrapping = {
      ...own,
      name: own.name,
      opens: (id) => own.opens(id),
      async unwrap(wrapped, of) {
        asked.push(wrapped.masterKeyId);
        await new Promise<void>((resolve) => waiting.push(resolve));
        const key = await own.unwrap(wrapped, of);
        if (key !== undefined) given.push(key);
        return key;
      },
    };
    return { wrapping, asked, given, answer: () => waiting.splice(0).forEach((go) => go()) };
  }

  it('a key that is destroyed while it is being opened is not used, and is wiped', async () => {
    const { wrapping, asked, given, answer } = slow();
    const table = createKeyring({ wrapping });
    table.apply({ ...entry, ...(await wrapping.wrap(new Uint8Array(32).fill(8), name)) }, 0);
    const opening = table.openKeys();
    await expect.poll(() => asked.length).toBe(1);
    table.apply({ ...entry, state: 'destroyed', wrapped: null }, 1);
    answer();
    await opening;
    expect(table.pseudonym('session', EPOCH, 'x')).toBeUndefined();
    expect(given).toEqual([new Uint8Array(32)]);
  });

  it('a key that is destroyed is wiped', async () => {
    const { wrapping, asked, given, answer } = slow();
    const table = createKeyring({ wrapping });
    table.apply({ ...entry, ...(await wrapping.wrap(new Uint8Array(32).fill(8), name)) }, 0);
    const opening = table.openKeys();
    await expect.poll(() => asked.length).toBe(1);
    answer();
    await opening;
    expect(given).toEqual([new Uint8Array(32).fill(8)]);
    table.apply({ ...entry, state: 'destroyed', wrapped: null }, 1);
    expect(given).toEqual([new Uint8Array(32)]);
  });

  it('a key that is wrapped again while it is being opened is opened as it is wrapped then', async () => {
    const { wrapping, asked, answer } = slow();
    const table = createKeyring({ wrapping });
    // Wrapped by what is gone by now.
    table.apply(entry, 0);
    const opening = table.openKeys();
    await expect.poll(() => asked.length).toBe(1);
    table.apply({ ...entry, since: 0, ...(await wrapping.wrap(new Uint8Array(32), name)) }, 2);
    answer();
    await expect.poll(() => asked.length).toBe(2);
    answer();
    await opening;
    expect(table.pseudonym('session', EPOCH, 'x')).toBeDefined();
  });

  it('those who ask meanwhile wait for what they have seen', async () => {
    const { wrapping, asked, answer } = slow();
    const table = createKeyring({ wrapping });
    table.apply({ ...entry, ...(await wrapping.wrap(new Uint8Array(32), name)) }, 0);
    const done: string[] = [];
    const both = [table.openKeys().then(() => done.push('one')), table.openKeys().then(() => done.push('two'))];
    await expect.poll(() => asked.length).toBe(1);
    expect(done).toEqual([]);
    answer();
    await Promise.all(both);
    expect(table.pseudonym('session', EPOCH, 'x')).toBeDefined();
  });

  it('a service that gives no answer leaves all closed, and is asked again', async () => {
    const own = fixedWrapping({ masterKey: MASTER, alsoOpens: [] });
    let isAway = true;
    const away = (): Promise<never> => Promise.reject(new WrappingUnavailableError('no answer'));
    const table = createKeyring({
      wrapping: { ...own, name: own.name, unwrap: (wrapped, of) => (isAway ? away() : own.unwrap(wrapped, of)) },
    });
    table.apply(entry, 0);
    await expect(table.openKeys()).rejects.toThrow(WrappingUnavailableError);
    expect(() => table.pseudonym('session', EPOCH, 'x')).toThrow(KeyError);
    isAway = false;
    await table.openKeys();
    expect(table.pseudonym('session', EPOCH, 'x')).toBeDefined();
  });
});

it('versions of a service’s key that are later than the chosen one may wrap, earlier ones not', async () => {
  const entry = await keyring().newEntry('session', EPOCH, NOW);
  const stateWith = (masterKeyId: string): string => {
    const table = keyring();
    table.apply({ state: 'chosen', masterKeyId: 'transit/k:v10', chosenAt: NOW, choiceId: 'c' }, 0);
    table.apply({ ...entry, masterKeyId }, 1);
    return table.state('session', EPOCH);
  };
  expect(['transit/k:v10', 'transit/k:v11', 'transit/k:v100'].map(stateWith)).toEqual(Array(3).fill('active'));
  const others = ['transit/k:v9', 'transit/k:v1', 'transit/j:v11', 'transit/k', 'transit/k:v11x', entry.masterKeyId];
  expect(others.map(stateWith)).toEqual(Array(others.length).fill('missing'));
});

it('no pseudonym of one purpose is one of another', async () => {
  const maker = keyring(MASTER, 'purposes');
  const table = await loaded([
    await maker.newEntry('session', EPOCH, NOW),
    await maker.newEntry('subject', EPOCH, NOW),
    await maker.newEntry('subject', '2025-04', NOW),
  ]);
  fc.assert(
    fc.property(fc.uniqueArray(fc.string({ unit: 'grapheme' }), { maxLength: 20 }), (values) => {
      const session = values.map((value) => table.pseudonym('session', EPOCH, value));
      const subject = new Set(values.map((value) => table.pseudonym('subject', EPOCH, value)));
      const later = new Set(values.map((value) => table.pseudonym('subject', '2025-04', value)));
      expect(session.filter((one) => subject.has(one) || later.has(one))).toEqual([]);
      expect([...subject].filter((one) => later.has(one))).toEqual([]);
    }),
  );
});

it('shows no key bytes in listings, in print or in JSON', async () => {
  const entry = await keyring().newEntry('session', EPOCH, NOW);
  const drawn = counterBytes('seed');
  drawn(8);
  const secrets = [Buffer.from(MASTER), Buffer.from(drawn(32))];
  const table = await loaded([entry]);
  const shown = inspect(table, { depth: 9, showHidden: true }) + JSON.stringify([table, table.entries()]);
  for (const secret of secrets) {
    expect(shown).not.toContain(secret.toString('hex'));
    expect(shown).not.toContain(secret.toString('base64'));
  }
  expect(Object.keys(table.entries()[0] ?? {}).sort()).toEqual(
    ['createdAt', 'current', 'epoch', 'keyId', 'leftover', 'masterKeyIds', 'purpose', 'state'].sort(),
  );
});
