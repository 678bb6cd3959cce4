import { createHmac } from 'node:crypto';
import { inspect } from 'node:util';
import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { KeyringEntry } from '../../src/events/control.ts';
import { createKeyring, epochOf, KeyError, keyringRecordKey, type KeyringTable } from '../../src/privacy/keyring.ts';

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
  return createKeyring({ masterKey, alsoOpens, randomBytes: counterBytes(seed) });
}

/** A keyring that has read `entries` from offset 0 on and opened them. */
function loaded(entries: readonly KeyringEntry[], masterKey = MASTER, alsoOpens: Uint8Array[] = []): KeyringTable {
  const table = keyring(masterKey, 'loaded', alsoOpens);
  for (const [offset, entry] of entries.entries()) table.apply(entry, offset);
  table.openKeys();
  return table;
}

describe('epochOf', () => {
  it('is the UTC month', () => {
    expect(epochOf(Date.UTC(2025, 2, 31, 23, 59, 59, 999))).toBe('2025-03');
    expect(epochOf(Date.UTC(2025, 3, 1))).toBe('2025-04');
  });
});

describe('pseudonyms', () => {
  const entry = keyring().newEntry('session', EPOCH, NOW);

  it('are 128 bits of HMAC-SHA-256 under the random key, the same in every process', () => {
    // The keyring draws the id first and the key after it.
    const drawn = counterBytes('seed');
    drawn(8);
    const expected = createHmac('sha256', drawn(32)).update('pseudonym\0session\0s-1').digest('hex').slice(0, 32);
    expect(loaded([entry]).pseudonym('session', EPOCH, 's-1')).toBe(expected);
    expect(loaded([entry]).pseudonym('session', EPOCH, 's-1')).toBe(expected);
  });

  it('differ by value, purpose, epoch and key', () => {
    const maker = keyring(MASTER, 'many');
    const table = loaded([
      maker.newEntry('session', EPOCH, NOW),
      maker.newEntry('subject', EPOCH, NOW),
      maker.newEntry('session', '2025-04', NOW),
    ]);
    const all = [
      table.pseudonym('session', EPOCH, 'x'),
      table.pseudonym('session', EPOCH, 'y'),
      table.pseudonym('subject', EPOCH, 'x'),
      table.pseudonym('session', '2025-04', 'x'),
      loaded([entry]).pseudonym('session', EPOCH, 'x'),
    ];
    expect(new Set(all).size).toBe(5);
    for (const one of all) expect(one).toMatch(/^[0-9a-f]{32}$/u);
  });

  it('are not given without a key of that very purpose and epoch', () => {
    const table = loaded([entry]);
    expect(table.pseudonym('subject', EPOCH, 'x')).toBeUndefined();
    expect(table.pseudonym('session', '2025-04', 'x')).toBeUndefined();
    expect(table.state('session', EPOCH)).toBe('active');
    expect(table.state('subject', EPOCH)).toBe('missing');
  });

  it('are not given before the key is opened', () => {
    const table = keyring();
    table.apply(entry, 0);
    expect(() => table.pseudonym('session', EPOCH, 'x')).toThrow(KeyError);
  });

  it('stay right when more values are asked for than are remembered', () => {
    const small = createKeyring({ masterKey: MASTER, maxCached: 2 });
    small.apply(entry, 0);
    small.openKeys();
    const large = loaded([entry]);
    for (const value of ['a', 'b', 'c', 'a', 'b', 'c']) {
      expect(small.pseudonym('session', EPOCH, value)).toBe(large.pseudonym('session', EPOCH, value));
    }
  });
});

describe('of two keys made at once', () => {
  const [first, second] = [keyring(MASTER, 'one'), keyring(MASTER, 'two')].map((t) =>
    t.newEntry('session', EPOCH, NOW),
  );
  const entries = [first, second].filter((entry) => entry !== undefined);
  const winner = loaded(entries.slice(0, 1)).pseudonym('session', EPOCH, 's');

  it('the first on the topic is used, whenever the other arrives', () => {
    expect(loaded(entries).pseudonym('session', EPOCH, 's')).toBe(winner);
    const late = loaded(entries.slice(0, 1));
    for (const entry of entries.slice(1)) late.apply(entry, 1);
    late.openKeys();
    expect(late.pseudonym('session', EPOCH, 's')).toBe(winner);
    const backwards = keyring();
    for (const offset of [1, 0, 1])
      for (const entry of entries.slice(offset, offset + 1)) backwards.apply(entry, offset);
    backwards.openKeys();
    expect(backwards.pseudonym('session', EPOCH, 's')).toBe(winner);
    expect(backwards.entries().map(({ current }) => current)).toContain(true);
    expect(backwards.entries().filter(({ current }) => current)).toHaveLength(1);
  });
});

