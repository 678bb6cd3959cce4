import { contextOf } from './context.ts';
import type { Recognizer, Span } from './span.ts';
import type { TextView } from './view.ts';

/**
 * Licence plates: forms that hardly anything else has (`M-AB 1234`, `AB51 ABC`, `京A·12345`), other countries' forms as weak
 * matches that a word such as `plate` or `Kennzeichen` makes sure, and after such a word anything of letters and digits.
 */
export const recognizer: Recognizer = { kinds: ['plate'], find };

function find(view: TextView): Span[] {
  const spans: Span[] = [];
  for (const { pattern, score, checked } of FORMS) {
    for (const match of view.text.matchAll(pattern)) {
      const end = match.index + match[0].length;
      const isNamed = view.near(PLATE, match.index, end, REACH);
      // Capitals are part of the form: in small letters it could be any code.
      const isSmall = match[0] !== match[0].toUpperCase();
      const own = checked === 'de' ? germanScore(match[0], score) : score;
      const found = isNamed ? 0.8 : isSmall ? Math.min(own, 0.3) : own;
      spans.push({
        start: match.index,
        end,
        kind: 'plate',
        score: found,
        checked: isNamed ? `${checked}+context` : checked,
      });
    }
  }
  if (!view.has(PLATE)) return spans;
  for (const { 1: plate = '', index } of view.text.matchAll(ANY)) {
    const match = { 0: plate, index };
    const end = match.index + match[0].length;
    const isPlate = /\d/u.test(match[0]) && (/\p{L}/u.test(match[0]) || ISRAELI.test(match[0]));
    if (!isPlate || !view.near(PLATE, match.index, end, NEXT)) continue;
    spans.push({ start: match.index, end, kind: 'plate', score: 0.55, checked: 'context' });
  }
  return spans;
}

const REACH = { before: 30, after: 16 };
const NEXT = { before: 8, after: 0 };

const START = String.raw`(?<![\p{L}\p{N}_.-])`;
const END = String.raw`(?![\p{L}\p{N}_]|[-.,:/]\p{N})`;
const form = (pattern: string): RegExp => new RegExp(`${START}(?:${pattern})${END}`, 'giu');

const FORMS: readonly { readonly pattern: RegExp; readonly score: number; readonly checked: string }[] = [
  // Area, age (02-29 and 51-79), three letters.
  {
    pattern: form(String.raw`[A-HJ-PR-Y][A-HJ-PR-Y](?:0[2-9]|[12]\d|5[1-9]|[67]\d)[ -]?[A-HJ-PR-Z]{3}`),
    score: 0.45,
    checked: 'uk',
  },
  { pattern: form(String.raw`[A-HJ-NPR-TV-Y][1-9]\d{0,2}[ -]?[A-HJ-PR-Y]{3}`), score: 0.2, checked: 'uk_prefix' },
  { pattern: form(String.raw`[A-HJ-PR-Y]{3}[ -]?[1-9]\d{0,2}[A-HJ-NPR-TV-Y]`), score: 0.15, checked: 'uk_suffix' },
  { pattern: form(String.raw`[A-ZÄÖÜ]{1,3}[ -][A-Z]{1,2}[ -][1-9]\d{0,3}[EH]?`), score: 0.2, checked: 'de' },
  { pattern: form(String.raw`(?:0[1-9]|[1-7]\d|8[01]) ?[A-Z]{1,3} ?\d{2,4}`), score: 0.3, checked: 'tr' },
  { pattern: form(String.raw`[A-Z]{3}[- ]?\d{3}[A-Z]{2}`), score: 0.3, checked: 'ng' },
  { pattern: form(String.raw`[A-HJ-NP-TV-Z]{2}[- ]\d{3}[- ][A-HJ-NP-TV-Z]{2}`), score: 0.3, checked: 'fr' },
  { pattern: form(String.raw`\d{4}[ -][BCDFGHJ-NPR-TV-Z]{3}`), score: 0.2, checked: 'es' },
  { pattern: form(String.raw`[ABEKMHOPCTYX]\d{3}[ABEKMHOPCTYX]{2} ?\d{2,3}`), score: 0.35, checked: 'ru' },
  { pattern: form(String.raw`[АВЕКМНОРСТУХ]\d{3}[АВЕКМНОРСТУХ]{2} ?\d{2,3}`), score: 0.6, checked: 'ru' },
  {
    pattern:
      /[京津沪渝冀豫云辽黑湘皖鲁新苏浙赣鄂桂甘晋蒙陕吉闽贵粤青藏川宁琼][A-Z][\u00B7· ]?[A-Z0-9]{5,6}(?![A-Z0-9])/gu,
    score: 0.7,
    checked: 'cn',
  },
  { pattern: /\p{Script=Han}{1,4} ?\d{3} ?\p{Script=Hiragana} ?\d{1,2}-\d{2}(?!\d)/gu, score: 0.7, checked: 'jp' },
  {
    pattern:
      /(?<!\d)\d{2,3}[가나다라마거너더러머버서어저고노도로모보소오조구누두루무부수우주하허호바사아자배] ?\d{4}(?!\d)/gu,
    score: 0.3,
    checked: 'kr',
  },
];

