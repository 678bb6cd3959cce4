/**
 * Builds src/privacy/recognizers/names/data.ts: names of people in many languages, and the ordinary words that look like
 * them. Sources: @faker-js/faker, dev/names/ (its README says where those come from), policies/vocabulary.txt.
 *
 *     npm run build && node dist/dev/names.js
 */
import { readFileSync, writeFileSync } from 'node:fs';
import { pathToFileURL } from 'node:url';
import { allLocales } from '@faker-js/faker';
import { foldName } from '../src/privacy/recognizers/names/fold.ts';

const TARGET = 'src/privacy/recognizers/names/data.ts';

// As in src/privacy/recognizers/names/lists.ts.
const GIVEN = 1;
const FAMILY = 2;
const SURE = 4;
const WORD = 8;
const INTERFACE = 16;
const COMMON = 32;

/** The whole file, as it should be. */
export function buildNames(): string {
  const words = listWords();
  const names = listNames();
  const flags = new Map<string, number>();
  for (const word of [...words.ordinary, ...words.places, ...words.never]) flags.set(word, WORD);
  for (const word of words.interface) flags.set(word, WORD | INTERFACE);
  for (const [name, { kinds, languages, givenIn }] of names) {
    if ((name.length < 2 && !isUnspaced(name)) || words.never.has(name)) continue;
    const isStrong = words.strong.has(name);
    const word = isStrong ? 0 : (flags.get(name) ?? 0);
    // A short name of one language is a word of another too often.
    const isSure = isStrong || languages.size > 1 || Array.from(name).length >= SURE_LENGTH;
    const isCommon = givenIn.size > 2;
    flags.set(name, kinds | word | (isSure ? SURE : 0) | (isCommon ? COMMON : 0));
  }
  const groups = new Map<number, string[]>();
  for (const [word, flag] of flags) {
    // Words that are no names are asked for only where capitals could make a name of them; places hardly ever are.
    if (
      isUnspaced(word) ||
      ((flag & (GIVEN | FAMILY)) === 0 && ((!CASED.test(word) && !words.extra.has(word)) || words.places.has(word)))
    )
      continue;
    const group = groups.get(flag);
    if (group === undefined) groups.set(flag, [word]);
    else group.push(word);
  }
  const lines = [...groups]
    .sort(([a], [b]) => a - b)
    .map(([flag, group]) => `  [${String(flag)}, '${frontCoded(group)}'],`);
  return [
    '/**',
    ' * Made by dev/names.ts, which says how to make it anew; not to be edited.',
    ' * Holds names from Faker (@faker-js/faker and the Python package, both under the MIT licence) and from the 1990 census of',
    ' * the United States (public domain).',
    ' */',
    '',
    '/** By flags (lists.ts), words in order: each is a capital letter that counts the letters shared with the word before, then the rest. */',
    'export const WORDS: readonly (readonly [flags: number, words: string])[] = [',
    ...lines,
    '];',
    '',
    ...unspacedLists(),
    '/** Months and weekdays, whole and short, folded. */',
    `export const CALENDAR = '${calendarWords().join(' ')}';`,
    '/** Folded places of several words of which one is a name too; of longer ones the first three words. */',
    `export const PLACES = '${placesOfNames(names).join('|')}';`,
    '',
  ].join('\n');
}

const SURE_LENGTH = 5;
const CASED = /^[\p{Script=Latin}\p{Script=Cyrillic}\p{Script=Greek}]+$/u;
const UNSPACED = /[\p{Script=Han}\p{Script=Hiragana}\p{Script=Katakana}\p{Script=Hangul}]/u;
const isUnspaced = (word: string): boolean => UNSPACED.test(word);

function frontCoded(words: readonly string[]): string {
  let before = '';
  let coded = '';
  for (const word of words.toSorted()) {
    let shared = 0;
    while (shared < 25 && shared < word.length && word[shared] === before[shared]) shared += 1;
    coded += String.fromCharCode(65 + shared) + word.slice(shared);
    before = word;
  }
  return coded;
}

