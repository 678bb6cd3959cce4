/** Names that no list holds and that their form gives away: endings of family names, Chinese and Korean syllables in Latin letters. */

/**
 * Endings that family names have and hardly any other word, after folding. No list has all of `Harutyunyan`, `Mchedlidze`,
 * `Wiśniewska`; an ending that dictionaries know as well (`-er`, `-man`, `-berg`) is none of these.
 */
const FAMILY_ENDINGS = new RegExp(
  [
    // Slavic: -ski, -cki, -ov, -ev, -ić, -enko, -czyk, -chuk
    '[a-z]{2,}(?:[bdghklmnprstvwz]sk[iya]|ewicz|owicz|ovic|evic|ovich|evich|ovych|czyk|czak|[ai]enko|chuk|czuk)',
    '[a-z]{3,}(?:[dghklmnprtvwz]ov|[dghklmnprtvwz]ova|[bdjlmnrtyz]ev|[bdjlmnrtyz]eva|yev|yeva)',
    // Armenian, Georgian, Azerbaijani, Iranian, Turkish
    '[a-z]{3,}(?:unyan|enyan|anyan|osyan|isyan|aryan|oryan|akyan|elyan|ilyan|ashvili|ishvili|eshvili|adze|idze|oglu|zadeh|zade|pour|nejad)',
    // Greek
    '[a-z]{3,}(?:opoulos|opoulou|akis|idis|iadis|idou|iadou|ellis|atos|akou)',
    // Romanian, Baltic, Finnish, Nordic, Icelandic, German
    '[a-z]{3,}(?:escu|eanu|auskas|auskaite|aitis|aite|aviciu[st]|aviciute|[iae]nen|sson|dottir|gaard|qvist|kvist|huber|maier|meyer|inger)',
    // Indian, Sri Lankan, Thai, Mongolian
    '[a-z]{3,}(?:moorth[iy]|murth[iy]|swam[iy]|nathan|krishnan|laksh?mi|subramani[ao]m?|wala|singhe|ward[eh]na|ratne|nayak[ea]|sek[ae]ra|tsetseg|bayar|erdene|srithong|wong[sc]hai|porn|thong|rattana|suwan)',
    // Malagasy, Ethiopian, Nigerian: the beginning tells
    '(?:andria|rakoto|razafi|rasoa|ranaivo|gebre|wolde|habte|oluwa|olu[fjskt]|adeb|adek|adew|ades|adey|ayod|babat|babaj|chukwu|nwach|okonk|onye[kb])[a-z]{3,}',
    // Basque
    '[a-z]{2,}(?:etxea|etxeberria|goitia|zabala|gaitia|gorri)',
    // Serbian, Bulgarian, Russian, Ukrainian
    '[а-яёіїєґђјљњћџ]{2,}(?:ович|евич|овић|евић|[тншрлкцдгвб]ић|енко|чук|ский|ська|ский|ская|ски|ска)',
    '[а-яёіїєґ]{3,}(?:[гдклмнпртфш]ов|[гдклмнпртфш]ова|[дйлмнртьзц]ев|[дйлмнртьзц]ева|ьян|унян|дзе|швили)',
    // Greek letters
    '[α-ω]{3,}(?:οπουλοσ|οπουλου|ακησ|ακη|ιδησ|ιδου|αδησ|αδου|ιαννησ|ιαννη)',
    // Arabic, Persian
    'ال[\\u0621-\\u064A]{3,}[\\u064A]',
    '[\\u0621-\\u06CC]{2,}(?:زاده|پور|نژاد)',
  ]
    .map((ending) => `^${ending}$`)
    .join('|'),
  'u',
);

/** Whether a folded word that no list holds looks like a family name. */
export const looksLikeFamily = (folded: string): boolean => folded.length > 4 && FAMILY_ENDINGS.test(folded);

const INITIALS = '(?:zh|ch|sh|[bpmfdtnlgkhjqxrzcsyw])?';
const FINALS =
  '(?:iang|iong|uang|ueng|ang|eng|ing|ong|ian|iao|uai|uan|ai|ei|ao|ou|an|en|ia|ie|iu|in|ua|uo|ui|un|ue|a|e|i|o|u)';
const PINYIN_GIVEN = new RegExp(`^${INITIALS}${FINALS}(?:['-]?${INITIALS}${FINALS})?$`, 'u');

/** Family names of China in Latin letters that are no words of other languages. */
const PINYIN_FAMILY = new Set(
  `wang zhang chen zhao huang zhou xu zhu guo xie tang cao deng xiao cheng cai jiang zhong tian hu luo zheng liang xiong
  meng qin qiu hou lei shao qian yan duan hao kong mao qiao lai wen liu yang lin wu gao feng peng zeng jia ding wei xue yu
  xia fang shi yao tan liao zou jin bai qi cui kang lyu tsai hsu hsieh chou chang chung chiang`.split(/\s+/u),
);

/** Family names of Hong Kong and Taiwan, whose given names are written with a hyphen: `Wong Kar-wai`. */
const HYPHENATING = new Set(
  `chan wong cheung leung lau cheng ho kwok ng lam chow fung yeung tsang hui kwan poon siu tsui yip hsiao hsu tsai lin chen wu chang huang
  yang liu cheng chiang chiu lo ma mak pang sze to tse yau yuen yung`.split(/\s+/u),
);

/** Whether `given` beside `family` is how a Chinese name is written in Latin letters: `Zhang Xiaoming`. Both folded. */
export function isPinyinName(family: string, given: string): boolean {
  return given.length > 3 && PINYIN_FAMILY.has(family) && PINYIN_GIVEN.test(given) && !NO_PINYIN.has(given);
}

/** Words of other languages that are made of such syllables. */
const NO_PINYIN = new Set(
  'online panda ninja china canada banana nation union piano guano manual mandarin media'.split(' '),
);

const KOREAN_FAMILY = new Set(
  'kim lee park choi jung jeong kang cho yoon jang lim han oh seo shin kwon hwang ahn song ryu yoo hong jeon ko moon son yang bae baek heo nam noh ha'.split(
    ' ',
  ),
);
const KOREAN_SYLLABLE =
  '(?:kk|tt|pp|ch|[bcdghjkmnprstwy])?(?:yeo|yae|yu|ya|ye|yo|wa|we|wi|weo|eo|eu|ae|oo|ee|ui|a|e|i|o|u)(?:ng|[nlmkptsrb])?';
const KOREAN_GIVEN = new RegExp(`^${KOREAN_SYLLABLE}-${KOREAN_SYLLABLE}$`, 'u');

/** `Park Ji-hye`, `Wong Kar-wai`: `written` is the given name in lower case, with its hyphen. */
export const isHyphenatedName = (family: string, written: string): boolean =>
  (KOREAN_FAMILY.has(family) && KOREAN_GIVEN.test(written)) ||
  (HYPHENATING.has(family) && /^[a-z]{2,5}-[a-z]{2,5}$/u.test(written));
