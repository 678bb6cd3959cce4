import { randomBytes } from 'node:crypto';
import { userInfo } from 'node:os';

/** All that is recorded, by the command or the part of the line that does it; docs/audit.md says what each tells. */
export const AUDITED_WORK = [
  'sanitize',
  'run',
  'demo',
  'policy change',
  'playground',
  'replay',
  'replay dry run',
  'replay promote',
  'replay abandon',
  'sink refill',
  'vocabulary build',
  'inspect raw',
  'steward',
  'erase',
  'erasure',
  'requests answer',
  'keys list',
  'keys rotate',
  'keys rewrap',
  'keys destroy',
  'keys sealing rotate',
  'keys sealing destroy',
  'consent enrol',
  'consent pause',
  'consent resume',
  'consent withdraw',
  'consent exempt',
  'devices issue',
  'devices revoke',
] as const;
export type AuditedWork = (typeof AUDITED_WORK)[number];

/** Work that reads raw under the policy in use; when it begins under another than the last did, that is a record too. */
export const UNDER_POLICY = ['sanitize', 'run', 'demo'] as const satisfies readonly AuditedWork[];
export type UnderPolicy = (typeof UNDER_POLICY)[number];

/**
 * Who looked at personal data for what: written before the work begins, and again when it has ended. This is the one place
 * through which it goes; whatever keeps it for longer is another {@link AuditTrail}.
 *
 * An entry never holds what was found, nor anything of a person but the operator's own account.
 */
export interface AuditEntry {
  readonly what: AuditedWork;
  readonly stage: 'started' | 'done' | 'failed';
  /** The reason that the operator gave. */
  readonly why: string;
  /** What it was about: settings, days, digests, and amounts that tell nothing of one person. */
  readonly about: Readonly<Record<string, string | number | boolean | null>>;
  /** Random id that the entries of one piece of work share; without it, the entry stands alone. */
  readonly run?: string;
}

export interface AuditTrail {
  readonly record: (entry: AuditEntry) => Promise<void>;
}

/** Longest reason, in UTF-16 code units. */
export const MAX_REASON = 300;

/** A new {@link AuditEntry.run}. */
export const newRun = (): string => randomBytes(8).toString('hex');

/** Entries as JSON lines, whatever the level of the log: nobody can ask for silence. */
export function auditTo(
  write: (line: string) => void,
  { now, account = accountName }: { readonly now: () => number; readonly account?: () => string },
): AuditTrail {
  return {
    record: async ({ what, stage, why, about }) => {
      const time = new Date(now()).toISOString();
      write(`${JSON.stringify({ audit: what, stage, time, who: account(), why, ...about })}\n`);
    },
  };
}

/** The account that the process runs under. */
export function accountName(): string {
  try {
    return userInfo().username;
  } catch {
    // In containers an account may have a number and no name.
    return `uid ${process.getuid?.() ?? 'unknown'}`;
  }
}

/** Each entry on one trail after the other. */
export function allOf(...trails: readonly AuditTrail[]): AuditTrail {
  return {
    record: async (entry) => {
      for (const trail of trails) await trail.record(entry);
    },
  };
}

/**
 * Does audited work: a start, and how it ended. Work that cannot be recorded is not begun.
 *
 * `about` gets what is known only in the end.
 *
 * @throws what `work` throws, and what the trail throws at the start or once the work is done.
 */
export async function audited<T>(
  trail: AuditTrail,
  of: Omit<AuditEntry, 'stage' | 'run'>,
  work: () => Promise<T>,
  about: (result: T) => AuditEntry['about'] = () => ({}),
): Promise<T> {
  const entry = { ...of, run: newRun() };
  await trail.record({ ...entry, stage: 'started' });
  let result: T;
  try {
    result = await work();
  } catch (error) {
    // Why the work failed is what has to be known, even if that cannot be recorded either.
    await trail.record({ ...entry, stage: 'failed' }).catch(() => undefined);
    throw error;
  }
  await trail.record({ ...entry, stage: 'done', about: { ...entry.about, ...about(result) } });
  return result;
}
