import { WORDS } from './data.ts';
import { foldName } from './fold.ts';

/** What a word is listed as; the flags are added up. dev/names.ts writes them. */
export const GIVEN = 1;
export const FAMILY = 2;
/** Long enough, or known in several languages: not a short word that some language happens to have as a name. */
export const SURE = 4;
/** An ordinary word or a place as well (`Frank`, `Paris`). */
export const WORD = 8;
/** A word that user interfaces write in capitals (`Mark`, `Page`). */
export const INTERFACE = 16;
/** A name in three languages or more. */
export const COMMON = 32;

/** Words by their first character, packed as in data.ts until one of them is asked for. */
let packed: ReadonlyMap<string, readonly (readonly [flags: number, words: string])[]> | undefined;
const listed = new Map<string, Map<string, number>>();

/** Flags of a folded word, 0 for one that is not listed. Unpacks what begins with the same character when that is first asked for. */
export function flagsOf(folded: string): number {
  const first = folded.charAt(0);
  let words = listed.get(first);
  if (words === undefined) {
    packed ??= packedByFirst();
    const parts = packed.get(first);
    if (parts === undefined) return 0;
    words = unpack(parts);
    listed.set(first, words);
  }
  return words.get(folded) ?? 0;
}

function packedByFirst(): Map<string, [flags: number, words: string][]> {
  const map = new Map<string, [flags: number, words: string][]>();
  for (const [flags, words] of WORDS) {
    // `A` counts no shared letter: another first character begins.
    for (const part of words.split('A')) {
      const first = part.charAt(0);
      const others = map.get(first);
      if (others === undefined) map.set(first, [[flags, part]]);
      else others.push([flags, part]);
    }
  }
  map.delete('');
  return map;
}

function unpack(parts: readonly (readonly [flags: number, words: string])[]): Map<string, number> {
  const map = new Map<string, number>();
  for (const [flags, words] of parts) {
    let before = '';
    for (const coded of `A${words}`.match(CODED) ?? []) {
      before = before.slice(0, coded.charCodeAt(0) - 65) + coded.slice(1);
      map.set(before, flags);
    }
  }
  return map;
}

const CODED = /[A-Z][^A-Z]*/gu;

/** Flags of a word that may be an inflected name (`Anną`, `Ивановым`, `Petrs`): those of the name it could come from, or 0. */
export function flagsOfInflected(folded: string): number {
  if (folded.length < 3) return 0;
  for (const [ending, replacements] of ENDINGS_BY_LAST.get(folded.charAt(folded.length - 1)) ?? []) {
    if (!folded.endsWith(ending) || folded.length - ending.length < 2) continue;
    const stem = folded.slice(0, -ending.length);
    for (const replacement of replacements) {
      const flags = flagsOf(stem + replacement);
      if ((flags & SURE) !== 0 && (flags & WORD) === 0) return flags & (GIVEN | FAMILY | SURE);
    }
  }
  // `ו`, `ل` and such are written onto the name: "and", "to".
  const flags = PREFIXED.test(folded) ? flagsOf(folded.slice(1)) : 0;
  return (flags & WORD) === 0 ? flags & (GIVEN | FAMILY | SURE) : 0;
}

const PREFIXED = /^[\u05D5\u05DC\u05DE\u05E9\u05D1\u05D4\u0648\u0644\u0628\u0641]\p{L}{3}/u;

/** Endings as they are after folding, and what the name has instead. */
const ENDINGS: readonly (readonly [string, readonly string[]])[] = [
  // Polish, Czech, Slovak, Slovene, Croatian, Serbian
  ['skiego', ['ski']],
  ['skiemu', ['ski']],
  ['skim', ['ski']],
  ['skiej', ['ska', 'ski']],
  ['ska', ['ski']],
  ['cka', ['cki']],
  ['ckiego', ['cki']],
  ['ckim', ['cki']],
  ['ckiej', ['cka', 'cki']],
  ['ovou', ['ova']],
  ['ove', ['ova']],
  ['kiem', ['ek', 'k']],
  ['iem', ['']],
  ['ovi', ['']],
  ['owi', ['']],
  ['lem', ['el']],
  ['drem', ['der']],
  ['em', ['', 'ek', 'e', 'o']],
  ['om', ['', 'a', 'o']],
  ['ou', ['a']],
  ['ia', ['']],
  ['ie', ['']],
  ['a', ['', 'o']],
  ['e', ['a', '']],
  ['y', ['a']],
  ['i', ['a', '']],
  ['o', ['a']],
  ['u', ['', 'a', 'o']],
  // Russian, Ukrainian, Bulgarian
  ['ского', ['скии']],
  ['ским', ['скии']],
  ['скои', ['ская']],
  ['ого', ['ыи', 'ии']],
  ['ым', ['', 'ыи']],
  ['им', ['', 'ии']],
  ['ом', ['']],
  ['ем', ['', 'и', 'ь']],
  ['еи', ['я', 'ь']],
  ['ои', ['а']],
  ['ою', ['а']],
  ['ею', ['я']],
  ['ю', ['я', 'и', 'ь']],
  ['я', ['и', 'ь', '']],
  ['у', ['', 'а']],
  ['а', ['']],
  ['е', ['а', '', 'я']],
  ['ы', ['а']],
  ['и', ['а', 'я']],
  // Greek
  ['ου', ['οσ', 'ησ', 'ου']],
  ['ε', ['οσ']],
  ['η', ['ησ']],
  ['ο', ['οσ']],
  ['α', ['ασ']],
  ['ησ', ['η']],
  ['ασ', ['α']],
  // German, Swedish, Danish; Finnish; Hungarian; Turkish; Lithuanian, Latvian
  ['s', ['']],
  ['n', ['']],
  ['lle', ['']],
  ['lta', ['']],
  ['nak', ['']],
  ['nek', ['']],
  ['val', ['']],
  ['vel', ['']],
  ['nin', ['']],
  ['in', ['']],
  ['u', ['as', 's']],
  ['iu', ['is']],
];

const ENDINGS_BY_LAST: ReadonlyMap<string, readonly (readonly [string, readonly string[]])[]> = new Map(
  [...new Set(ENDINGS.map(([ending]) => ending.charAt(ending.length - 1)))].map((last) => [
    last,
    ENDINGS.filter(([ending]) => ending.endsWith(last)),
  ]),
);

export { foldName };
