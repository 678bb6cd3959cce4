import type { Codec } from '../events/codec.ts';
import type { EventLog } from '../log/event-log.ts';
import type { Config } from '../config.ts';
import type { Person } from '../producers/gateway/gateway.ts';
import { bearerToken, proxyIdentity, type Asking } from '../producers/gateway/identity.ts';
import type { Refused } from '../producers/gateway/protocol.ts';
import { openDevices } from './devices.ts';
import { shareRounds } from './shared-round.ts';

/** Who asks, as the config's `gateway.identity` tells; undefined when nobody can be told. */
export type SignIn = (asking: Asking) => Promise<Person | Refused | undefined>;

export async function createSignIn(options: {
  readonly log: EventLog;
  readonly codec: Pick<Codec, 'decodeDevice'>;
  readonly identity: Config['gateway']['identity'];
  readonly subjectKey: (subject: string) => string;
  readonly now: () => number;
}): Promise<SignIn> {
  const { identity, subjectKey, now } = options;
  if (identity.kind === 'proxy') {
    const named = proxyIdentity(identity);
    return async (asking) => {
      const subject = named(asking);
      return typeof subject === 'string' ? { subjectKey: subjectKey(subject), device: null } : subject;
    };
  }
  const devices = await openDevices(options);
  const devicesCaughtUp = shareRounds(() => devices.catchUp());
  return async (asking) => {
    const token = bearerToken(asking);
    if (token === undefined) return undefined;
    // A token that was revoked before this request came is known to be.
    await devicesCaughtUp();
    const good = devices.check(token, now());
    return good === undefined ? undefined : { subjectKey: good.subjectKey, device: good.device };
  };
}

/** The header that says who asks, in lower case. */
export const identityHeader = (identity: Config['gateway']['identity']): string =>
  identity.kind === 'proxy' ? identity.header : 'authorization';
