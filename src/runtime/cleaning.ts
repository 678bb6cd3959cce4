import type { EventLog } from '../log/event-log.ts';
import type { Logger } from './telemetry.ts';

const HOUR_MS = 3_600_000;

/**
 * Applies retention and compaction while `work` runs: every hour, and when it has ended well if `atEnd` says so. Kafka does
 * this by itself; the embedded log has nobody else to do it.
 *
 * A cleaning that fails is logged and tried again an hour later: it must not stop what is being worked on.
 */
export async function cleanMeanwhile<T>(
  options: { readonly log: EventLog; readonly now: () => number; readonly logger: Logger; readonly atEnd: boolean },
  work: () => Promise<T>,
): Promise<T> {
  async function clean(): Promise<void> {
    try {
      await options.log.clean(options.now());
    } catch (error) {
      const reason = error instanceof Error ? error.name : 'unknown';
      options.logger.warn('expired records could not be removed; trying again in an hour', { reason });
    }
  }
  const timer = setInterval(() => void clean(), HOUR_MS);
  timer.unref();
  try {
    const result = await work();
    if (options.atEnd) await clean();
    return result;
  } finally {
    clearInterval(timer);
  }
}
