import validator from 'validator';
import type { Recognizer, Span } from './span.ts';
import type { TextView } from './view.ts';

/** Hardware addresses (IEEE EUI-48, EUI-64): pairs with colons or dashes, or Cisco's groups of four with dots. */
export const recognizer: Recognizer = { kinds: ['mac'], find };

function find({ text }: TextView): Span[] {
  return [...text.matchAll(ADDRESS)].flatMap(({ 0: address, index }) => {
    const plain = address.replace(/[^0-9A-Fa-f]/gu, '');
    // All zeros and all ones are addresses of nobody.
    if (
      /^(.)\1*$/u.test(plain) ||
      !validator.isMACAddress(address.replaceAll('.', '-').replace(/^(.{4})-(.{4})-(.{4})$/u, '$1.$2.$3'))
    )
      return [];
    return [{ start: index, end: index + address.length, kind: 'mac', score: 0.7, checked: 'eui' } as const];
  });
}

const ADDRESS =
  /(?<![0-9A-Za-z:.-])(?:[0-9A-Fa-f]{2}([:-])[0-9A-Fa-f]{2}(?:\1[0-9A-Fa-f]{2}){4}(?:\1[0-9A-Fa-f]{2}\1[0-9A-Fa-f]{2})?|[0-9A-Fa-f]{4}\.[0-9A-Fa-f]{4}\.[0-9A-Fa-f]{4}(?:\.[0-9A-Fa-f]{4})?)(?![0-9A-Za-z]|[:-][0-9A-Fa-f])/gu;
