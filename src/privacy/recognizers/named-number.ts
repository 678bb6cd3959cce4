import type { Recognizer, Span, SpanKind } from './span.ts';
import type { TextView } from './view.ts';

/**
 * Numbers that a label right before them names (`Steuer-ID: 12345678901`, `member no. 55-1234`), whatever their form and
 * check digit: whoever fills a form mistypes, and most companies' numbers have no check digit.
 */
export const recognizer: Recognizer = {
  kinds: ['national_id', 'tax_id', 'company_id', 'health_id', 'bank_account', 'iban', 'card', 'personal_number'],
  find,
};

const NUMBER = '(?: ?-?(?:number|no|nr|num|id|code|#))?';

const LABELS: Readonly<Partial<Record<SpanKind, readonly string[]>>> = {
  national_id: [
    `(?:social security|social insurance|national insurance|ssn|sin|nino|soc\\.? sec\\.?)${NUMBER}`,
    `(?:national|personal|citizen|resident|civil) (?:id|identity|identification)(?: card)?${NUMBER}`,
    `(?:identity|id) card${NUMBER}|identity number|nin|(?<!\\p{L}[ -])ID (?:no|number|nr)|virtual id|Emirates ID|Alien (?:registration )?number|A-number|USCIS(?: no| number)?|BVN|SSS(?: no| number)?|GSIS|PhilHealth|Pag-?IBIG|PhilSys|PhilID|Huduma(?: namba)?|Maisha|KTP|CMND|CCCD|s[ốo] c[ăa]n c[ướu]{2}c(?: công dân)?|carn[ée] de identidad|tarjeta de identidad|clave de elector|INE|t[íi]tulo de eleitor|PIS|PASEP|CTPS|RAMQ|IDNP|JSHSHIR`,
    "carte (?:nationale )?d'identit[ée]|CNI|C\\.I\\.|CIE|ob[čc]ansk[ýy] pr[ůu]kaz|[čc][íi]slo OP|ob[čc]iansky preukaz|osobna iskaznica|osebna izkaznica|li[čc]na karta|лична карта|szem[ée]lyi(?: igazolv[áa]ny)?(?:sz[áa]m)?|buletin(?: seria [A-Z]{2})?|kimlik seri no|[τΤ]αυτ[όο]τητα|ΑΔΤ|Α\\.Δ\\.Τ\\.?|ИИН|ЖСН|ПИНФЛ",
    '基礎年金番号|住民票コード|رقم (?:الهوية|الهويّة|الإقامة|الاقامة)|الرقم (?:القومي|الوطني)|کد ملی|شماره ملی|ת\\.? ?ז\\.?|ת"ז(?: שלי)?|תעודת זהות|मतदाता (?:पहचान|कार्ड)',
    'Sozialversicherungsnummer|SV-?Nummer|Versicherungsnummer|Rentenversicherungsnummer|Personalausweis(?:nummer|-?Nr)?|Ausweis(?:nummer|-?Nr)',
    "num[ée]ro de s[ée]curit[ée] sociale|n° de s[ée]curit[ée] sociale|num[ée]ro (?:de )?carte d'identit[ée]|NIR",
    'n[úu]mero de (?:la )?seguridad social|DNI|NIE|documento (?:nacional )?de identidad|c[ée]dula(?: de (?:ciudadan[íi]a|identidad))?|CURP|CUI[LT]?',
    "carta d'identit[àa](?: n\\.?)?|numero (?:di )?carta d'identit[àa]",
    'bilhete de identidade|cart[ãa]o de cidad[ãa]o|CPF|RG',
    'burgerservicenummer|BSN|sofinummer|identiteitskaart(?:nummer)?',
    'PESEL|dow[óo]d osobisty|nr dowodu|numer dowodu|personnummer|henkil[öo]tunnus|f[øo]dselsnummer|CPR(?:-nr)?|rodn[ée] [čc][íi]slo|TC kimlik(?: no)?|TCKN|СНИЛС|JMBG|CNP|EGN|Aadhaar|NRIC|MyKad|NIK|CNIC|身份证号?码?|身分證字號|マイナンバー|個人番号|주민등록번호|เลขบัตรประชาชน|รหัสประชาชน',
  ],
  tax_id: [
    `(?:tax(?:payer)?|tin|itin)(?: (?:id|identification|file|reference))?${NUMBER}`,
    'Steuer-?(?:ID|nummer|Nr|identifikationsnummer)|St\\.?-?Nr|IdNr',
    'ad[óo]sz[áa]m|ad[óo]azonos[íi]t[óo](?: jel)?|NIPT|IRD(?: number| no)?|УНП|matricule fiscal|NUIT|cod fiscal|davčna številka|porezni broj|ПИБ|Π?ΑΦΜ|Α\\.Φ\\.Μ\\.?|mokesčių|verokortti|skattenummer',
    'num[ée]ro fiscal|identifiant fiscal|n[úu]mero (?:de identificaci[óo]n )?fiscal|NIF|RFC(?![ -]?\\d{1,5}(?!\\d))|codice fiscale|n[úu]mero de contribuinte|contribuinte|fiscaal nummer|NIP|numer NIP|vergi (?:no|numaras[ıi]|kimlik no)|ИНН|税号|稅號|納税者番号',
  ],
  company_id: [
    `VAT(?: (?:id|reg(?:istration)?|identification))?${NUMBER}|USt-?Id(?:-?Nr)?|UID-?Nr|num[ée]ro de TVA|TVA intra(?:communautaire)?|partita IVA|P\\.? ?IVA|btw-?(?:nummer|nr|id)|EIN|FEIN|SIRET|SIREN|CNPJ|ABN|ACN`,
  ],
  health_id: [
    `(?:health insurance|insurance policy|medicare|medicaid|NHS|health card|beneficiary)${NUMBER}`,
    "Versichertennummer|Versicherten-?Nr|KVNR|Krankenversicherungsnummer|num[ée]ro d[’']assur[ée]|tarjeta sanitaria|tessera sanitaria|cart[ãa]o (?:nacional )?de sa[úu]de|polisnummer",
  ],
  bank_account: [
    `(?:bank )?(?:account|acct|a\\/c)(?: (?:number|no|nr|num|#))|(?:routing|transit|sort code)${NUMBER}|ABA`,
    'Konto(?:nummer|-?Nr)|BLZ|Bankleitzahl|num[ée]ro de compte|n[úu]mero de cuenta|numero (?:di )?conto|n[úu]mero da conta|rekeningnummer|numer (?:konta|rachunku)|nr (?:konta|rachunku)|kontonummer|tilinumero|hesap (?:no|numaras[ıi])|账号|帳號|口座番号|계좌번호|CLABE|CBU',
    'Kto(?:\\.?-?Nr)?|Konto(?=[ :]{1,2}\\d)|RIB|(?:cuenta|cta)(?: (?:corriente|bancaria|de ahorros?))?|n[º°o]\\.? de cuenta|conta(?: corrente| poupança)?(?=[ :]{1,2}\\d)|ag[êe]ncia|banksz[áa]mla(?:sz[áa]m)?|sz[áa]mlasz[áa]m|[čc][íi]slo [úu][čc]tu|[úu][čc]et(?=[ :]{1,2}\\d)|[šs]tevilka ra[čc]una|broj ra[čc]una|žiro ra[čc]un|cont bancar|banka hesab[ıi]|clearing(?=[ :]{1,2}\\d{4}-\\d)',
    'р\\/с(?:ч[её]т)?|(?:расч[её]тный|лицевой|банковский) сч[её]т|номер сч[её]та|сч[её]т(?=[ :№]{1,3}\\d{8})|рахунок(?=[ :№]{1,3}\\d)|банкова сметка|普通預金|当座預金|(?:국민|신한|우리|하나|농협|기업|카카오)(?:은행|뱅크)|STK|s[ốo] t[àa]i kho[ảa]n|(?:no\\.? ?)?rek(?:ening)?(?: (?:BCA|BRI|BNI|Mandiri))?|NUBAN|BSB|(?:เลขที่|เลข)?บัญชี|(?:رقم )?(?:ال)?حساب|(?:מספר )?חשבון(?: בנק)?|a\\/c|acc(?:ount|t)?\\.?(?=[ :#]{1,2}\\d{7})',
  ],
  iban: ['IBAN(?: ?(?:number|no|nr))?'],
  card: [
    `(?:credit|debit|bank|visa|mastercard|amex|american express)? ?card (?:number|no|nr|num|#)|(?:credit|debit) card|Kreditkarten?(?:nummer|-?Nr)?|num[ée]ro de (?:la )?carte|n[úu]mero de (?:la )?tarjeta|numero (?:di |della )?carta|n[úu]mero do cart[ãa]o|kaartnummer|numer karty|kortnummer|卡号|カード番号|카드번호`,
  ],
  personal_number: [
    `(?:customer|client|member(?:ship)?|employee|staff|personnel|payroll|student|patient|subscriber|policy(?:holder)?|loyalty|frequent flyer|badge|claim|case|beneficiary|voter|applicant|visa|borrower|loan|mortgage|booking|reservation|tenant|guest|donor|passenger|driver|contract|invoice recipient|ticket holder|insured|subscriber|meter|Dossier CAF) (?:id|number|no|nr|num|#|code|identifier)`,
    '(?:Kunden|Mitglieds|Personal|Mitarbeiter|Matrikel|Patienten|Vertrags|Policen|Versicherungsschein|Aktenzeichen)-?(?:nummer|nr)|Matrikelnummer',
    'num[ée]ro (?:de )?(?:client|membre|employ[ée]|dossier|contrat|adh[ée]rent)|matricule|n[úu]mero de (?:cliente|socio|empleado|expediente|p[óo]liza|matr[íi]cula|funcion[áa]rio|ap[óo]lice)|(?:numero|codice) (?:cliente|dipendente|tessera|polizza|matricola)|klantnummer|lidnummer|personeelsnummer|medewerkersnummer|studentnummer|polisnummer|numer (?:klienta|pracownika|polisy|albumu)|nr (?:klienta|pracownika)|kundnummer|medlemsnummer|客户号|会员号|員工編號|社員番号|会員番号|顧客番号|회원번호|학번|사번|工号|员工号|会员卡号|学籍番号|受験番号',
    "(?:n°|no\\.?|num[ée]ro) (?:d[’'])?(?:allocataire|assur[ée]|abonn[ée]|adh[ée]rent|licence)|frequent flyer|Meilenkonto|Miles ?& ?More|loyalty(?: card)?|Payback(?:-?Nr)?|n[º°o]\\.? (?:de )?(?:empleado|socio|cliente|expediente|s[óo]cio)|dossier CAF|табельный номер|номер (?:клиента|договора|полиса|студенческого)|лицевой сч[её]т|m[ãa] (?:nhân viên|sinh viên|khách hàng)|nomor (?:induk|pelanggan|anggota)|NIM|(?:m[üu][şs]teri|[öo][ğg]renci|sicil|personel|abone) (?:no|numaras[ıi])|kund(?:e)?nummer|medarbejdernummer|ansattnummer|anst[äa]llningsnummer|opiskelijanumero|asiakasnumero|[čc][íi]slo (?:z[áa]kazn[íi]ka|zam[ěe]stnance|smlouvy|pojistky)|broj (?:klijenta|ugovora|indeksa)|[üu]gyf[ée]lsz[áa]m|αριθμ[όο]ς (?:πελάτη|μητρώου)|رقم (?:العميل|الموظف|الطالب|العضوية|البوليصة)|מספר (?:לקוח|עובד|סטודנט|פוליסה)",
  ],
};

