import { BlockList, isIPv4 } from 'node:net';
import * as z from 'zod';

const count = (min: number, max: number, text: string): z.ZodInt => z.int().min(min).max(max).describe(text);
const path = (text: string): z.ZodString => z.string().min(1).max(4_096).describe(text);

/** Of web pages and of browser extensions. */
const PAGE_SCHEME = /^https?$|^[a-z]+-extension$/u;

/** The `gateway` section of the config file. */
export const gatewaySchema = z.strictObject({
  host: z
    .string()
    .min(1)
    .max(255)
    .describe('Where recorders are served. Another than this machine: with `tls`, or behind a proxy that has it.')
    .default('127.0.0.1'),
  port: count(0, 65_535, 'Port for recorders; 0 takes a free one.').default(8_478),
  tls: z
    .strictObject({
      certFile: path('PEM file of the certificate, with those between it and the authority.'),
      keyFile: path('PEM file of its key.'),
    })
    .describe('Serves HTTPS. Without it: plain HTTP.')
    .optional(),
  identity: z
    .discriminatedUnion('kind', [
      z.strictObject({ kind: z.literal('tokens') }),
      z.strictObject({
        kind: z.literal('proxy'),
        header: z.string().regex(/^[a-z0-9-]{1,64}$/u, 'must be a header name in lower case'),
        trustedProxies: z
          .array(z.string().refine(isNetwork, 'must be an address or a network such as `10.0.0.0/8`'))
          .min(1)
          .max(64),
      }),
    ])
    .describe(
      'How recorders say who they are. `{kind: tokens}`: with a token of `redactory devices`. `{kind: proxy, header, trustedProxies}`: a proxy that signs people in names them in this header; from other addresses than these nobody is let in.',
    )
    .prefault({ kind: 'tokens' }),
  corsOrigins: z
    .array(z.url({ protocol: PAGE_SCHEME }).superRefine(checkOrigin))
    .max(64)
    .describe(
      "Origins whose pages may ask, such as `https://recorder.example.org`, as browsers send them: without a slash at the end, in lower case. Without it: the gateway's own only.",
    )
    .default([]),
  maxBodyBytes: count(1_024, 1 << 26, 'Bytes of one body as it is sent.').default(1 << 20),
  maxEventsPerBatch: count(1, 1_000_000, 'Events of one batch; not more than `limits.maxEvents` in any case.').default(
    10_000,
  ),
  requestsPerMinute: count(1, 100_000, 'Requests of one person.').default(120),
  dataBudgetBytes: count(
    1_024,
    2 ** 40,
    'Bytes of bodies that are kept of one person in a day (UTC); counted again after a restart. Near it recorders are asked to leave out pointer moves.',
  ).default(100 << 20),
  maxInFlight: count(1, 10_000, 'Requests worked on at once; more are answered 503.').default(256),
  requestSeconds: count(1, 300, 'A request must have come in whole within so many seconds.').default(30),
  playground: z
    .boolean()
    .describe(
      'Serves `/playground`, a page that shows what is released of what one does there, for one made-up person (docs/playground.md). For trying out on one machine: not with `kafka`.',
    )
    .default(false),
});

/** An address in another spelling than that of browsers would be accepted, and match no page. */
function checkOrigin(text: string, context: z.RefinementCtx): void {
  if (!URL.canParse(text)) return;
  const { protocol, host, origin } = new URL(text);
  if (!PAGE_SCHEME.test(protocol.slice(0, -1))) return;
  // To `URL` an extension's origin is opaque. A user, a password or a path is in neither, so none is repeated.
  const sent = protocol.endsWith('-extension:') ? `${protocol}//${host}` : origin;
  const message = host.includes('*')
    ? 'must be one origin: `*` stands for nothing here'
    : `must be an origin as browsers send it: \`${sent}\``;
  if (text !== sent || host.includes('*')) context.addIssue({ code: 'custom', message });
}

function isNetwork(text: string): boolean {
  const [address = '', prefix] = text.split('/');
  try {
    const family = isIPv4(address) ? 'ipv4' : 'ipv6';
    if (prefix === undefined) new BlockList().addAddress(address, family);
    else new BlockList().addSubnet(address, /^\d{1,3}$/u.test(prefix) ? Number(prefix) : -1, family);
    return true;
  } catch {
    return false;
  }
}
