import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { bearerToken, proxyIdentity } from '../../../src/producers/gateway/identity.ts';

const from = proxyIdentity({ header: 'x-person', trustedProxies: ['10.1.0.0/16', '192.0.2.7', 'fd00::/8'] });
const headers = { 'x-person': 'ana', 'x-forwarded-for': '10.1.0.1', forwarded: 'for=10.1.0.1' };

describe('a proxy’s header', () => {
  it.each(['10.1.0.1', '10.1.255.255', '192.0.2.7', 'fd00::1', '::ffff:10.1.0.1'])(
    'counts from %s',
    (remoteAddress) => {
      expect(from({ headers, remoteAddress })).toBe('ana');
    },
  );

  it.each(['10.2.0.1', '192.0.2.8', 'fe80::1', '::ffff:10.2.0.1', '', 'localhost', '10.1.0.1, 10.2.0.1', undefined])(
    'counts for nothing from %s, whatever other headers say',
    (remoteAddress) => {
      expect(from({ headers, remoteAddress })).toBeUndefined();
    },
  );

  it('counts from no address of IPv4 outside of the networks', () => {
    fc.assert(
      fc.property(fc.ipV4(), (remoteAddress) => {
        const isInside = remoteAddress.startsWith('10.1.') || remoteAddress === '192.0.2.7';
        expect(from({ headers, remoteAddress })).toBe(isInside ? 'ana' : undefined);
      }),
    );
  });

  it('is read as UTF-8, which the operator writes as well; what is not UTF-8 is refused', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'grapheme', minLength: 1, maxLength: 40 }), (name) => {
        // As Node gives the bytes of a header.
        const value = Buffer.from(name).toString('latin1');
        fc.pre(!value.includes(', '));
        expect(from({ headers: { 'x-person': value }, remoteAddress: '10.1.0.1' })).toBe(name);
      }),
    );
    for (const value of ['Zo\u00eb', '\u00ff', '\u00ed\u00a0\u0080']) {
      const refused = { refused: 'bad_identity' };
      expect(from({ headers: { 'x-person': value }, remoteAddress: '10.1.0.1' })).toEqual(refused);
      expect(from({ headers: { 'x-person': value }, remoteAddress: '10.2.0.1' })).toBeUndefined();
    }
  });

  it.each([
    ['twice', 'ana, ben'],
    ['empty', ''],
    ['too long', 'a'.repeat(1_025)],
    ['as a list', ['ana', 'ben']],
    ['missing', undefined],
  ])('that is %s names nobody', (_, value) => {
    expect(from({ headers: { 'x-person': value }, remoteAddress: '10.1.0.1' })).toBeUndefined();
  });
});

describe('a bearer token', () => {
  it.each([
    ['Bearer abc', 'abc'],
    ['bearer abc', 'abc'],
    ['Bearer  abc', undefined],
    ['Bearer abc def', undefined],
    ['Bearer abc, Bearer def', undefined],
    ['Basic abc', undefined],
    ['abc', undefined],
    ['Bearer ', undefined],
    [`Bearer ${'a'.repeat(257)}`, undefined],
  ])('of %s is %s', (authorization, expected) => {
    expect(bearerToken({ headers: { authorization }, remoteAddress: '' })).toBe(expected);
  });
});
