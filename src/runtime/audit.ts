import { userInfo } from 'node:os';

/**
 * Who looked at personal data for what: written before the work begins, and again when it has ended. This is the one place
 * through which it goes; whatever keeps it for longer is another {@link AuditTrail}.
 *
 * An entry never holds what was found, nor anything of a person but the operator's own account.
 */
export interface AuditEntry {
  /** The command, such as `vocabulary build`. */
  readonly what: string;
  readonly stage: 'started' | 'done' | 'failed';
  /** The reason that the operator gave. */
  readonly why: string;
  /** What it was about: settings, days, digests, and amounts that tell nothing of one person. */
  readonly about: Readonly<Record<string, string | number | boolean | null>>;
}

export interface AuditTrail {
  readonly record: (entry: AuditEntry) => Promise<void>;
}

/** Longest reason, in UTF-16 code units. */
export const MAX_REASON = 300;

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
function accountName(): string {
  try {
    return userInfo().username;
  } catch {
    // In containers an account may have a number and no name.
    return `uid ${process.getuid?.() ?? 'unknown'}`;
  }
}

/**
 * Does audited work: a start, and how it ended. Work that cannot be recorded is not begun.
 *
 * `about` gets what is known only in the end.
 */
export async function audited<T>(
  trail: AuditTrail,
  entry: Omit<AuditEntry, 'stage'>,
  work: () => Promise<T>,
  about: (result: T) => AuditEntry['about'],
): Promise<T> {
  await trail.record({ ...entry, stage: 'started' });
  let result: T;
  try {
    result = await work();
  } catch (error) {
    await trail.record({ ...entry, stage: 'failed' });
    throw error;
  }
  await trail.record({ ...entry, stage: 'done', about: { ...entry.about, ...about(result) } });
  return result;
}
