import { describe, expect, it } from 'vitest';
import {
  findAll,
  MAX_SEARCHED,
  MIN_SCORE,
  recognize,
  RECOGNIZERS,
  type SpanKind,
} from '../../../src/privacy/recognizers/index.ts';

/** What is found, as `kind: the text of it`. */
function found(text: string): string[] {
  return recognize(text).map(({ kind, start, end }) => `${kind}: ${text.slice(start, end)}`);
}

function findAlone(kind: SpanKind, text: string): string[] {
  const recognizers = RECOGNIZERS.filter(({ kinds }) => kinds.includes(kind));
  const sure = findAll(text, recognizers).filter(({ score }) => score >= MIN_SCORE);
  const longest = sure.filter(
    (span, i) =>
      !sure.some(
        (other, j) =>
          j !== i &&
          other.start <= span.start &&
          other.end >= span.end &&
          (j < i || other.end - other.start > span.end - span.start),
      ),
  );
  return longest.toSorted((a, b) => a.start - b.start).map(({ start, end }) => text.slice(start, end));
}

/** `«»` mark what must be found, all of it and nothing else; without them nothing may be found. */
const CASES: Readonly<Partial<Record<SpanKind, readonly string[]>>> = {
  email: [
    'Write to «jane.doe+news@mail.example.co.uk».',
    "'«o'brien@example.com»'",
    '<«a@b.com»>, mailto:«c_d@e.org»;«x@y.net»',
    '«"jane doe"@example.com»',
    '«josé@exämple.de»',
    '«𝒂user@example.com»',
    '«user@xn--80ak6aa92e.com»',
    '«user@192.168.0.1» «user@[10.0.0.1]»',
    '«user@[IPv6:2001:db8::1]»',
    '"«a@b.com»"@c.com',
    '«jane@corp.internal»',
    '«jane@laptop»: ~/src',
    'Meeting @ 5pm, @jane, jane@ home, @@',
    'logo@2x.png lodash@4.17.21 user@-.-',
  ],
  phone: [
    'Call «+49 30 901820» today',
    '«+44 20 7946 0958 ext. 12»',
    '«0049 30 901820»',
    '«(212) 555-0123» or «1-212-555-0123»',
    '«212.555.0123»',
    'Büro: «030/901820»',
    '«(030) 901820»',
    '«01 42 68 53 00»',
    'Tel. «5551234567», Fax: «555 1234»',
    'Order 2125550123 of 2024-01-02 at 09:30, 01.02.2024 10:20',
    'Total 1 234 567.89 EUR, 0.3000000001, 50 000 000',
    'Section 012-345, part 100-200-3000',
    'item a-212-555-0123',
    'telephone call about 2024',
  ],
  card: [
    '«4111 1111 1111 1111»',
    'card:«4111-1111-1111-1111»,',
    'Visa«4111111111111111»exp',
    '«378282246310005» «3782 822463 10005»',
    '«6011 0009 9013 9424»',
    '«4 1 1 1 1 1 1 1 1 1 1 1 1 1 1 1»',
    'on 2024-01-02 with «5555 5555 5555 4444» paid',
    '4111 1111 1111 1112',
    '4111 1111-1111 1111',
    '1741600000008 is a time, 0.4111111111111111 a fraction',
    '41111111111111114111111111111111',
    '411111111111',
  ],
  iban: [
    '«DE89 3704 0044 0532 0130 00»',
    'to «GB29NWBK60161331926819», please',
    'IBAN«DE89370400440532013000»',
    '«de 89 3704 0044 0532 0130 00»',
    '«FR14-2004-1010-0505-0001-3M02-606»',
    'DE88 3704 0044 0532 0130 00',
    'DE89  3704 0044 0532 0130 00',
    'DE89 3704 0044 0532 0130',
    'XX89 3704 0044 0532 0130 00',
  ],
  ip: [
    'host «192.168.1.20», «10.0.0.0/8»',
    'http://«172.16.0.9»:8080/x',
    '[«2001:db8::1»]:443 «fe80::1%eth0/64»',
    '«::ffff:192.168.1.1»',
    'addr:«2001:db8:0:0:0:0:2:1»',
    'v1.2.3.4, Version 1.2.3.4, 10.0.19045.3803, 1.2.3.4.5',
    '256.1.1.1 192.168.1 1.2.3.4a x1.2.3.4',
    'std::vector A::B ::before 12:30:45 aa:bb:cc:dd:ee:ff',
    '2001:db8::1::2 12345::1',
  ],
  url_userinfo: [
    'https://«jane:s3cret»@example.com/x',
    'ssh://«jane»@host:22',
    'ftp://«a@b:p»@host',
    'https://example.com/@jane',
    'https://example.com?x=a@b',
    'https://@example.com',
    'a://b c@d',
  ],
  secret: [
    'key «AKIAIOSFODNN7EXAMPLE»',
    'Bearer «abcdefghijkl»',
    '«ghp_0123456789abcdefghijABCDEFGHIJ012345»',
    '«xoxb-1234567890-abcdef»',
    '«eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxIn0.abc»',
    'x «-----BEGIN RSA PRIVATE KEY----- MIIB -----END RSA PRIVATE KEY-----» y',
    'x «-----BEGIN PRIVATE KEY----- MIIB»',
    'password=«hunter22» api_key="«abcd1234»"',
    'id 550e8400-e29b-41d4-a716-446655440000',
    'session «550e8400-e29b-41d4-a716-446655440000»',
    'commit 3f2a9c81b7d64e0fa1b2c3d4e5f60718',
    'key «3f2a9c81b7d64e0fa1b2c3d4e5f60718»',
    'q=«qX7vB2nM9kL4pR8sT1wZ»',
    '/files/«1A2b3C4d5E6f7G8h9I0jK»/edit',
    'report-2024-01-02-final-v2-draft THIS_IS_A_CONSTANT_NAME_IN_CODE_42',
    'getUserAccountSettings2Page src/privacy/recognizers/index.ts',
    'Password: required. Reset token? aaaaaaaaaaaaaaaaaaaaaaaaaaaaaa',
    'abcdefabcdefabcdefabcdefabcdef 12345678901234567890123456789',
  ],
};

