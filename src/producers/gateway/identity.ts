import { BlockList, isIPv4, isIPv6 } from 'node:net';
import type { Refused } from './protocol.ts';

/** What of a request says who asks. */
export interface Asking {
  readonly headers: Readonly<Record<string, string | readonly string[] | undefined>>;
  /** The other end of the connection itself; what headers say of it counts for nothing. */
  readonly remoteAddress: string | undefined;
  /** Aborts when whoever asks has gone without an answer; listens from the first call on. */
  readonly gone?: () => AbortSignal;
}

/** The person whom a proxy names in a header, in UTF-8, if the request comes from one of the trusted proxies. */
export function proxyIdentity(options: {
  /** Lower case. */
  readonly header: string;
  readonly trustedProxies: readonly string[];
}): (asking: Asking) => string | Refused | undefined {
  const trusted = new BlockList();
  for (const cidr of options.trustedProxies) addTo(trusted, cidr);
  return ({ headers, remoteAddress = '' }) => {
    // An IPv4 peer of a socket that listens on both.
    const address = remoteAddress.replace(/^::ffff:(?=\d+\.)/iu, '');
    const family = isIPv4(address) ? 'ipv4' : isIPv6(address) ? 'ipv6' : undefined;
    if (family === undefined || !trusted.check(address, family)) return undefined;
    const subject = headers[options.header];
    // Node joins a header that came twice with a comma and a space.
    const isOne = typeof subject === 'string' && subject !== '' && subject.length <= 1_024 && !subject.includes(', ');
    return isOne ? utf8(subject) : undefined;
  };
}

const UTF8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });

/** Node reads a header's bytes as Latin-1. Read so, a name outside of ASCII would be somebody else than the operator enrolled. */
function utf8(header: string): string | Refused {
  try {
    return UTF8.decode(Buffer.from(header, 'latin1'));
  } catch {
    return { refused: 'bad_identity' };
  }
}

/** @throws when it is not an address, or a network such as 10.0.0.0/8. */
function addTo(list: BlockList, cidr: string): void {
  const [address = '', prefix] = cidr.split('/');
  const family = isIPv4(address) ? 'ipv4' : 'ipv6';
  if (prefix === undefined) return list.addAddress(address, family);
  if (!/^\d{1,3}$/u.test(prefix)) throw new RangeError('a network is address/bits');
  list.addSubnet(address, Number(prefix), family);
}

const BEARER = /^Bearer ([!-~]{1,256})$/iu;

/** The token of a request, not checked. */
export function bearerToken({ headers }: Asking): string | undefined {
  const header = headers['authorization'];
  return typeof header === 'string' ? BEARER.exec(header)?.[1] : undefined;
}
