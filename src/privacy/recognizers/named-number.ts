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
    `(?:identity|id) card${NUMBER}|identity number|nin`,
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
  ],
  iban: ['IBAN(?: ?(?:number|no|nr))?'],
  card: [
    `(?:credit|debit|bank|visa|mastercard|amex|american express)? ?card (?:number|no|nr|num|#)|(?:credit|debit) card|Kreditkarten?(?:nummer|-?Nr)?|num[ée]ro de (?:la )?carte|n[úu]mero de (?:la )?tarjeta|numero (?:di |della )?carta|n[úu]mero do cart[ãa]o|kaartnummer|numer karty|kortnummer|卡号|カード番号|카드번호`,
  ],
  personal_number: [
    `(?:customer|client|member(?:ship)?|employee|staff|personnel|payroll|student|patient|subscriber|policy(?:holder)?|loyalty|frequent flyer|badge|claim|case|beneficiary|voter|applicant|visa|borrower|loan|mortgage) (?:id|number|no|nr|num|#|code|identifier)`,
    '(?:Kunden|Mitglieds|Personal|Mitarbeiter|Matrikel|Patienten|Vertrags|Policen|Versicherungsschein|Aktenzeichen)-?(?:nummer|nr)|Matrikelnummer',
    'num[ée]ro (?:de )?(?:client|membre|employ[ée]|dossier|contrat|adh[ée]rent)|matricule|n[úu]mero de (?:cliente|socio|empleado|expediente|p[óo]liza|matr[íi]cula|funcion[áa]rio|ap[óo]lice)|(?:numero|codice) (?:cliente|dipendente|tessera|polizza|matricola)|klantnummer|lidnummer|personeelsnummer|studentnummer|polisnummer|numer (?:klienta|pracownika|polisy|albumu)|nr (?:klienta|pracownika)|kundnummer|medlemsnummer|客户号|会员号|員工編號|社員番号|会員番号|顧客番号|회원번호|학번|사번',
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

function find({ text }: TextView): Span[] {
  if (!/\d.?\d.?\d/u.test(text)) return [];
  return [...text.matchAll(LABELED)].flatMap((match) => {
    const { value = '', ...labels } = match.groups ?? {};
    const known = KINDS.find(({ kind }) => labels[kind] !== undefined);
    const kind = recognizer.kinds.find((each) => each === known?.kind);
    const number = withoutSentence(value);
    if (kind === undefined || !isNumber(number)) return [];
    const start = match.index + match[0].length - value.length;
    return [{ start, end: start + number.length, kind, score: 0.5, checked: 'label' } as const];
  });
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