describe.each(Object.entries(CASES) as [SpanKind, readonly string[]][])('%s', (kind, cases) => {
  it.each(cases)('%s', (marked) => {
    const text = marked.replaceAll(/[«»]/gu, '');
    const wanted = [...marked.matchAll(/«([^»]*)»/gu)].map((match) => match[1]);
    expect(findAlone(kind, text)).toEqual(wanted);
  });
});

describe('scores', () => {
  const scoreOf = (text: string): unknown => recognize(text).map(({ score, checked }) => [score, checked]);

  it('are higher where more was checked', () => {
    expect(scoreOf('jane@example.com')).toEqual([[0.95, 'domain']]);
    expect(scoreOf('jane@corp.internal')).toEqual([[0.6, 'shape']]);
    expect(scoreOf('jane@laptop')).toEqual([[0.5, 'user_at_host']]);
    expect(scoreOf('4111111111111111')).toEqual([[0.95, 'luhn+issuer']]);
    expect(scoreOf('122000000000003')).toEqual([[0.7, 'luhn']]);
    expect(scoreOf('DE89370400440532013000')).toEqual([[1, 'mod97+country']]);
    expect(scoreOf('+49 30 901820')).toEqual([[0.9, 'numbering_plan']]);
  });
});

describe('recognize', () => {
  it('finds nothing in ordinary labels, titles and file names', () => {
    const labels = [
      '',
      'Save As… (Ctrl+S)',
      'Report 2024-01-02.xlsx - Excel',
      'Sheet1!A1:B20',
      'Page 1 of 10 · 100 %',
      '$1,234.56 + 19 % VAT',
      '2024-03-10T12:00:00.000Z',
      'Mozilla/5.0 (X11; Linux x86_64) Chrome/120.0.6099.71',
      'https://example.com/users/settings?tab=2#top',
    ];
    expect(labels.flatMap(found)).toEqual([]);
  });

  it('gives spans in order, in UTF-16 code units', () => {
    const text = '😀 jane@example.com, 10.1.2.3, 4111 1111 1111 1111 😀';
    expect(found(text)).toEqual(['email: jane@example.com', 'ip: 10.1.2.3', 'card: 4111 1111 1111 1111']);
    expect(recognize(text)[0]?.start).toBe(3);
  });

  it('covers all of what overlaps, as the longest of them', () => {
    expect(found('https://bob:pw@example.com/x')).toEqual(['email: bob:pw@example.com']);
    expect(found('https://averylongname:pw@x.com/')).toEqual(['url_userinfo: averylongname:pw@x.com']);
    expect(found('password=jane@example.com!')).toEqual(['secret: jane@example.com!']);
  });

  it('reports what is too long to search as one span, and cuts nothing in two', () => {
    const text = `${'word '.repeat(MAX_SEARCHED / 5 - 3)}jane.doe@example.com and more`;
    const spans = recognize(text);
    expect(spans).toHaveLength(1);
    expect(spans[0]).toMatchObject({ checked: 'not_searched', end: text.length });
    expect(spans[0]?.start).toBeLessThanOrEqual(text.indexOf('jane'));
    expect(recognize('x'.repeat(MAX_SEARCHED)).map(({ checked }) => checked)).toEqual([]);
    const solid = recognize('x'.repeat(MAX_SEARCHED + 1));
    expect(solid.map(({ checked }) => checked)).toEqual(['not_searched']);
    expect(solid[0]?.start).toBeLessThan(MAX_SEARCHED);
  });
});
