/** A run of digits in a text. */
export interface DigitGroup {
  readonly start: number;
  readonly end: number;
  readonly digits: string;
  /** What stands between the group before and this one, or undefined when that is no separator of one number. */
  readonly separator: string | undefined;
}

/** All runs of ASCII digits of a text, in order. */
export function digitGroups(text: string): DigitGroup[] {
  const groups: DigitGroup[] = [];
  for (const match of text.matchAll(/\d+/gu)) {
    const start = match.index;
    const between =
      groups.length === 0 ? '' : text.slice(groups.at(-1)?.end, Math.min(start, (groups.at(-1)?.end ?? 0) + 5));
    const isSeparator = SEPARATOR.test(between);
    groups.push({
      start,
      end: start + match[0].length,
      digits: match[0],
      separator: isSeparator ? between : undefined,
    });
  }
  return groups;
}

// Up to three spaces, dashes, dots, slashes and brackets; longer gaps part two numbers.
const SEPARATOR = /^[ .\-\u2010-\u2015/()]{1,3}$/u;
