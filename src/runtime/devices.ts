import { randomBytes } from 'node:crypto';
import type { Codec } from '../events/codec.ts';
import type { DeviceToken } from '../events/control.ts';
import type { EventLog } from '../log/event-log.ts';
import { openGlobalTable } from '../log/global-table.ts';
import { createDeviceTokens, newToken, type DeviceTokens } from '../producers/gateway/tokens.ts';
import { TOPICS } from './topics.ts';

export interface DeviceTable extends Pick<DeviceTokens, 'all' | 'check'> {
  /** Waits for what was on the topic when this was called. */
  catchUp(): Promise<void>;
}

export async function openDevices({
  log,
  codec,
}: {
  readonly log: EventLog;
  readonly codec: Pick<Codec, 'decodeDevice'>;
}): Promise<DeviceTable> {
  const tokens = createDeviceTokens();
  const table = await openGlobalTable({
    log,
    topic: TOPICS.devices,
    apply: ({ value }) => value !== null && tokens.apply(codec.decodeDevice(value)),
  });
  return {
    all: () => tokens.all(),
    check: (text, at) => tokens.check(text, at),
    catchUp: async () => table.caughtUpTo(await log.endOffsets(TOPICS.devices)),
  };
}

type Writing = { readonly log: Pick<EventLog, 'append'>; readonly codec: Pick<Codec, 'encodeDevice'> };

/** Makes a token and keeps its hash. The text is nowhere else: whoever gets it shows it once. */
export async function issueDevice(
  to: Writing,
  of: Pick<DeviceToken, 'subjectKey' | 'device' | 'issuedAt' | 'expiresAt'>,
): Promise<{ readonly text: string; readonly tokenId: string }> {
  const { text, tokenId, hash } = newToken(randomBytes);
  await append(to, { ...of, tokenId, hash, revokedAt: null }, of.issuedAt);
  return { text, tokenId };
}

export async function revokeDevice(to: Writing, token: DeviceToken, now: number): Promise<void> {
  await append(to, { ...token, revokedAt: now }, now);
}

async function append({ log, codec }: Writing, token: DeviceToken, timestamp: number): Promise<void> {
  await log.append(TOPICS.devices, [{ key: token.tokenId, value: codec.encodeDevice(token), timestamp }]);
}
