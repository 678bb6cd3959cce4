import { contextOf } from './context.ts';
import type { Recognizer, Span } from './span.ts';
import type { TextView } from './view.ts';

/** Dates near words that say that somebody was born then. A date alone is nobody's. */
export const recognizer: Recognizer = { kinds: ['birth_date'], find };

function find(view: TextView): Span[] {
  if (!view.has(BIRTH) && !/[*b]/u.test(view.text)) return [];
  const spans: Span[] = [];
  for (const match of view.text.matchAll(DATE)) {
    const end = match.index + match[0].length;
    const isYear = /^\d{4}$/u.test(match[0]);
    const isMarked = !isYear && MARK.test(view.text.slice(Math.max(0, match.index - 4), match.index));
    if (!isMarked && !view.near(BIRTH, match.index, end, isYear ? NARROW : WIDE)) continue;
    spans.push({ start: match.index, end, kind: 'birth_date', score: isYear ? 0.5 : 0.8, checked: 'context' });
  }
  return spans;
}

/** `(b. 12 March 1985)`, `*12.03.1985`: no star with a space, which begins the items of lists. */
const MARK = /(?:(?:^|[\s(,;])b\. ?|(?:^|[\s(,;])\*(?=$))$/u;
const WIDE = { before: 24, after: 2 };
const NARROW = { before: 6, after: 2 };

const MONTH = String.raw`\p{L}[\p{L}\p{M}]{2,11}\.?`;
const YEAR = String.raw`(?:1[89]|20)\d\d`;
/** Numeric in any order, with the month's name, East Asian, eight digits, a year alone. */
const DATE = new RegExp(
  String.raw`(?<![\p{N}.,/-])(?:${[
    String.raw`\d{1,2} ?[./-] ?\d{1,2} ?[./-] ?(?:${YEAR}|2[45]\d\d|\d\d)`,
    String.raw`(?:明治|大正|昭和|平成|令和)(?:\d{1,2}|元)年\d{1,2}月\d{1,2}日`,
    String.raw`${YEAR} ?[./-] ?\d{1,2} ?[./-] ?\d{1,2}\.?`,
    String.raw`${YEAR} ?[\u5E74\uB144] ?\d{1,2} ?[\u6708\uC6D4] ?\d{1,2} ?[\u65E5\uC77C]`,
    String.raw`\d{1,2}(?:st|nd|rd|th|er|\.|º|ª)?[ -](?:de |of )?${MONTH},?[ -](?:de |del )?(?:${YEAR}|\d\d(?!\d))`,
    String.raw`(?:19|20)\d\d(?:0\d|1[0-2])(?:[0-2]\d|3[01])`,
    YEAR,
  ].join('|')})(?![\p{N}/]|[.-]\d)|(?<!\p{L})${MONTH} \d{1,2}(?:st|nd|rd|th)?,? ${YEAR}(?!\d)`,
  'gu',
);

const BIRTH = contextOf(
  [
    'dob',
    'd o b',
    'date of birth',
    'birth date',
    'birthdate',
    'born',
    'born on',
    'birthday',
    'bday',
    'year of birth',
    'yob',
    'ddn',
    'nasc',
    'nar',
    'г р',
    'г рожд',
    'дата на раждане',
    'рожд',
    'fec nac',
    'fecha nac',
    'f de nac',
    'dat nar',
    'geb dat',
    'szül dátum',
  ],
  [
    'geboren',
    'geb',
    'geburtsdatum',
    'geburtstag',
    'jahrgang',
    'geburtsjahr',
    'né le',
    'née le',
    'né en',
    'née en',
    'date de naissance',
    'naissance',
    'anniversaire',
  ],
  [
    'fecha de nacimiento',
    'nacimiento',
    'nacido',
    'nacida',
    'nació',
    'f nac',
    'cumpleaños',
    'data di nascita',
    'nascita',
    'nato il',
    'nata il',
    'nato nel',
    'nata nel',
    'compleanno',
  ],
  [
    'data de nascimento',
    'nascimento',
    'nascido',
    'nascida',
    'nasceu',
    'geboortedatum',
    'geboren op',
    'verjaardag',
    'data urodzenia',
    'urodzony',
    'urodzona',
    'ur',
    'urodziny',
  ],
  [
    'datum narození',
    'narozen',
    'narozena',
    'narozeniny',
    'dátum narodenia',
    'narodený',
    'narodená',
    'datum rođenja',
    'rođen',
    'rođena',
    'rođendan',
    'datum rojstva',
    'rojen',
    'rojena',
    'rojstni dan',
  ],
  [
    'születési',
    'született',
    'szül',
    'születésnap',
    'data nașterii',
    'născut',
    'născută',
    'födelsedatum',
    'född',
    'fødselsdato',
    'født',
    'fødselsdag',
    'syntymäaika',
    'syntynyt',
    'synt',
    'syntymäpäivä',
  ],
  [
    'doğum tarihi',
    'doğum',
    'doğumlu',
    'дата рождения',
    'родился',
    'родилась',
    'рождения',
    'д р',
    'день рождения',
    'дата народження',
    'народився',
    'народилася',
    'роден',
    'родена',
    'рођен',
    'рођена',
  ],
  [
    'ημερομηνία γέννησης',
    'γεννήθηκε',
    'γέννησης',
    'γενέθλια',
    'تاريخ الميلاد',
    'مواليد',
    'الميلاد',
    'ولد',
    'تاریخ تولد',
    'متولد',
    'תאריך לידה',
    'נולד',
    'נולדה',
    'ת לידה',
    'जन्म तिथि',
    'जन्मतिथि',
    'जन्म',
  ],
  [
    'gimimo data',
    'gimęs',
    'gimusi',
    'dzimšanas datums',
    'dzimis',
    'dzimusi',
    'sünniaeg',
    'sündinud',
    'ngày sinh',
    'sinh ngày',
    'sinh năm',
    'tanggal lahir',
    'lahir',
    'tarikh lahir',
    'ditëlindja',
    'datëlindja',
    'tarehe ya kuzaliwa',
  ],
  [
    'วันเกิด',
    'เกิดวันที่',
    'เกิดเมื่อ',
    '出生日期',
    '出生',
    '生日',
    '生于',
    '生年月日',
    '誕生日',
    '生まれ',
    '생년월일',
    '생일',
    '출생',
  ],
);
