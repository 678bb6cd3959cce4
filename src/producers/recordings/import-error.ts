/**
 * A recording that cannot be imported. The message names the file, the line and the field, and says what to do; it never
 * holds anything that was read from the file.
 */
export class ImportError extends Error {
  override name = 'ImportError';
  /** Base name of the file at fault. */
  readonly file: string;
  /** Line at fault, from 1; undefined when the file as a whole is. */
  readonly line: number | undefined;

  constructor(file: string, line: number | undefined, problem: string) {
    super(line === undefined ? `${file}: ${problem}` : `${file}:${line}: ${problem}`);
    this.file = file;
    this.line = line;
  }
}

/** Throws the {@link ImportError} for a line of the file that it was made for. */
export type Fail = (line: number | undefined, problem: string) => never;

export function failIn(file: string): Fail {
  return (line, problem) => {
    throw new ImportError(file, line, problem);
  };
}
