/** Checkpoints that nobody needs: each is a copy of the whole state, so a table of many files must not keep them all. */
import {
  checkpointPath,
  checkpointVersion,
  commitPath,
  lastCheckpoint,
  LOG_FOLDER,
  wholeCheckpoints,
} from './delta-log.ts';
import type { TableStore } from './store.ts';

/** Stay: whoever has just looked which is the newest must still find it, however many follow while it reads. */
const KEPT = 5;

/**
 * Deletes all but the newest, each time it is called; what another call was killed over goes with the next.
 *
 * Commits stay, so that older versions can be read from the first commit on. Where another tool shortens the log, versions can
 * be read from checkpoints only: that tool deletes them.
 */
export class OldCheckpoints {
  readonly #store: TableStore;
  /** No old one is before this file: logs get long, and listing them all at each checkpoint would cost more than it saves. */
  #after: string | undefined;

  constructor(store: TableStore) {
    this.#store = store;
  }

  async delete(): Promise<void> {
    const names = await this.#store.list(LOG_FOLDER, this.#after);
    const oldestKept = wholeCheckpoints(names).at(-KEPT)?.version;
    if (oldestKept === undefined || (await this.#store.read(commitPath(0))) === undefined) return;
    // A slow writer may point to an older one yet.
    const named = (await lastCheckpoint(this.#store)) ?? oldestKept;
    for (const name of names) {
      const version = checkpointVersion(name) ?? oldestKept;
      if (version < oldestKept && version !== named) await this.#store.delete(`${LOG_FOLDER}/${name}`);
    }
    this.#after = beforeCheckpoint(Math.min(oldestKept, named));
  }
}

/** A name that comes before those of that version's files. */
const beforeCheckpoint = (version: number): string =>
  checkpointPath(version).slice(`${LOG_FOLDER}/`.length).replace(/\..*$/u, '');
