import type { Fail } from './import-error.ts';
import type { ImportLimits } from './limits.ts';
import type { Recorded } from './sessions.ts';
import type { Source } from './source.ts';

/** What an importer is told. */
export interface FormatOptions {
  /** File, or folder for the formats that have one. */
  readonly path: string;
  /** The person, where the recording does not say or is to be overruled. */
  readonly subject: string | undefined;
  readonly limits: ImportLimits;
  /** The trusted clock, ms since the epoch. */
  readonly now: () => number;
  readonly openEvents: (path: string) => Promise<Source>;
  /** For files beside the events: they do not count for progress. */
  readonly openBeside: (path: string) => Promise<Source>;
}

/** A recording that is open. */
export interface OpenFormat {
  /** The file that holds the events; the importer's caller closes it. */
  readonly source: Source;
  readonly fail: Fail;
  /** See `SessionsOptions`. */
  readonly labelsRestart: boolean;
  /**
   * All events from the start, in blocks of bounded size; may be called again.
   * @throws ImportError
   */
  read(): AsyncGenerator<readonly Recorded[]>;
}

/** Opens a recording of one format. */
export type Format = (o: FormatOptions) => Promise<OpenFormat>;
