import cliProgress from 'cli-progress';
import type { Io } from './io.ts';

export interface Progress {
  update(done: number, total: number): void;
  stop(): void;
}

/** A progress bar on a terminal; nothing elsewhere. */
export function showProgress(io: Io, what: string, unit: string): Progress {
  if (io.stderr.isTTY !== true) return { update: () => {}, stop: () => {} };
  const bar = new cliProgress.SingleBar({
    format: `${what} [{bar}] {percentage} % | {value}/{total} ${unit} | {eta_formatted}`,
    stream: io.stderr,
    hideCursor: true,
    clearOnComplete: true,
  });
  bar.start(0, 0);
  return {
    update(done, total) {
      bar.setTotal(total);
      bar.update(done);
    },
    stop: () => bar.stop(),
  };
}
