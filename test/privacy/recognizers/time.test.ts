import { describe, expect, it } from 'vitest';
import { recognize } from '../../../src/privacy/recognizers/index.ts';

/** What a text is filled with to make a search go wrong: each stands for a way to be slow. */
const UNITS: Readonly<Record<string, string>> = {
  letters: 'a',
  words: 'lorem ',
  spaces: ' ',
  'line breaks': '\n',
  'zero-width characters': '\u200B',
  'letters with zero-width characters': 'a\u200B',
  'letters with marks': 'a\u0301',
  'marks alone': '\u0301',
  'marks out of order': '\u0300\u0323',
  'letters with marks out of order': 'ب\u0300\u0323',
  'letters that stand for many': '\uFDFA',
  'look-alikes': 'аb ',
  smiles: '😀',
  hangul: '가나 ',
  'other digits': '٠١ ',
  ats: 'a@',
  'bare ats': '@',
  literals: '@[',
  quotes: '"@',
  'mail heads': 'a@a.',
  'spelt ats': 'a at b dot ',
  'bracketed ats': 'a[at]b[dot]',
  'escaped ats': 'a%40b.',
  dots: 'a.b.',
  dashes: '-',
  underscores: 'a_b_',
  slashes: '/',
  backslashes: '\\',
  shares: '\\\\ab\\',
  brackets: '(2',
  braces: '{"a":',
  tags: '<a>',
  equals: '=',
  colons: ':',
  digits: '1',
  'spaced digits': '1 ',
  'dashed digits': '1-',
  pairs: '12 34 56 ',
  'decimal commas': '1,2',
  'double zeros': '00 ',
  pluses: '+49 ',
  'trunk numbers': '030901820 ',
  'phone words': 'tel ',
  'phone heads': 'tel: 1',
  'card groups': '4111 ',
  'groups of four': '1234 5678 9012 ',
  'iban heads': 'DE89',
  'iban groups': 'DE89 3704 ',
  'nine digits': '123456789 ',
  'eleven digits': '12345678901 ',
  'named numbers': 'ssn 123-45-6789 ',
  'tax words': 'tax id ',
  'letters and digits': 'AB12CD345 ',
  quads: '1.1.',
  addresses: '1.2.3.4 ',
  'address groups': 'fe80:',
  'hardware addresses': 'aa:bb:',
  coordinates: '12.3456, ',
  degrees: '12°',
  'geo heads': 'geo:',
  schemes: '://',
  'scheme heads': 'a://b@',
  hosts: 'http://a',
  'internal hosts': 'a.local.',
  'intranet heads': 'intranet.',
  'query parts': '?token=',
  'PEM heads': '-----BEGIN ',
  'PEM halves': '-----BEGIN -----END ',
  'token heads': 'eyJ',
  'token heads apart': 'eyJ-',
  'hex pieces': '0a1b-',
  hex: '0123456789abcdef',
  'random tokens': 'a1B2c3D4e5F6g7H8i9J0 ',
  uuids: '123e4567-e89b-12d3-a456-426614174000 ',
  'base58 addresses': '1BoatSLRHtKNngkdXEeobR76b53LETtpyT ',
  'bech32 heads': 'bc1q',
  passwords: 'password=',
  'password labels': 'password: ',
  'quoted passwords': '"password":"',
  'code labels': 'PIN ',
  keys: 'api_key_',
  options: '--token ',
  'commands with options': 'curl -u ',
  commands: 'mysql -',
  headers: 'authorization: ',
  bearers: 'bearer ',
};

const LONGEST = 64 * 1024;
/** What `recognize` is built for, on a core of its own: 50 ms for the longest text. Here others may be at work. */
const BUDGET_MS = 50;
const NOISE = 8;

/** The least processor time of several runs, in ms: what else the process does only adds. */
function timeOf(text: string, runs: number): number {
  let least = Infinity;
  for (let run = 0; run < runs; run += 1) {
    const before = process.cpuUsage();
    recognize(text);
    const { user, system } = process.cpuUsage(before);
    least = Math.min(least, (user + system) / 1000);
  }
  return least;
}

// Beside other work a measurement may be of that: what is quadratic fails each time.
describe('takes time linear in the text', { retry: 3 }, () => {
  it.each(Object.entries(UNITS))('%s', (_, unit) => {
    const of = (length: number, runs: number): number =>
      timeOf(unit.repeat(Math.ceil(length / unit.length)).slice(0, length), runs);
    of(2048, 1);
    const longest = of(LONGEST, 3);
    expect(longest).toBeLessThan(BUDGET_MS * NOISE);
    // Linear is 8, quadratic 64. The constant keeps what is over in a moment out of it.
    expect(longest).toBeLessThan(24 * of(LONGEST / 8, 4) + 8);
  });
});
