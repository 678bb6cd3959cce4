import { contextOf } from './context.ts';
import { FAMILY, flagsOf, foldName, GIVEN, INTERFACE, WORD } from './names/lists.ts';
import type { Recognizer, Span } from './span.ts';
import type { TextView } from './view.ts';

/**
 * Postal addresses: a street with a number in the forms of many countries, with postcode and place where they follow; post
 * boxes; postcodes with their place, or near a word such as `postcode`. A street, town or country alone is nobody's address.
 */
export const recognizer: Recognizer = { kinds: ['address'], find };

function find(view: TextView): Span[] {
  const { text } = view;
  if (!/\d/u.test(text)) return [];
  const spans: Span[] = [];
  for (const { pattern, isLoose } of STREETS) {
    for (const match of text.matchAll(pattern)) {
      const end = flatsEnd(text, match.index + match[0].length);
      const tail = tailLength(text, end);
      const isNamed = view.near(ADDRESS, match.index, end, NEAR);
      if (isLoose && tail === 0 && !isNamed && !hasProperName(match[0]) && !isSegment(text, match)) continue;
      if (isLoose && NO_STREET.test(match[0])) continue;
      spans.push({
        start: match.index - (HEAD.exec(text.slice(Math.max(0, match.index - MAX_HEAD), match.index))?.[0].length ?? 0),
        end: end + tail,
        kind: 'address',
        score: tail > 0 || isNamed ? 0.85 : 0.6,
        checked: tail > 0 ? 'street+place' : 'street',
      });
    }
  }
  for (const pattern of POSTAL) {
    for (const match of text.matchAll(pattern)) {
      if (isInterface(match[0])) continue;
      const end = match.index + match[0].length;
      spans.push({ start: match.index, end, kind: 'address', score: 0.6, checked: 'street+place' });
    }
  }
  for (const match of text.matchAll(BOX)) {
    const end = match.index + match[0].length;
    spans.push({ start: match.index, end: end + tailLength(text, end), kind: 'address', score: 0.65, checked: 'box' });
  }
  for (const { pattern, score, checked } of PLACES) {
    for (const match of text.matchAll(pattern)) {
      const end = match.index + match[0].length;
      const isNamed = view.near(POSTCODE, match.index, end, NEAR);
      // A code of digits alone is shared by thousands: with its place it is an address, with a label alone a weak match.
      const isBare = /^[\d -]+$/u.test(match[0]);
      if (isBare && checked === 'any_postcode' && !isNamed) continue;
      // Nine digits are a block of houses (ZIP+4).
      const isBlock = /^\d{5}-\d{4}$/u.test(match[0]);
      const found = isNamed ? Math.max(score, isBare && !isBlock ? 0.35 : 0.6) : score;
      if (found < 0.4 && !view.wantsWeak) continue;
      spans.push({
        start: match.index,
        end,
        kind: 'address',
        score: found,
        checked: isNamed ? `${checked}+context` : checked,
      });
    }
  }
  return spans;
}

const NEAR = { before: 24, after: 0 };
const ADDRESS = contextOf(
  [
    'address',
    'street address',
    'home address',
    'billing address',
    'shipping address',
    'deliver to',
    'ship to',
    'residence',
    'lives at',
    'resides at',
    'anschrift',
    'adresse',
    'wohnhaft',
    'wohnt',
    'lieferadresse',
    'domicile',
    'habite',
    'dirección',
    'domicilio',
    'indirizzo',
    'residenza',
    'endereço',
    'morada',
    'adres',
    'woonadres',
    'bydliště',
    'adresa',
    'cím',
    'lakcím',
    'adress',
    'osoite',
    'адрес',
    'адреса',
    'διεύθυνση',
    'العنوان',
    'כתובת',
    'पता',
    'địa chỉ',
    'alamat',
  ],
  ['地址', '住址', '住所', '주소', 'ที่อยู่'],
);
const POSTCODE = contextOf(
  [
    'eircode',
    'postcode',
    'post code',
    'postal code',
    'zip',
    'zip code',
    'zipcode',
    'plz',
    'postleitzahl',
    'code postal',
    'código postal',
    'cap',
    'cep',
    'postcode',
    'kod pocztowy',
    'psč',
    'poštanski broj',
    'poštna številka',
    'irányítószám',
    'cod poștal',
    'postnummer',
    'postinumero',
    'posta kodu',
    'индекс',
    'почтовый индекс',
    'поштовий індекс',
    'ταχυδρομικός κώδικας',
    'τκ',
    'الرمز البريدي',
    'מיקוד',
    'pin code',
    'pincode',
    'mã bưu điện',
    'kode pos',
  ],
  ['邮编', '邮政编码', '郵遞區號', '郵便番号', '우편번호', 'รหัสไปรษณีย์'],
  ['address', 'anschrift', 'adresse', 'dirección', 'indirizzo', 'endereço', 'adres', 'adresa', 'lives in', 'in london'],
);

