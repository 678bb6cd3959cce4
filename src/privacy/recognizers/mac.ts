import validator from 'validator';
import type { Recognizer, Span } from './span.ts';
import type { TextView } from './view.ts';

/** Hardware addresses (IEEE EUI-48, EUI-64): pairs with colons or dashes, or Cisco's groups of four with dots. */
export const recognizer: Recognizer = { kinds: ['mac'], find };

function find({ text }: TextView): Span[] {
  return [...separated(text), ...named(text)];
}

/** Twelve digits in one piece or in halves are an address when a word says so. */
const NAMED =
  /(?<![\p{L}\p{N}])(?:mac(?:[ _-]?addr(?:ess)?|-adresse)?|bssid|hwaddr|ether|physical address|wifi mac|bt addr(?:ess)?)["']?[ :=#：]{1,3}["']?([0-9A-F]{12}|[0-9A-F]{6}-[0-9A-F]{6}|(?:[0-9A-F]{2} ){5}[0-9A-F]{2})(?![\p{L}\p{N}-])/giu;

const named = (text: string): Span[] =>
  [...text.matchAll(NAMED)].flatMap(({ 0: all, 1: address = '', index }) => {
    const end = index + all.length;
    if (!/\d/u.test(address) || /^(.)\1*$/u.test(address.replace(/[ -]/gu, ''))) return [];
    return [{ start: end - address.length, end, kind: 'mac', score: 0.7, checked: 'named' } as const];
  });

function separated(text: string): Span[] {
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
