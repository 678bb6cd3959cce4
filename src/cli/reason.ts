import { InvalidArgumentError, Option } from 'commander';
import { MAX_REASON } from '../runtime/audit.ts';

/** Of commands that the audit trail tells of. */
export interface Why {
  readonly why: string;
}

export const whyOption = (): Option =>
  new Option('--why <reason>', 'the reason, for the audit trail: one line that names nobody')
    .argParser(reason)
    .default('', 'none');

/** Parser of a reason. */
export function reason(text: string): string {
  const trimmed = text.trim();
  if (trimmed.length >= 3 && trimmed.length <= MAX_REASON && !/[\p{Cc}\p{Cf}]/u.test(trimmed)) return trimmed;
  throw new InvalidArgumentError(`It must be one line of 3 to ${MAX_REASON} characters.`);
}