interface Street {
  readonly pattern: RegExp;
  /** Other things have this form as well: it counts with a place behind it, near a word for addresses, or with a proper name. */
  readonly isLoose: boolean;
}

const CAPITAL = String.raw`\p{Lu}[\p{L}\p{M}'.-]{0,24}`;
const WORD_ANY = String.raw`[\p{L}\p{M}][\p{L}\p{M}'.-]{0,24}`;
const NUMBER = String.raw`\d{1,5}(?: ?[a-zA-Z](?![\p{L}\p{N}]))?(?: ?[-/] ?\d{1,4}[a-z]?)?`;
const NO_BEFORE = String.raw`(?<![\p{L}\p{N}.,/:#$€£-])`;
const NO_AFTER = String.raw`(?![\p{L}\p{N}]|[.,:]\d|[%°€$£])`;

/** Number first. */
const english = (types: string): RegExp =>
  new RegExp(
    `${NO_BEFORE}(?:(?:Flat|Apt|Unit|Suite) \\d{1,4}[A-Za-z]?,? )?\\d{1,5}[A-Za-z]?(?:-\\d{1,5})?,? (?:[NSEW]\\.? |(?:North|South|East|West) )?(?:(?:${CAPITAL}|\\d{1,3}(?:st|nd|rd|th)) ){1,3}(?:${types})(?:\\.(?=[\\s,]|$))?(?:,? (?:[NSEW][EW]?|(?:Apt|Apartment|Suite|Ste|Unit|Flat|Floor|Fl|Rm|Room|#)\\.? ?#?[\\w-]{1,6}))?(?![\\p{L}\\p{N}])`,
    'gu',
  );

/** A word or words, then the number. */
const before = (words: string, flags = 'gu'): RegExp =>
  new RegExp(
    `(?<![\\p{L}\\p{N}_-])(?:${words}),? (?:(?:n[.º°r]{0,2}|No|Nr|č|бр|№|д|дом|буд|số|nomor)[.:]? ?)?${NUMBER}${NO_AFTER}`,
    flags,
  );

const OF = String.raw`(?:de la |de los |de las |de l'|de |del |dei |della |delle |dello |degli |dell'|des |du |di |do |da |dos |das |d'|l'|van |van de |van den |den |het )`;

