import validator from 'validator';
import { contextOf } from './context.ts';
import type { Recognizer, Span } from './span.ts';
import type { TextView } from './view.ts';

/** IP addresses of both versions, with the prefix length if there is one. Version numbers that say so are left alone. */
export const recognizer: Recognizer = { kinds: ['ip'], find };

/** Longest form: IPv6 with an embedded IPv4 address. */
const MAX_ADDRESS = 45;

/** Whether `text` is one IP address and nothing else. */
export function isIpAddress(text: string): boolean {
  return text.length <= MAX_ADDRESS && (validator.isIP(text, 4) || validator.isIP(text, 6));
}

function find(view: TextView): Span[] {
  const { text } = view;
  const spans: Span[] = [];
  for (const run of text.matchAll(RUN)) {
    for (const found of addressesIn(run[0], isWord(text[run.index - 1]), isPrefixed(view, run))) {
      const start = run.index + found.start;
      const end = run.index + found.end;
      const isV6 = text.slice(start, end).includes(':');
      if (isWord(text[start - 1]) || isWord(text[end]) || (!isV6 && isVersion(text, start))) continue;
      const suffix = (isV6 ? SUFFIX : PREFIX_V4).exec(text.slice(end, end + MAX_SUFFIX))?.[0].length ?? 0;
      const score = isNobodys(text.slice(start, end), text.slice(end, end + suffix)) ? 0.2 : 0.8;
      spans.push({ start, end: end + suffix, kind: 'ip', score, checked: isV6 ? 'ipv6' : 'ipv4' });
    }
  }
  for (const match of text.includes('[.]') || text.includes('(.)') ? text.matchAll(DEFANGED) : []) {
    const end = match.index + match[0].length;
    if (!validator.isIP(match[0].replace(/[[\]()]/gu, ''), 4)) continue;
    spans.push({ start: match.index, end, kind: 'ip', score: 0.8, checked: 'ipv4' });
  }
  return spans;
}

/** `192[.]0[.]2[.]1`, as people write an address that nobody shall follow. */
const DEFANGED =
  /(?<![\p{L}\p{N}.])\d{1,3}(?:\[\.\]|\(\.\)|\.)\d{1,3}(?:\[\.\]|\(\.\)|\.)\d{1,3}(?:\[\.\]|\(\.\)|\.)\d{1,3}(?![\p{L}\p{N}])/gu;

const IPV6_WORDS = contextOf(['ipv6', 'ip', 'address', 'unspecified', 'listen', 'bind', 'src', 'dst', 'route']);

/** `::` is an operator of many languages, unless a prefix length follows or a word of networks stands by. */
function isPrefixed({ text, near }: TextView, { 0: run, index }: RegExpExecArray): boolean {
  const end = index + run.length;
  return (
    run === '::' &&
    (/^\/\d/u.test(text.slice(end, end + 2)) ||
      (!isWord(text[end]) && near(IPV6_WORDS, index, end, { before: 16, after: 0 })))
  );
}

// A run holds every character that an address may: what stands around the address in it is cut off below.
const RUN = /[0-9A-Fa-f:.]{3,}|(?<![:\w])::(?![:\w])/gu;
const VERSION_BEFORE = /(?:^|[^a-z])(?:v|ver|version|release|build|rev|firmware|update)[ .:]*$/iu;
const SUFFIX = /^(?:%[0-9A-Za-z]{1,16})?(?:\/(?:12[0-8]|1[01]\d|\d{1,2})(?!\d))?/u;
const PREFIX_V4 = /^\/(?:3[0-2]|[12]?\d)(?!\d)/u;
const MAX_SUFFIX = 24;

const isVersion = (text: string, start: number): boolean =>
  VERSION_BEFORE.test(text.slice(Math.max(0, start - 16), start));
const isWord = (character: string | undefined): boolean => character !== undefined && /[0-9A-Za-z_]/u.test(character);

/**
 * Addresses that every machine has or that are everybody's (RFC 6890): this host, unspecified, netmasks, multicast, resolvers
 * that answer to all, and whole networks of documentation. A single address of documentation stands for a person's in tests.
 */
function isNobodys(address: string, suffix: string): boolean {
  const lower = address.toLowerCase();
  return EVERYBODYS.test(lower) || RESOLVERS.has(lower) || (suffix.startsWith('/') && DOCUMENTATION.test(lower));
}

const EVERYBODYS =
  /^(?:127\.\d+\.\d+\.\d+|0\.0\.0\.0|255\.(?:\d+\.){2}\d+|2(?:2[4-9]|3\d)\.\d+\.\d+\.\d+|(?:0{1,4}:){7}0{0,3}[01]|::1?|::ffff:127\.\d+\.\d+\.\d+|ff[0-9a-f]{2}:.*|fe80::)$/u;
const DOCUMENTATION = /^(?:192\.0\.2|198\.51\.100|203\.0\.113)\.0$|^2001:db8:(?::|[0-9a-f:]*::)$/u;
const RESOLVERS = new Set(
  '8.8.8.8 8.8.4.4 1.1.1.1 1.0.0.1 9.9.9.9 149.112.112.112 208.67.222.222 208.67.220.220 2001:4860:4860::8888 2606:4700:4700::1111'.split(
    ' ',
  ),
);

/** `glued`: a letter stands before the run, so that no IPv6 address can begin with it. `isPrefix`: `/64` follows. */
function addressesIn(run: string, glued: boolean, isPrefix: boolean): { start: number; end: number }[] {
  const start = /^(?:\.+|:(?!:))/u.exec(run)?.[0].length ?? 0;
  const end = run.length - (/(?:\.+|(?<!:):)$/u.exec(run.slice(-MAX_ADDRESS))?.[0].length ?? 0);
  const core = run.slice(start, end);
  if (!(glued && start === 0) && core.length <= MAX_ADDRESS && validator.isIP(core, 6))
    return isNamed(core) || isPrefix ? [{ start, end }] : [];
  // Dotted quads may stand in a longer run: a port follows, or a label stands before.
  return [...core.matchAll(QUAD)].flatMap((quad) => {
    const from = start + quad.index;
    return validator.isIP(quad[0], 4) ? [{ start: from, end: from + quad[0].length }] : [];
  });
}

const QUAD = /(?<![\d.])\d{1,3}\.\d{1,3}\.\d{1,3}\.\d{1,3}(?!\.?\d)/gu;

/** `::` and `A::B` are C++, not addresses: one without a digit must have several groups. */
function isNamed(address: string): boolean {
  return /\d/u.test(address) || address.split(':').filter((group) => group !== '').length > 2;
}
