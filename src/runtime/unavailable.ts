import { LogStorageError } from '../log/event-log.ts';

const UNAVAILABLE = new Set(['LogUnavailableError', 'LogClosedError', 'BrokerError', 'RegistryUnavailableError']);

/** Whether what was thrown says that the log, or what belongs to it, does not answer now. */
export function isUnavailable(error: unknown): boolean {
  return error instanceof LogStorageError || (error instanceof Error && UNAVAILABLE.has(error.name));
}