/** `M-AB 1234` is how plates are written; with other separators it could be any code. */
function germanScore(written: string, weak: number): number {
  const [district = ''] = written.split(/[ -]/u, 1);
  return /^[A-ZÄÖÜ]{1,3}-[A-Z]{1,2} \d{2,4}[EH]?$/u.test(written) && DISTRICTS.has(district) ? 0.5 : weak;
}

const DISTRICTS = new Set(
  `A AA AB AC AK AM AN AP AS AUR AZ B BA BAD BAR BB BC BGL BI BIT BL BM BN BO BOR BOT BRA BRB BS BT C CE CHA CO COC COE CUX CW D DA DAH DAN DAU
  DD DE DEG DEL DGF DH DI DL DLG DM DN DO DON DU DÜW E EA EBE ED EE EF EI EL EM EMD EMS EN ER ERB ERH ERZ ES ESW EU F FB FD FDS FF FFB FG FL FN
  FO FR FRG FRI FS FT FÜ G GAP GE GER GF GG GI GL GM GÖ GP GR GRZ GS GT GTH GÜ GZ H HA HAL HAM HB HBN HD HDH HE HEF HEI HER HF HG HGW HH HI HK HL
  HM HN HO HOL HOM HP HR HRO HS HSK HST HU HVL HX HZ IGB IK IL IN IZ J JL K KA KB KC KE KEH KF KG KH KI KL KLE KM KN KO KR KS KT KU KÜN KUS L LA LAU
  LB LD LDK LDS LER LEV LG LI LIF LIP LL LM LÖ LOS LU LWL M MA MB MD ME MEI MG MH MI MIL MK MKK MM MN MOL MOS MR MS MSH MSP MST MTK MÜ MYK MZ MZG N
  ND NDH NE NEA NES NEW NF NI NK NM NMS NOH NOM NR NU NW NWM OA OAL OB OD OE OF OG OH OHA OHV OHZ OL OPR OR OS OSL P PA PAF PAN PB PCH PE PF PI PIR PLÖ
  PM PR PS R RA RD RE REG RH RO ROF ROW RP RS RT RÜD RÜG RV RW RZ S SAD SB SC SDL SE SFA SG SH SHA SHG SHK SI SIG SIM SK SL SLF SLS SM SN SO SOK SÖM SON
  SP SPN SR ST STA STD STL SU SÜW SW SZ TBB TE TF THW TIR TO TÖL TR TS TÜ TUT UE UH UL UM UN V VB VEC VER VIE VK VS W WAF WAK WB WEN WES WF WHV WI WIL
  WL WM WN WND WO WOB WR WST WT WTM WÜ WUG WUN WW Z ZI ZW`.split(/\s+/u),
);

const PART = String.raw`(?:[\p{Lu}0-9]{1,5}|\p{Script=Arabic}|\d?\p{Script=Thai}{1,3})`;
// From every word on, as what names the plate may look like a part of it: `SPZ 1A2 3456`.
const ANY = new RegExp(String.raw`(?<![\p{L}\p{N}_-])(?=(${PART}(?:[ -]?${PART}){1,3})(?![\p{L}\p{M}\p{N}_]))`, 'gu');
const ISRAELI = /^\d{2,3}-\d{2,3}-\d{2,3}$/u;

const PLATE = contextOf(
  [
    'plate',
    'plates',
    'plate number',
    'license plate',
    'licence plate',
    'number plate',
    'vehicle registration',
    'vehicle reg',
    'car reg',
    'reg no',
    'registration number',
    'vrn',
    'vehicle',
    'vehicles',
    'tag number',
    'rego',
    'reg nr',
    'reg plate',
    'car plate',
    'vehicle no',
    'gaadi no',
  ],
  [
    'kennzeichen',
    'nummernschild',
    'kfz',
    'fahrzeug',
    'immatriculation',
    'plaque',
    'matrícula',
    'patente vehicular',
    'placa',
    'placas',
    'targa',
    'kenteken',
    'kentekenplaat',
    'rejestracyjny',
    'nr rej',
    'patente',
    'rejestracja',
    'rejestracyjne',
    'spz',
    'rz',
    'ečv',
    'registarska',
    'registracija',
    'tablice',
    'registrska',
    'rendszám',
    'număr de înmatriculare',
    'înmatriculare',
  ],
  [
    'registreringsnummer',
    'regnr',
    'nummerplade',
    'rekisterinumero',
    'plaka',
    'plakası',
    'plakalı',
    'госномер',
    'номерной знак',
    'гос номер',
    'номер авто',
    'номерний знак',
    'регистрационен номер',
    'πινακίδα',
    'αριθμός κυκλοφορίας',
    'رقم اللوحة',
    'لوحة',
    'מספר רכב',
    'רכב',
    'מס רכב',
    'לוחית',
    'गाड़ी नंबर',
    'biển số',
    'nomor polisi',
    'plat nomor',
    'nopol',
  ],
  ['ป้ายทะเบียน', 'ทะเบียนรถ', 'ทะเบียน', '车牌', '車牌', 'ナンバープレート', '車両番号', '차량번호', '번호판'],
);