const STREETS: readonly Street[] = [
  {
    pattern: english('Street|Avenue|Ave|Road|Boulevard|Blvd|Lane|Terrace|Crescent|Parkway|Pkwy|Highway|Hwy|Mews'),
    isLoose: false,
  },
  { pattern: english('STREET|AVENUE|ROAD|LANE|BOULEVARD|DRIVE|AVE|RD|ST|LN|DR|BLVD'), isLoose: true },
  {
    pattern: english(
      'St|Rd|Ln|Drive|Dr|Court|Ct|Place|Pl|Square|Sq|Close|Cres|Circle|Cir|Gardens|Grove|Row|Walk|Quay|Alley|Loop|Trail|Trl|Plaza|Point|Hill|Rise|Green|View|Way|Park|Ridge|Run|Broadway|Pike|Turnpike|Path|Bypass|Mall',
    ),
    isLoose: true,
  },
  // French, also of Belgium, Switzerland and Canada.
  {
    pattern: new RegExp(
      `${NO_BEFORE}\\d{1,4}(?: ?(?:bis|ter|quater|[a-dA-D]))?,? (?:rue|avenue|av\\.|boulevard|bd|bld|place|allée|allee|chemin|impasse|quai|route|cours|square|passage|faubourg|ruelle|sentier|Rue|Avenue|Boulevard|Place|Allée|Chemin|Impasse|Quai|Route|Cours) (?:${OF}{1,2})?${CAPITAL}(?:[ -](?:${OF})?${CAPITAL}){0,3}${NO_AFTER}`,
      'gu',
    ),
    isLoose: false,
  },
  {
    pattern: before(
      `(?:[Rr]ue|[Cc]hemin|[Aa]venue|[Rr]oute) (?:${OF}{1,2})?${CAPITAL}(?:[ -](?:${OF})?${CAPITAL}){0,2}`,
    ),
    isLoose: false,
  },
  // Spanish, Portuguese, Italian, Romanian, Catalan.
  {
    pattern: before(
      `(?:Calle|C/|CALLE|calle|Avda\\.?|Avenida|Av\\.|Plaza|Pza\\.|Pl\\.|Paseo|Camino|Carretera|Ronda|Travesía|Glorieta|Carrer|Rua|R\\.|Travessa|Praça|Alameda|Largo|Estrada|Rodovia|Via|VIA|via|Viale|V\\.le|Piazza|P\\.zza|Corso|C\\.so|Vicolo|Piazzale|Lungomare|Contrada|Strada|Strada|Str\\.|Bulevardul|Bd\\.|Bulevard|Calea|Șoseaua|Aleea|Piața|Intrarea) ?(?:${OF}{1,2})?(?:${CAPITAL})(?: (?:${OF}|y |e |și )?${CAPITAL}){0,4}`,
    ),
    isLoose: false,
  },
  {
    pattern: new RegExp(
      `(?<![\\p{L}\\p{N}])(?:Carrera|Cra\\.?|Calle|Cl\\.?|Transversal|Diagonal) \\d{1,3}[A-Z]? ?(?:#|No\\.?|N°) ?\\d{1,3}[A-Z]? ?- ?\\d{1,3}`,
      'gu',
    ),
    isLoose: false,
  },
  // German, Dutch and Nordic: the type is the end of the word.
  {
    pattern: before(
      `(?:(?:${CAPITAL}) )?\\p{Lu}[\\p{L}\\p{M}-]{0,30}(?:straße|strasse|str\\.|gasse|allee|chaussee|straat|laan|gracht|singel|plein|steeg|gatan|vägen|gränd|veien|vegen|vej|stræde|katu|polku|kuja)`,
    ),
    isLoose: false,
  },
  {
    pattern: before(
      `(?:(?:${CAPITAL}) )?\\p{Lu}[\\p{L}\\p{M}-]{1,30}(?:weg|platz|ring|ufer|damm|steig|pfad|hof|markt|graben|kai|brücke|promenade|dreef|dijk|kade|pad|hof|gata|gate|gade|allé|plads|torget|torv|tie|tori)`,
    ),
    isLoose: true,
  },
  // The same in capitals or small letters, where the ending is nothing else.
  {
    pattern: before(`\\p{L}[\\p{L}\\p{M}-]{2,30}(?:straße|strasse|straat|gracht|gatan|vägen|veien|strasze)`, 'giu'),
    isLoose: false,
  },
  {
    pattern: before(
      `(?:calle|avenida|rue|rua|ulica|piazza) (?:(?:de la|de los|del|de|du|des|da|do|dos) )?[a-z\\p{M}à-ž]{3,24}(?: [a-z\\p{M}à-ž]{3,24})?`,
    ),
    isLoose: false,
  },
  {
    pattern: new RegExp(
      `${NO_BEFORE}\\d{1,4}(?: ?(?:BIS|TER))?,? (?:RUE|AVENUE|BOULEVARD|BD|PLACE|ALLÉE|ALLEE|CHEMIN|IMPASSE|QUAI|ROUTE|COURS) (?:(?:DE LA|DE L'|DES|DU|DE|D'|L') ?)?${CAPITAL}(?: ${CAPITAL}){0,2}${NO_AFTER}`,
      'gu',
    ),
    isLoose: false,
  },
  {
    pattern: before(
      `${CAPITAL}(?:er|e|en|es)? (?:Straße|Strasse|Str\\.|Allee|Gasse|Chaussee|Weg|Platz|Ring|Ufer|Damm)`,
    ),
    isLoose: false,
  },
  {
    pattern: before(
      `(?:Am|An der|An den|Auf der|Auf dem|Im|In der|In den|Zum|Zur|Unter den|Hinter der|Vor dem) ${CAPITAL}(?: ${CAPITAL})?`,
    ),
    isLoose: true,
  },
  { pattern: before(`(?:Straße|Strasse) (?:des|der) ${CAPITAL}(?: ${CAPITAL})?`), isLoose: false },
  // Slavic.
  {
    pattern: before(
      `(?:ul\\.|al\\.|pl\\.|os\\.|Ul\\.|Al\\.|Pl\\.|Os\\.|ulica|Ulica|aleja|Aleja|ulice|nám\\.|náměstí|Náměstí|námestie|Námestie|třída|Trg|trg|Avenija|Bulevar|Obala|Cesta) ?(?:${WORD_ANY})(?: ${WORD_ANY}){0,3}`,
    ),
    isLoose: false,
  },
  {
    pattern: before(
      `${CAPITAL}(?: ${WORD_ANY})? (?:ulica|ulice|ul\\.|cesta|třída|trida|náměstí|nábřeží|trg|iela|gatvė|g\\.|pr\\.|prospekts|tänav|tn|mnt|puiestee)`,
    ),
    isLoose: true,
  },
  {
    pattern: before(
      `(?:ул\\.|улица|Улица|пр\\.|пр-т|просп\\.|проспект|Проспект|пер\\.|переулок|наб\\.|набережная|бульвар|б-р|бул\\.|ш\\.|шоссе|площадь|пл\\.|вул\\.|вулиця|Вулиця|пров\\.|ж\\.к\\.) ?(?:${WORD_ANY})(?: ${WORD_ANY}){0,3}`,
    ),
    isLoose: false,
  },
  {
    pattern: before(
      `${CAPITAL}(?: ${CAPITAL})? (?:ул\\.|улица|проспект|пр-т|переулок|набережная|бульвар|шоссе|вулиця|вул\\.)`,
    ),
    isLoose: false,
  },
  // Hungarian, Turkish, Greek.
  {
    pattern: before(
      `${CAPITAL}(?: ${WORD_ANY}){0,2} (?:utca|u\\.|út|útja|tér|tere|körút|krt\\.|sétány|köz|sor|rakpart)`,
    ),
    isLoose: true,
  },
  {
    pattern: before(
      `(?:${CAPITAL} (?:Mah\\.|Mahallesi),? )?(?:${CAPITAL}|\\d{1,5}\\.?)(?: ${CAPITAL}){0,2} (?:Cad\\.|Caddesi|Cd\\.|Sok\\.|Sokak|Sokağı|Sk\\.|Bulvarı|Blv\\.)`,
    ),
    isLoose: false,
  },
  {
    pattern: before(
      `(?:Leoforos|Odos|Plateia|Οδός|οδός|Λεωφόρος|Λεωφ\\.|Λ\\.|Πλατεία|Πλ\\.) ${CAPITAL}(?: ${CAPITAL}){0,2}`,
    ),
    isLoose: false,
  },
  // Arabic, Persian, Hebrew, Hindi, Vietnamese, Indonesian.
  {
    pattern: before(`(?:شارع|طريق|خیابان|حي) ${WORD_ANY}(?: ${WORD_ANY}){0,3}(?:,|،)?(?: رقم| پلاک| مبنى)?`),
    isLoose: false,
  },
  {
    pattern: new RegExp(`(?<![\\p{L}\\p{N}])\\d{1,5}،? (?:شارع|طريق) ${WORD_ANY}(?: ${WORD_ANY}){0,2}`, 'gu'),
    isLoose: false,
  },
  { pattern: before(`(?:רחוב|רח'|שדרות|שד'|סמטת|דרך) ${WORD_ANY}(?: ${WORD_ANY}){0,2}`), isLoose: false },
  {
    pattern: new RegExp(
      `(?<![\\p{L}\\p{N}])(?:[Ss]ố )?\\d{1,4}[A-Z]?(?:/\\d{1,4}){0,2},? (?:đường|phố|Đường|Phố|ngõ|Ngõ|Đ\\.) ${CAPITAL}(?: ${CAPITAL}){0,4}`,
      'gu',
    ),
    isLoose: false,
  },
  {
    pattern: before(`(?:Jl\\.|Jln\\.?|Jalan|Gang|Gg\\.|Lorong) ${CAPITAL}(?: ${CAPITAL}){0,3}(?: No\\.?)?`),
    isLoose: false,
  },
  {
    pattern: new RegExp(
      `(?<![\\p{L}\\p{N}])(?:Flat|House|Plot|H\\.? ?No|Door No)\\.? ?(?:No\\.? ?)?[\\dA-Z][\\w/-]{0,8},? (?:${CAPITAL},? ){1,4}(?:Nagar|Marg|Colony|Chowk|Vihar|Layout|Road|Rd|Sector \\d{1,3}|Bazar|Enclave|Society)`,
      'gu',
    ),
    isLoose: false,
  },
  { pattern: /(?<!\d)\d{1,4}(?:\/\d{1,4})? (?:ถนน|ถ\.|ซอย|ซ\.|หมู่) ?[\p{Script=Thai}\d]{1,30}/gu, isLoose: false },
  // East Asian: from the large to the small, the number last.
  {
    pattern:
      /[\p{Script=Han}\d]{2,24}(?:路|街|大道|大街|巷|弄|胡同|道)(?:[一二三四五六七八九十]段)?\d{1,5}(?:-\d{1,4})?(?:号|號)(?:[\p{Script=Han}\d-]{1,16}(?:室|楼|樓|栋|单元|座))?/gu,
    isLoose: false,
  },
  {
    pattern:
      /(?:〒? ?\d{3}-\d{4} ?)?(?:東京都|北海道|京都府|大阪府|[\p{Script=Han}]{2,3}県)[\p{Script=Han}\p{Script=Hiragana}\p{Script=Katakana}]{1,16}(?:[市区町村郡])?[\p{Script=Han}\p{Script=Hiragana}\p{Script=Katakana}]{0,12}\d{1,4}(?:[-丁目番地号の]{1,3}\d{0,4}){0,4}号?/gu,
    isLoose: false,
  },
  {
    pattern:
      /[\p{Script=Han}]{1,6}[市区町村][\p{Script=Han}\p{Script=Hiragana}\p{Script=Katakana}]{1,10}\d{1,3}(?:丁目\d{0,3}(?:番地?\d{0,3}号?)?|-\d{1,3}-\d{1,3})/gu,
    isLoose: false,
  },
  {
    pattern:
      /(?:[가-힣]{2,8}(?:시|도|군|구|읍|면) ?){1,3}[가-힣0-9]{1,10}(?:로|길|동|리|가) ?\d{1,4}(?:번길 ?\d{1,4})?(?:-\d{1,4})?/gu,
    isLoose: false,
  },
];

