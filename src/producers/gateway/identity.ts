import { BlockList, isIPv4, isIPv6 } from 'node:net';

/** What of a request says who asks. */
export interface Asking {
  readonly headers: Readonly<Record<string, string | readonly string[] | undefined>>;
  /** The other end of the connection itself; what headers say of it counts for nothing. */
  readonly remoteAddress: string | undefined;
}

/** The person whom a proxy names in a header, if the request comes from one of the trusted proxies. */
export function proxyIdentity(options: {
  /** Lower case. */
  readonly header: string;
  readonly trustedProxies: readonly string[];
}): (asking: Asking) => string | undefined {
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
    return isOne ? subject : undefined;
  };
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