describe('destroying', () => {
  const maker = keyring();
  const session = maker.newEntry('session', EPOCH, NOW);
  const double = keyring(MASTER, 'double').newEntry('session', EPOCH, NOW);

  function destroyedTable(): { table: KeyringTable; entries: KeyringEntry[] } {
    const table = loaded([session, double]);
    table.pseudonym('session', EPOCH, 'remembered');
    const entries = table.destroyEntries(EPOCH, NOW);
    for (const [i, entry] of entries.entries()) table.apply(entry, 10 + i);
    table.openKeys();
    return { table, entries };
  }

  it('writes over every key of the epoch, and closes the purposes that had none', () => {
    const { entries, table } = destroyedTable();
    expect(entries.every(({ state, wrapped }) => state === 'destroyed' && wrapped === null)).toBe(true);
    const keys = entries.map(keyringRecordKey);
    expect(keys).toContain(keyringRecordKey(session));
    expect(keys).toContain(keyringRecordKey(double));
    expect(keys.some((key) => key.startsWith(`subject/${EPOCH}/`))).toBe(true);
    expect(table.state('subject', EPOCH)).toBe('destroyed');
    expect(table.destroyEntries(EPOCH, NOW)).toEqual([]);
  });

  it('ends pseudonyms, remembered ones too', () => {
    const { table } = destroyedTable();
    expect(table.state('session', EPOCH)).toBe('destroyed');
    expect(table.pseudonym('session', EPOCH, 'remembered')).toBeUndefined();
    expect(table.pseudonym('session', EPOCH, 'new')).toBeUndefined();
  });

  it('is for good: no new key, no late record, no old record brings the epoch back', () => {
    const { table } = destroyedTable();
    expect(() => table.newEntry('session', EPOCH, NOW)).toThrow(/was destroyed/u);
    expect(() => table.newEntry('subject', EPOCH, NOW)).toThrow(/was destroyed/u);
    table.apply(keyring(MASTER, 'late').newEntry('session', EPOCH, NOW), 99);
    table.apply(session, 100);
    table.openKeys();
    expect(table.state('session', EPOCH)).toBe('destroyed');
    expect(table.pseudonym('session', EPOCH, 'x')).toBeUndefined();
    expect(table.entries().some(({ current }) => current)).toBe(false);
  });

  it('holds for any order and repetition of the records', () => {
    const { entries } = destroyedTable();
    // The last one: an old record that somebody appends again.
    const records = [session, double, ...entries, session].map((entry, offset) => ({ entry, offset }));
    const anyOrder = fc.shuffledSubarray([...records, ...records], { minLength: 1 });
    fc.assert(
      fc.property(anyOrder, (order) => {
        const table = keyring();
        for (const { entry, offset } of order) table.apply(entry, offset);
        table.openKeys();
        const any = order.some(({ entry }) => entry.purpose === 'session' && entry.state === 'destroyed');
        fc.pre(any);
        expect(table.pseudonym('session', EPOCH, 'x')).toBeUndefined();
        expect(table.state('session', EPOCH)).toBe('destroyed');
        const gone = new Set(
          order.filter(({ entry }) => entry.state === 'destroyed').map(({ entry }) => keyringRecordKey(entry)),
        );
        const listed = table.entries().filter((entry) => gone.has(keyringRecordKey(entry)));
        expect(new Set(listed.map(({ state }) => state))).toEqual(new Set(['destroyed']));
      }),
    );
  });

  it('leaves other epochs alone', () => {
    const april = maker.newEntry('session', '2025-04', NOW);
    const { table } = destroyedTable();
    table.apply(april, 50);
    table.openKeys();
    expect(table.pseudonym('session', '2025-04', 'x')).toMatch(/^[0-9a-f]{32}$/u);
  });

  it('refuses an epoch that nothing is known of, and what is no month', () => {
    expect(() => keyring().destroyEntries(EPOCH, NOW)).toThrow(/no key of 2025-03/u);
    expect(() => keyring().destroyEntries('2025-13', NOW)).toThrow(/a month such as/u);
  });
});

describe('a new entry', () => {
  it('is refused where there is a key', () => {
    const table = loaded([keyring().newEntry('session', EPOCH, NOW)]);
    expect(() => table.newEntry('session', EPOCH, NOW)).toThrow(/already/u);
    expect(table.newEntry('subject', EPOCH, NOW)).toMatchObject({ purpose: 'subject', epoch: EPOCH, createdAt: NOW });
    expect(() => table.newEntry('subject', '2025-3', NOW)).toThrow(/a month such as/u);
  });

  it('never wraps the same way twice, and shows no key', () => {
    const table = createKeyring({ masterKey: MASTER });
    const [a, b] = [table.newEntry('session', EPOCH, NOW), table.newEntry('session', EPOCH, NOW)];
    expect(a.keyId).not.toBe(b.keyId);
    expect(a.wrapped).not.toEqual(b.wrapped);
  });
});

it('a new key is wiped once it is wrapped', () => {
  const drawn: Uint8Array[] = [];
  const randomBytes = (size: number): Uint8Array => {
    const bytes = new Uint8Array(size).fill(5);
    drawn.push(bytes);
    return bytes;
  };
  createKeyring({ masterKey: MASTER, randomBytes }).newEntry('session', EPOCH, NOW);
  expect(drawn.find(({ length }) => length === 32)).toEqual(new Uint8Array(32));
});