/** Compounds of the same endings that are no streets. */
const NO_STREET =
  /(?:arbeits|speicher|steck|stell|sitz|lager|park|spiel|bild|daten|frei|steh)platz\b|(?:fenster|fest|engine|monito|rende|st|spr|b|k|w|d|c|f|m|r|t)ring\b|\p{L}(?:ering|uring|oring|iring|aring|tring|pring|lring|igate|egate|ogate|agate|ugate|[aeiou]gate)(?: |$)|(?:^| )(?:note|i|track|touch|launch|key|game|word|stif|join)pad\b/iu;

/** `123 Main St - Google Maps`: three digits and an abbreviated street, and nothing else in its part of a title. */
function isSegment(text: string, { 0: all, index }: RegExpExecArray): boolean {
  return (
    /^\d{3,5} .* (?:St|Dr|Rd|Ln|Ct|Blvd|Ave)$/u.test(all) &&
    /(?:^|[-|\u2014\u2013:] )$/u.test(text.slice(Math.max(0, index - 2), index)) &&
    /^(?:$| [-|\u2014\u2013])/u.test(text.slice(index + all.length, index + all.length + 2))
  );
}

/** Whether a program may have written one of its words in capitals: `Page 12, 10115 Results`. */
const isInterface = (match: string): boolean => {
  const written = match.replace(HOUSE, '');
  const street = /^\D*/u.exec(written)?.[0] ?? '';
  const words = (/\p{L}/u.test(street) ? street : written).match(/\p{Lu}[\p{L}\p{M}'-]+/gu) ?? [];
  return words.length > 0 && words.every((word) => (flagsOf(foldName(word)) & INTERFACE) !== 0);
};
const HOUSE = /^(?:H\.? ?No|House|Door|D\.? ?No|Flat|Plot|Shop|Blk|Block)(?: No)?(?![\p{L}])/u;

/** Whether some word of it is no ordinary word: `12 Maple Walk` isn't, `12 Step Walk` is. */
function hasProperName(match: string): boolean {
  const words = match.match(/\p{Lu}[\p{L}\p{M}'-]+/gu) ?? [];
  return words.slice(0, -1).some((word) => {
    const flags = flagsOf(foldName(word));
    if ((flags & INTERFACE) !== 0) return false;
    return flags === 0 ? false : (flags & (GIVEN | FAMILY)) !== 0 || (flags & WORD) === 0;
  });
}

const BOX = new RegExp(
  String.raw`(?<![\p{L}\p{N}])(?:P\.? ?O\.? ?Box|Post Office Box|GPO Box|Postfach|Boîte [Pp]ostale|B\.P\.|Apartado(?: de [Cc]orreos| [Pp]ostal)?|Apdo\.|Casella [Pp]ostale|C\.P\.|Caixa [Pp]ostal|Postbus|Skr(?:ytka|\.) poczt(?:owa|\.)|Postboks|P\.? ?O\.? ?Box|Box postal|Poštni predal|Poštanski pretinac|Postafiók|Pf\.|Căsuța poștală|а\/я|абонентский ящик|ص\.ب\.?|ת\.ד\.?|ตู้ ปณ\.) ?(?:No\.?|Nr\.?|:)? ?(?!\d{1,5}[.,]\d)\d{1,7}(?: \d{2,3}){0,2}(?![\p{L}\p{N}])`,
  'gu',
);

const CITY = String.raw`\p{Lu}[\p{L}\p{M}'.-]{1,28}(?![\p{L}\p{N}])(?:(?: |-)(?:(?:am|an der|im|in|bei|ob der|de la|de los|de|del|la|le|les|sur|upon|on|sous|en|do|da|dos|nad|pri|pod|aan den|op) )?\p{Lu}[\p{L}\p{M}'.-]{1,28}(?![\p{L}\p{N}])){0,3}`;
/** Flats, floors and staircases behind a number, as many countries write them. */
const FLAT = new RegExp(
  String.raw`(?:,? ?(?:(?:bl|sc|et|ap|nr|apto?|piso|pta|esc|bus|bte|bât|kat|daire|корп|стр|оф|под|эт|кв|lok|byt|stg|door|dveře)\.? ?:?[A-Z]?\d{1,4}[A-Z]?(?![\p{L}\p{N}])|\d{1,2}\.? ?[º°ªoa](?: ?(?:esq|dto|dcha|izq|izda|der)\.?(?!\p{L})| ?[A-Z]{1,2}(?!\p{L}))?|\d{1,2}\. ?(?:tv|th|mf|sal|kerros)\.?(?!\p{L})|[IVX]{1,4}\/\d{1,3}(?!\d))|(?<=\d)\/\d{1,4}(?!\d)|(?<=\d) [A-Z] ?\d{1,3}(?![\p{L}\p{N}])|(?<=\d) (?:bis|ter)(?!\p{L}))`,
  'uy',
);

function flatsEnd(text: string, from: number): number {
  let end = from;
  for (let count = 0; count < 4; count += 1) {
    FLAT.lastIndex = end;
    const flat = FLAT.exec(text);
    if (flat === null) break;
    end += flat[0].length;
  }
  return end;
}

/** What stands before the street: a town, the number of a house. */
const HEAD = new RegExp(
  String.raw`(?:(?:г\.|гр\.|м\.|с\.) ?${CITY}, ?|(?<![\p{L}\p{N}])(?:No\.?|Lot|Số|Blk|Block) ?\d{1,4}[A-Za-z]?,? (?:ngõ )?)$`,
  'u',
);
const MAX_HEAD = 60;

const US_STATES =
  'A[KLRZ]|C[AOT]|D[CE]|FL|GA|HI|I[ADLN]|K[SY]|LA|M[ADEINOST]|N[CDEHJMVY]|O[HKR]|PA|PR|RI|S[CD]|T[NX]|UT|V[AIT]|W[AIVY]';
const CA_PROVINCES = 'AB|BC|MB|NB|NL|NS|NT|NU|ON|PE|QC|SK|YT';
const AU_STATES = 'NSW|VIC|QLD|WA|SA|TAS|ACT|NT';
const UK_POSTCODE = String.raw`(?:GIR ?0AA|(?:[A-PR-UWYZ]\d{1,2}|[A-PR-UWYZ][A-HK-Y]\d{1,2}|[A-PR-UWYZ]\d[A-HJKPSTUW]|[A-PR-UWYZ][A-HK-Y]\d[ABEHMNPRV-Y]) ?\d[ABD-HJLNP-UW-Z]{2})`;
const CA_POSTCODE = String.raw`[ABCEGHJ-NPRSTVXY]\d[A-Z] ?\d[A-Z]\d`;
/** All forms of postcodes, loosely: they stand behind a street. */
const ANY_POSTCODE = String.raw`(?:[A-Z]{1,2}-? ?)?\d{2,3}[ -]\d{2,3}(?!\d)|(?:[A-Z]{1,2}-)?\d{4,6}(?:-\d{3,4})?(?: ?[A-Z]{2}(?![\p{L}]))?|${UK_POSTCODE}|${CA_POSTCODE}`;

/** What follows a street: a flat, then postcode and place in either order, then a country. */
const TAIL = new RegExp(
  String.raw`(?:(?:,|;)? ?(?:Apt|Apartment|Suite|Ste|Unit|Flat|Floor|Whg|Wohnung|App|Appt|Apto|piso|m|кв|ap|sc|et|int|lok|byt|D|Kat|Daire)\.? ?:?#?\d{1,4}[A-Za-z]?)?(?:(?:,|;)? {0,2}(?:\n ?)?|,? - )(?:(?:${ANY_POSTCODE})(?:,? {0,2}${CITY})?|${CITY},? (?:${US_STATES}|${CA_PROVINCES}|${AU_STATES})(?:,? (?:\d{4,5}(?:-\d{4})?|${CA_POSTCODE}))?(?![\p{L}\p{N}])|(?<=[,\n] ?)${CITY}(?:,? {1,2}(?:${ANY_POSTCODE}))?)(?:[,/] ?(?:${CITY}))?|[,،] ?\p{Script=Arabic}[\p{Script=Arabic} ]{2,30}(?: ?\d{5}(?!\d))?|, ?\p{Script=Hebrew}[\p{Script=Hebrew} '"-]{2,30}|(?: (?:แขวง|เขต|ตำบล|อำเภอ|จังหวัด|กรุงเทพ)[\p{Script=Thai}]{0,30}){1,4}(?: \d{5}(?!\d))?`,
  'uy',
);

/** How much of what follows belongs to the address; 0 for nothing. */
function tailLength(text: string, end: number): number {
  TAIL.lastIndex = end;
  const tail = TAIL.exec(text)?.[0] ?? '';
  // At most a comma between: a number of the next sentence is no postcode.
  return /[\p{L}\p{N}]/u.test(tail) && /^[,،;\s]|^$|^ -/u.test(tail) ? tail.trimEnd().length : 0;
}

const CODE = String.raw`(?:[A-Z]{1,2}-? ?)?(?:(?!(?:19|20)\d\d )\d{4}|\d{5}|\d{3} \d{2}|\d{2}-\d{3})(?: [A-Z]{2}(?![\p{L}]))?`;
const STREET_NAME = String.raw`(?<![\p{L}\p{N}_-])${CAPITAL}(?: ${WORD_ANY}){0,3}`;

/** Whole addresses whose street has no telling form: name and number, postcode and town, in the orders that countries have. */
const POSTAL: readonly RegExp[] = [
  new RegExp(
    String.raw`${STREET_NAME},? (?:[nN]r?\.? ?)?\d{1,4}[a-zA-Z]?(?:\/\d{1,4}){0,2}(?: [A-Z] ?\d{1,3})?,? {0,2}(?<=, ?|\n ?)${CODE} ${CITY}`,
    'gu',
  ),
  new RegExp(
    String.raw`(?<![\p{L}\p{N}_.,/:#-])${CODE} ${CITY}, ${CAPITAL}(?: ${WORD_ANY}){1,3} \d{1,4}(?:[a-z]|-\d{1,4})?(?![\p{L}\p{N}])`,
    'gu',
  ),
  // India: a house number, parts of a town, and the town with its code of six digits.
  new RegExp(
    String.raw`(?<![\p{L}\p{N}_/-])(?:(?:H\.? ?No|House|House No|Door No|D\.? ?No|Flat|Flat No|Plot|Plot No|Shop No)\.? ?)?[A-Z]{0,2}-?\d[\w/-]{0,10}, (?:[\p{L}\d][\p{L}\d .'-]{1,40}, ){1,4}\p{Lu}[\p{L} ]{2,24}[ -]{1,3}\d{6}(?!\d)`,
    'gu',
  ),
  // Japan in Latin letters: block, quarter and ward.
  /(?<![\p{L}\p{N}-])\d{1,3}(?:-\d{1,3}){1,3},? \p{Lu}[\p{L}\p{M}-]{2,24}(?:, \p{Lu}[\p{L}\p{M}]{1,20}(?:-(?:ku|shi|cho|machi|gun|ken|to|fu))?){1,4}(?:,? \d{3}-\d{4})?(?![\p{L}\p{N}-])/gu,
  // Vietnam: the quarter tells.
  new RegExp(
    String.raw`(?<![\p{L}\p{N}_/-])\d{1,4}[A-Z]?(?:\/\d{1,4}){0,2} ${CAPITAL}(?: ${CAPITAL}){1,3}, (?:Phường|P\.|Quận|Q\.|Huyện|H\.) ?[\p{L}\d]{1,20}(?: \p{Lu}\p{L}{1,12}){0,2}(?:, [\p{L}\d .]{2,24})?`,
    'gu',
  ),
  // Singapore: a block and a unit.
  new RegExp(
    String.raw`(?<![\p{L}\p{N}])(?:Blk|Block) \d{1,4}[A-Z]? (?:${CAPITAL} ){1,4}(?:\d{1,3} )?#\d{2}-\d{1,4}(?:,? (?:Singapore|S) ?\(?\d{6}\)?)?`,
    'gu',
  ),
  // Brazil: street and number, quarter, town and state.
  new RegExp(
    String.raw`(?<![\p{L}\p{N}])(?:Rua|R\.|Avenida|Av\.|Travessa|Alameda|Praça|Rodovia|Estrada) ${WORD_ANY}(?: ${WORD_ANY}){0,4},? (?:n[º°.]? ?)?\d{1,5}[^\n\d]{1,60}? ?[-/] ?[A-Z]{2}(?:,? ?(?:- )?(?:CEP:? )?\d{5}-?\d{3})?(?![\p{L}\p{N}])`,
    'gu',
  ),
];

const PLACES: readonly { readonly pattern: RegExp; readonly score: number; readonly checked: string }[] = [
  {
    pattern: new RegExp(
      String.raw`(?<![\p{L}\p{N}])${CITY}, (?:${US_STATES}),? \d{5}(?:-\d{4})?(?![\p{L}\p{N}-])`,
      'gu',
    ),
    score: 0.7,
    checked: 'us_place',
  },
  {
    pattern: new RegExp(
      String.raw`(?<![\p{L}\p{N}])(?:${CITY},? )?(?:${CA_PROVINCES}),? {1,2}${CA_POSTCODE}(?![\p{L}\p{N}])`,
      'gu',
    ),
    score: 0.75,
    checked: 'ca_place',
  },
  {
    pattern: new RegExp(String.raw`(?<![\p{L}\p{N}])${CITY},? (?:${AU_STATES}) \d{4}(?![\p{L}\p{N}])`, 'gu'),
    score: 0.6,
    checked: 'au_place',
  },
  { pattern: /〒 ?\d{3}-?\d{4}(?!\d)/gu, score: 0.85, checked: 'jp_postcode' },
  {
    pattern: new RegExp(
      String.raw`(?<![\p{L}\p{N}_-])(?:D|A|CH|DE|AT|F|FR|I|IT|E|ES|B|BE|NL|L|PL|CZ|SK|HU|SI|HR|SE|DK|NO|FI|FIN|RO|S|DK)-\d{4,5} ${CITY}`,
      'gu',
    ),
    score: 0.6,
    checked: 'place',
  },
  {
    pattern: new RegExp(String.raw`(?<![\p{L}\p{N}_-])${UK_POSTCODE}(?![\p{L}\p{N}_-])`, 'giu'),
    score: 0.25,
    checked: 'uk_postcode',
  },
  {
    // With the parts of an address before it: a house may have a name and no number.
    pattern: new RegExp(
      String.raw`(?<![\p{L}\p{N}_-])(?:${CAPITAL}(?: ${CAPITAL}){0,3}, ){1,4}${UK_POSTCODE}(?![\p{L}\p{N}_-])`,
      'gu',
    ),
    score: 0.6,
    checked: 'uk_place',
  },
  {
    pattern: new RegExp(String.raw`(?<![\p{L}\p{N}_-])${CA_POSTCODE}(?![\p{L}\p{N}_-])`, 'gu'),
    score: 0.3,
    checked: 'ca_postcode',
  },
  {
    // Four digits that could be a year have capitals behind them as well.
    pattern: new RegExp(String.raw`(?<![\p{L}\p{N}_.,-])(?!(?:19|20)\d\d)[1-9]\d{3} [A-Z]{2} ${CITY}`, 'gu'),
    score: 0.45,
    checked: 'nl_place',
  },
  {
    pattern: /(?<![\p{L}\p{N}_-])[AC-FHKNPRTV-Y]\d[0-9W] ?[AC-FHKNPRTV-Y0-9]{4}(?![\p{L}\p{N}_-])/gu,
    score: 0.1,
    checked: 'ie_eircode',
  },
  {
    pattern: new RegExp(String.raw`(?<![\p{L}\p{N}_.,-])\d{4} ?[A-Z]{2} ${CITY}`, 'gu'),
    score: 0.3,
    checked: 'nl_place',
  },
  {
    pattern: new RegExp(
      String.raw`(?<![\p{L}\p{N}_.,/:#-])(?:0[1-9]\d{3}|[1-9]\d{4})(?<!01000|99999)(?: ${CITY})?(?![\p{L}\p{N}_]|[.,:/-]\d)`,
      'gu',
    ),
    score: 0.1,
    checked: 'postcode',
  },
  {
    pattern: new RegExp(String.raw`(?<![\p{L}\p{N}_.,/:#-])\d{2,3}[- ]\d{2,3} ${CITY}`, 'gu'),
    score: 0.15,
    checked: 'place',
  },
  {
    pattern:
      /(?<![\p{L}\p{N}_.,/:#-])(?:\d{5}-\d{3,4}|\d{4}-\d{3}|\d{3}-\d{4}|\d{2}-\d{3}|\d{3} \d{2}|\d{4}|\d{6})(?![\p{L}\p{N}_]|[.,:/-]\d)/gu,
    score: 0.05,
    checked: 'any_postcode',
  },
];
