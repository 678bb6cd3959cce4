import { expect, it } from 'vitest';
import { clockOf, createFormats } from '../../../clients/page/formats.ts';

const AT = Date.UTC(2026, 10, 25, 23, 30);

it('writes as the language does', () => {
  const en = createFormats('en-GB', 'Europe/Berlin');
  const de = createFormats('de', 'Europe/Berlin');
  expect([en.number(1_234_567), de.number(1_234_567)]).toEqual(['1,234,567', '1.234.567']);
  expect([en.time(AT), de.time(AT)]).toEqual(['00:30', '00:30']);
  // Versions of the data of languages differ in commas.
  expect(en.dayTime(AT)).toMatch(/^26 November 2026(?: at|,) 00:30$/u);
  // The day of the table is UTC's, wherever the person is.
  expect(en.day('2026-11-25')).toMatch(/^Wednesday,? 25 November 2026$/u);
  expect(de.day('2026-11-25')).toBe('Mittwoch, 25. November 2026');
  expect([0, 1, 999, 1_000, 104_857_600, 5e15].map((count) => en.bytes(count))).toEqual([
    '0 bytes',
    '1 byte',
    '999 bytes',
    '1 kB',
    '104.9 MB',
    '5,000 TB',
  ]);
});

it('counts down to 0:00 and not below', () => {
  expect([1_800_000, 299_001, 1, 0, -5].map(clockOf)).toEqual(['30:00', '5:00', '0:01', '0:00', '0:00']);
});
