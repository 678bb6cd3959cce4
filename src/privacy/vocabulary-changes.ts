/** What one vocabulary has and another has not, and both in one. Pure and browser-safe. */
import { compare, keysOf, SECTIONS, type EntryKind, type EntryLine } from './vocabulary.ts';

/** Entries as lines of a file have them, by section. */
export type BySection = Readonly<Record<string, readonly string[]>>;

export interface VocabularyChanges {
  readonly added: BySection;
  readonly removed: BySection;
  /** Apps whose aliases are others, as they are now. */
  readonly changed: BySection;
}

/** From the lines of one vocabulary to those of another. Sections without a change are left out. */
export function changesBetween(from: readonly EntryLine[], to: readonly EntryLine[]): VocabularyChanges {
  const before = new Map(from.map((line) => [idOf(line), line]));
  const after = new Map(to.map((line) => [idOf(line), line]));
  const isOther = (line: EntryLine): boolean => {
    const old = before.get(idOf(line));
    return old !== undefined && lineOf(old) !== lineOf(line);
  };
  return {
    added: bySection(to.filter((line) => !before.has(idOf(line)))),
    removed: bySection(from.filter((line) => !after.has(idOf(line)))),
    changed: bySection(to.filter(isOther)),
  };
}

/** All of `base`, and of `more` what means something else than all before it; in the order of a parsed file. */
export function mergeLines(base: readonly EntryLine[], more: readonly EntryLine[]): EntryLine[] {
  const merged = [...base];
  const taken = new Set(base.flatMap(placesOf));
  for (const line of more) {
    const places = placesOf(line);
    if (places.some((place) => taken.has(place))) continue;
    for (const place of places) taken.add(place);
    merged.push(line);
  }
  return merged.toSorted((a, b) => compare(a.kind, b.kind) || compare(a.text, b.text));
}

/** A vocabulary file: comments, then every section with its entries, sorted as a review wants them. */
export function formatVocabulary(comments: readonly string[], lines: readonly EntryLine[]): string {
  const sections = Object.entries(bySection(lines)).map(([name, entries]) => `[${name}]\n${entries.join('\n')}\n`);
  return `${comments.map((comment) => `# ${comment}`.trimEnd()).join('\n')}\n${sections.join('')}`;
}

function bySection(lines: readonly EntryLine[]): BySection {
  const sections: Record<string, readonly string[]> = {};
  for (const [name, kind] of SECTIONS) {
    const entries = ofKind(lines, kind);
    if (entries.length > 0) sections[name] = entries;
  }
  return sections;
}

const ofKind = (lines: readonly EntryLine[], kind: EntryKind): string[] =>
  lines
    .filter((line) => line.kind === kind)
    .map(lineOf)
    .toSorted(compare);

const lineOf = ({ text, aliases }: EntryLine): string =>
  aliases.length === 0 ? text : `${text} = ${aliases.join(', ')}`;

const idOf = ({ kind, text }: EntryLine): string => `${kind} ${text}`;

const placesOf = (line: EntryLine): string[] => keysOf(line).map((key) => `${line.kind} ${key}`);