describe('the master key', () => {
  const entry = keyring().newEntry('session', EPOCH, NOW);

  it('that is another one stops the start, and the message tells them apart', () => {
    const other = keyring(OTHER_MASTER);
    other.apply(entry, 0);
    expect(() => other.openKeys()).toThrow(KeyError);
    expect(() => other.openKeys()).toThrow(
      `does not open with this master key (id ${other.masterKeyId}), it was wrapped by ${keyring().masterKeyId}`,
    );
    expect(other.masterKeyId).toMatch(/^[0-9a-f]{8}$/u);
    expect(other.masterKeyId).not.toBe(keyring().masterKeyId);
  });

  it.each([
    ['purpose', { purpose: 'subject' }],
    ['epoch', { epoch: '2025-04' }],
    ['key id', { keyId: '0011223344556677' }],
  ] as const)('does not open an entry under another %s', (_, change) => {
    expect(() => loaded([{ ...entry, ...change }])).toThrow(/is damaged/u);
  });

  it('does not open a damaged entry, whichever bit it is', () => {
    const wrapped = entry.wrapped ?? new Uint8Array();
    fc.assert(
      fc.property(fc.nat(wrapped.length - 1), fc.integer({ min: 0, max: 7 }), (byte, bit) => {
        const damaged = Uint8Array.from(wrapped);
        damaged[byte] = (damaged[byte] ?? 0) ^ (1 << bit);
        expect(() => loaded([{ ...entry, wrapped: damaged }])).toThrow(KeyError);
      }),
    );
    expect(() => loaded([{ ...entry, wrapped: wrapped.subarray(1) }])).toThrow(KeyError);
    expect(() => loaded([{ ...entry, wrapped: null }])).toThrow(KeyError);
  });

  it('is not needed for keys destroyed since', () => {
    const table = keyring(OTHER_MASTER);
    table.apply(entry, 0);
    table.apply({ ...entry, state: 'destroyed', wrapped: null }, 1);
    expect(() => table.openKeys()).not.toThrow();
  });

  it('must be 32 bytes', () => {
    expect(() => createKeyring({ masterKey: new Uint8Array(31) })).toThrow(/must be 32 bytes/u);
  });
});

describe('rotating the master key', () => {
  const first = keyring(MASTER, 'one').newEntry('session', EPOCH, NOW);
  const loser = keyring(MASTER, 'two').newEntry('session', EPOCH, NOW);
  const before = loaded([first, loser]).pseudonym('session', EPOCH, 's');
  const rotating = loaded([first, loser], OTHER_MASTER, [MASTER]);
  const { entries, tombstones } = rotating.rewrap();

  it('wraps the keys in use again and keeps all pseudonyms', () => {
    expect(entries.map(keyringRecordKey)).toEqual([keyringRecordKey(first)]);
    const compacted = loaded(entries, OTHER_MASTER);
    expect(compacted.pseudonym('session', EPOCH, 's')).toBe(before);
    expect(() => loaded(entries, MASTER)).toThrow(KeyError);
  });

  it('removes keys that never were in use, so that none of them can become the first', () => {
    expect(tombstones).toEqual([keyringRecordKey(loser)]);
  });

  it('is read with the new master key alone, also where the old records are still there', () => {
    expect(loaded([first, loser, ...entries], OTHER_MASTER).pseudonym('session', EPOCH, 's')).toBe(before);
  });

  it('does not disturb a worker that has the keys open', () => {
    const running = loaded([first, loser]);
    for (const entry of entries) running.apply(entry, 7);
    running.openKeys();
    expect(running.pseudonym('session', EPOCH, 's')).toBe(before);
  });

  it('is done once', () => {
    for (const [i, entry] of entries.entries()) rotating.apply(entry, 10 + i);
    expect(rotating.rewrap().entries).toEqual([]);
  });

  it('leaves destroyed keys destroyed', () => {
    const table = loaded([first], OTHER_MASTER, [MASTER]);
    for (const entry of table.destroyEntries(EPOCH, NOW)) table.apply(entry, 5);
    expect(table.rewrap()).toEqual({ entries: [], tombstones: [] });
  });
});

it('shows no key bytes in listings, in print or in JSON', () => {
  const entry = keyring().newEntry('session', EPOCH, NOW);
  const drawn = counterBytes('seed');
  drawn(8);
  const secrets = [Buffer.from(MASTER), Buffer.from(drawn(32))];
  const table = loaded([entry]);
  const shown = inspect(table, { depth: 9, showHidden: true }) + JSON.stringify([table, table.entries()]);
  for (const secret of secrets) {
    expect(shown).not.toContain(secret.toString('hex'));
    expect(shown).not.toContain(secret.toString('base64'));
  }
  expect(Object.keys(table.entries()[0] ?? {}).sort()).toEqual(
    ['createdAt', 'current', 'epoch', 'keyId', 'masterKeyId', 'purpose', 'state'].sort(),
  );
});