interface Listed {
  kinds: number;
  readonly languages: Set<string>;
  readonly givenIn: Set<string>;
}

function listNames(): Map<string, Listed> {
  const names = new Map<string, Listed>();
  const add = (name: string, kind: number, language: string): void => {
    for (const part of name.split(/[\s(),/]+/u)) {
      if (PARTICLES.has(part.toLowerCase()) || !/^[\p{L}\p{M}'’.ʼ-]+$/u.test(part) || part.endsWith('.')) continue;
      for (const form of formsOf(part)) {
        const folded = foldName(form);
        const listed = names.get(folded);
        if (listed === undefined) {
          names.set(folded, {
            kinds: kind,
            languages: new Set([language]),
            givenIn: new Set(kind === GIVEN ? [language] : []),
          });
        } else {
          listed.kinds |= kind;
          listed.languages.add(language);
          if (kind === GIVEN) listed.givenIn.add(language);
        }
      }
    }
  };
  for (const [locale, { person }] of Object.entries(allLocales)) {
    const language = locale.slice(0, 2);
    if (LEFT_OUT.has(language)) continue;
    for (const name of [...valuesOf(person?.first_name), ...valuesOf(person?.middle_name)]) add(name, GIVEN, language);
    for (const name of valuesOf(person?.last_name)) add(name, FAMILY, language);
  }
  for (const [file, kind] of [
    ['given', GIVEN],
    ['family', FAMILY],
  ] as const) {
    for (const line of read(`dev/names/${file}.txt`)) {
      const [language = '', list = ''] = line.split(': ');
      for (const name of list.split(', ')) add(name, kind, language);
    }
  }
  return names;
}

/** Scripts that hardly any interface is written in: names of Dhivehi. */
const LEFT_OUT = new Set(['dv']);
const PARTICLES = new Set(
  'van von de der den del della di da dos das do du la le el al bin ibn ben abu bint ter ten und and y e i zu zum zur'.split(
    ' ',
  ),
);

/** A name as it is also written: umlauts spelt out, Cyrillic and Greek in Latin letters. */
function formsOf(name: string): string[] {
  const forms = [name];
  if (/[äöüåøæÄÖÜÅØÆ]/u.test(name)) forms.push(name.toLowerCase().replace(/[äöüåø]/gu, (c) => SPELT[c] ?? c));
  if (/[\p{Script=Cyrillic}]/u.test(name)) forms.push(...romanised(name, CYRILLIC));
  if (/[\p{Script=Greek}]/u.test(name)) forms.push(...romanised(name, GREEK));
  return forms;
}

const SPELT: Readonly<Record<string, string>> = { ä: 'ae', ö: 'oe', ü: 'ue', å: 'aa', ø: 'oe' };

/** Both of the two commonest ways where they differ. */
function romanised(name: string, table: readonly (readonly [string, string, string?])[]): string[] {
  return [1, 2].map((way) => {
    let latin = foldGreek(name.toLowerCase());
    for (const row of table) latin = latin.replaceAll(row[0], row[way] ?? row[1]);
    return latin;
  });
}

const foldGreek = (text: string): string =>
  text
    .normalize('NFD')
    .replace(/[\u0300\u0301\u0308]/gu, '')
    .normalize('NFC');

const CYRILLIC: readonly (readonly [string, string, string?])[] = [
  ['ий', 'y', 'iy'],
  ['ый', 'y', 'yy'],
  ['щ', 'shch'],
  ['ш', 'sh', 'š'],
  ['ч', 'ch', 'č'],
  ['ж', 'zh', 'ž'],
  ['х', 'kh', 'h'],
  ['ц', 'ts', 'c'],
  ['ю', 'yu', 'iu'],
  ['я', 'ya', 'ia'],
  ['є', 'ye', 'ie'],
  ['ї', 'yi', 'i'],
  ['ё', 'e', 'yo'],
  ['э', 'e'],
  ['ы', 'y'],
  ['й', 'y', 'i'],
  ['і', 'i'],
  ['ґ', 'g'],
  ['ђ', 'dj'],
  ['ћ', 'c'],
  ['џ', 'dz'],
  ['љ', 'lj'],
  ['њ', 'nj'],
  ['ј', 'j'],
  ['ѓ', 'gj'],
  ['ќ', 'kj'],
  ['ѕ', 'dz'],
  ['ь', ''],
  ['ъ', '', 'a'],
  ["'", ''],
  ...Array.from('абвгдезиклмнопрстуф', (letter, i) => [letter, 'abvgdeziklmnoprstuf'.charAt(i)] as const),
];

const GREEK: readonly (readonly [string, string, string?])[] = [
  ['ου', 'ou'],
  ['ευ', 'ef', 'ev'],
  ['αυ', 'af', 'av'],
  ['μπ', 'b', 'mp'],
  ['ντ', 'nt', 'd'],
  ['γγ', 'ng', 'gg'],
  ['γκ', 'gk', 'g'],
  ['θ', 'th'],
  ['χ', 'ch', 'h'],
  ['ψ', 'ps'],
  ['ξ', 'x'],
  ['φ', 'f', 'ph'],
  ['η', 'i'],
  ['υ', 'y', 'i'],
  ['ω', 'o'],
  ['ς', 's'],
  ...Array.from('αβγδεζικλμνοπρστ', (letter, i) => [letter, 'avgdeziklmnoprst'.charAt(i)] as const),
];

function listWords(): Record<'ordinary' | 'extra' | 'places' | 'interface' | 'strong' | 'never', ReadonlySet<string>> {
  const ordinary = new Set<string>();
  const places = new Set<string>();
  const add = (text: string): void => {
    for (const word of text.split(/[^\p{L}\p{M}']+/u)) if (word.length > 1) ordinary.add(foldName(word));
  };
  for (const locale of Object.values(allLocales)) {
    for (const list of Object.values(locale.word ?? {})) for (const word of valuesOf(list)) add(word);
    const { city_name, country, state, continent } = locale.location ?? {};
    // Of the places only those of one word: `San Juan` doesn't make `Juan` a place.
    for (const place of [city_name, country, state, continent].flatMap(valuesOf)) {
      if (!place.includes(' ')) places.add(foldName(place));
    }
  }
  for (const word of read('dev/names/words.txt')) add(word);
  const entries = read('policies/vocabulary.txt').filter((line) => !/^(?:#|\[)/u.test(line));
  const ofInterface = new Set(listed('interface'));
  const labels = entries.slice(entries.findIndex((line) => line.startsWith('Account name')));
  for (const label of labels) {
    for (const word of label.split(/[^\p{L}\p{M}']+/u)) if (word.length > 1) ofInterface.add(foldName(word));
  }
  for (const word of [...listed('extra-words'), ...listed('ambiguous')]) ordinary.add(word);
  return {
    ordinary,
    extra: new Set(listed('extra-words')),
    places: new Set([...places].filter((place) => !ordinary.has(place) && !ofInterface.has(place))),
    interface: ofInterface,
    strong: new Set(listed('strong')),
    never: new Set(listed('never')),
  };
}

function listed(name: string): string[] {
  const words = read(`dev/names/${name}.txt`).filter((line) => !line.startsWith('#'));
  return words.join(', ').split(/, */u).filter(Boolean).map(foldName);
}

function calendarWords(): string[] {
  const words = Object.values(allLocales)
    .flatMap(({ date }) => [...valuesOf(date?.month), ...valuesOf(date?.weekday)])
    .concat(MORE_DAYS);
  const folded = words
    .map((word) => foldName(word.replace(/\.$/u, '')))
    .filter((word) => /^[\p{L}\p{M}]{2,}$/u.test(word));
  return [...new Set(folded)].filter((word) => !isUnspaced(word) && !GIVEN_FIRST.has(word)).toSorted();
}

/** Months that are commoner as given names. */
const GIVEN_FIRST = new Set(['marta', 'marco', 'gwen', 'marc', 'sam', 'ian', 'yan', 'julija', 'augusta']);

/** Short weekdays that the source lacks. */
const MORE_DAYS =
  'mo di mi do fr sa so pzt sal çar per cum cmt paz lu ma me je ve pn wt śr cz pt po út st čt pá ne'.split(' ');

/** Countries, and regions and towns of some languages; the towns of others are called as people are. */
function placesOfNames(names: ReadonlyMap<string, Listed>): string[] {
  const places = Object.entries(allLocales).flatMap(([locale, { location }]) => [
    ...valuesOf(location?.country),
    // Of Vietnam's provinces most are given names.
    ...(locale === 'vi' ? [] : valuesOf(location?.state)),
    ...(WITH_TOWNS.has(locale) ? valuesOf(location?.city_name) : []),
  ]);
  const folded = places.flatMap((place) => {
    const words = place
      .split(/[\s,()/–-]+/u)
      .filter(Boolean)
      .slice(0, 3)
      .map(foldName);
    return words.length > 1 && words.some((word) => names.has(word)) ? [words.join(' ')] : [];
  });
  return [...new Set(folded)].filter((place) => !PEOPLE.has(place) && !/['|\d]/u.test(place)).toSorted();
}

const WITH_TOWNS = new Set(['en', 'en_CA', 'de', 'fr', 'es', 'es_MX', 'pt_PT', 'pl', 'cs_CZ', 'sk', 'ro']);
/** Places that many people are called as well. */
const PEOPLE = new Set(['diego garcia', 'diego garcía']);

/** Names of scripts without spaces: they are looked for in other ways. */
function unspacedLists(): string[] {
  const of = (locales: readonly string[], kind: 'first_name' | 'last_name'): string[] => {
    const person = locales.flatMap((locale) => valuesOf(allLocales[locale as keyof typeof allLocales].person?.[kind]));
    return [...new Set(person)].filter((name) => isUnspaced(name)).toSorted();
  };
  const chinese = of(['zh_CN', 'zh_TW'], 'first_name').join('');
  const lines: readonly (readonly [string, string])[] = [
    ['CHINESE_FAMILY', of(['zh_CN', 'zh_TW'], 'last_name').join(' ')],
    ['CHINESE_GIVEN', [...new Set(chinese + read('dev/names/chinese-given.txt').join(''))].toSorted().join('')],
    ['JAPANESE_FAMILY', of(['ja'], 'last_name').join(' ')],
    ['JAPANESE_GIVEN', of(['ja'], 'first_name').join(' ')],
    ['KOREAN_FAMILY', of(['ko'], 'last_name').join(' ')],
    ['KOREAN_GIVEN', [...new Set([...of(['ko'], 'first_name'), ...koreanExtra()])].toSorted().join(' ')],
  ];
  return lines.map(([name, list]) => `export const ${name} = '${list}';`);
}

function koreanExtra(): string[] {
  const line = read('dev/names/given.txt').find((each) => each.startsWith('ko: '));
  return line?.slice(4).split(', ') ?? [];
}

/** All names of a locale's entry: a list, or lists by gender, or lists of weighted values. */
function valuesOf(entry: unknown): string[] {
  if (typeof entry === 'string') return [entry];
  if (Array.isArray(entry)) return entry.flatMap(valuesOf);
  if (typeof entry !== 'object' || entry === null) return [];
  if ('value' in entry) return valuesOf(entry.value);
  return Object.values(entry).flatMap(valuesOf);
}

function read(path: string): string[] {
  return readFileSync(path, 'utf8').split('\n').filter(Boolean);
}

if (process.argv[1] !== undefined && import.meta.url === pathToFileURL(process.argv[1]).href) {
  writeFileSync(TARGET, buildNames());
}