const KINDS = Object.entries(LABELS).map(([kind, labels]) => ({ kind, labels: labels.join('|') }));

const LABELED = new RegExp(
  [
    `(?<!\\p{L})(?:${KINDS.map(({ kind, labels }) => `(?<${kind}>${labels})`).join('|')})(?!\\p{Ll})`,
    '["\'»)\\]]{0,2}(?:\\s{0,2}(?:[:=#№]|\\.|->|is|was|ist|lautet|est|es|é|è|no\\.?|nr\\.?|n\\.?[º°]?)){0,2}\\s{0,3}["\'(\\[]{0,2}',
    '(?<value>[A-Z]{0,4}[ .-]?\\d(?:[ ./-]?[A-Z0-9]){3,30})(?![\\p{L}\\p{N}_])',
  ].join(''),
  'giu',
);

/** Records of bookings are six letters and digits, mostly: `PNR X7K9QP`. */
const LOCATOR =
  /(?<!\p{L})(?:PNR|record locator|(?:booking|reservation|confirmation) (?:ref(?:erence)?|code|number|no)|Buchungs(?:code|nummer)|code de réservation|localizador|c[óo]digo de reserva|codice prenotazione|予約番号)\.?[ :#]{1,3}(?=[A-Z]{0,7}\d)([A-Z0-9]{5,8})(?![\p{L}\p{N}-])/giu;

function find({ text }: TextView): Span[] {
  if (!/\d/u.test(text)) return [];
  const locators = [...text.matchAll(LOCATOR)].map(({ 0: all, 1: code = '', index }): Span => {
    const end = index + all.length;
    return { start: end - code.length, end, kind: 'personal_number', score: 0.5, checked: 'label' };
  });
  return [...locators, ...labelled(text)];
}

function labelled(text: string): Span[] {
  if (!/\d.?\d.?\d/u.test(text)) return [];
  const spans: Span[] = [];
  LABELED.lastIndex = 0;
  for (let match = LABELED.exec(text); match !== null; match = LABELED.exec(text)) {
    const { value = '', ...labels } = match.groups ?? {};
    const known = KINDS.find(({ kind }) => labels[kind] !== undefined);
    const kind = recognizer.kinds.find((each) => each === known?.kind);
    const number = withoutSentence(value);
    const start = match.index + match[0].length - value.length;
    // What follows the number may be the next label: `agência 00017 conta 123456-7`.
    LABELED.lastIndex = start + Math.max(number.length, 1);
    if (kind === undefined || !isNumber(number)) continue;
    spans.push({ start, end: start + number.length, kind, score: 0.5, checked: 'label' });
  }
  return spans;
}

/** A number ends where words begin: `1234567 is mine` is caught with the words, as they have letters too. */
function withoutSentence(value: string): string {
  const word = /[ ](?=[A-Za-z]{2,}(?:[ ]|$)|[a-z])/u.exec(value);
  // The kind of a file is no part of a number in its name.
  return (word === null || word.index < 5 ? value : value.slice(0, word.index))
    .replace(/\.[a-z]{2,4}$/iu, '')
    .replace(/[ ./-]+$/u, '');
}

function isNumber(value: string): boolean {
  const digits = value.replace(/\D/gu, '');
  if (digits.length < 5 || digits.length > 26) return false;
  // A date, a time, a version or an amount.
  return (
    !/^(?:(?:19|20)\d\d[-./]\d{1,2}[-./]\d{1,2}|\d{1,2}[-./]\d{1,2}[-./](?:19|20)\d\d|\d{1,3}(?:\.\d{1,3}){1,3}|\d{1,3}(?: \d{3})+)$/u.test(
      value,
    ) || digits.length >= 9
  );
}
