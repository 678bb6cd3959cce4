import type { DestinationStream } from 'pino';
import { build } from 'pino-pretty';

/** Readable lines for a terminal. */
export function pinoPretty(to: DestinationStream): DestinationStream {
  return build({ colorize: true, translateTime: 'HH:MM:ss', ignore: 'pid,hostname', destination: to, sync: true });
}
