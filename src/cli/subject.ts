import { Option } from 'commander';
import { UsageError } from './io.ts';

/** Longest id of a person, in UTF-16 code units: no importer takes a longer one. */
const MAX_SUBJECT = 1_024;

/** `--subject`, of every command that has it. */
export const subjectOption = (description = 'the person, as the company knows them'): Option =>
  new Option('--subject <id>', description).argParser(subject);

/**
 * Parser of a person's id. Any text makes a valid subject key: an empty one, one with a blank behind it, or the next option
 * where a variable is unset, that of nobody; and a withdrawal would be recorded for nobody.
 *
 * @throws UsageError, which does not repeat the id as an error of commander's would.
 */
export function subject(text: string): string {
  const isOption = text.startsWith('--');
  if (text.length > 0 && text.length <= MAX_SUBJECT && text.trim() === text && !isOption) return text;
  throw new UsageError(
    `--subject must have 1 to ${MAX_SUBJECT} characters, no white space around them and no \`--\` before them: ` +
      'is a variable unset?',
  );
}
