import { parse } from 'tldts';
import { isIpAddress } from './ip.ts';
import { isSystemAccount } from './username.ts';
import type { Recognizer, Span } from './span.ts';
import type { TextView } from './view.ts';

/**
 * E-mail addresses, and `user@host` as terminals show it. Goes from one `@` to the next and looks to both sides up to the
 * neighbouring `@`, so that each character is looked at twice at most.
 */
export const recognizer: Recognizer = { kinds: ['email'], find };

function find({ text }: TextView): Span[] {
  const spans: Span[] = [];
  const judged = new Map<string, Judgement | undefined>();
  const judge = (domain: string): Judgement | undefined => {
    if (!judged.has(domain)) judged.set(domain, judgeDomain(domain));
    return judged.get(domain);
  };
  let floor = 0;
  for (let at = text.indexOf('@'); at !== -1; at = text.indexOf('@', at + 1)) {
    const start = localStart(text, at, floor);
    const end = domainEnd(text, at);
    floor = at + 1;
    if (start === at || end === at + 1) continue;
    const domain = text.slice(at + 1, end);
    const verdict = judge(domain);
    if (verdict === undefined) continue;
    const { checked } = verdict;
    const score = isNobodys(text.slice(start, at), domain, checked) ? WEAK : verdict.score;
    spans.push({ start, end, kind: 'email', score, checked });
  }
  return spans;
}

type Judgement = Pick<Span, 'score' | 'checked'>;

const LOCAL = /[\p{L}\p{M}\p{N}._%+'!#$^~-]/u;
const LETTER_OR_DIGIT = /[\p{L}\p{M}\p{N}]/u;
const DOMAIN = /[\p{L}\p{M}\p{N}.-]/u;

function localStart(text: string, at: number, floor: number): number {
  if (text[at - 1] === '"') {
    const quote = text.lastIndexOf('"', at - 2);
    return quote >= floor ? quote : at;
  }
  let start = at;
  for (let previous = before(text, start); start > floor && LOCAL.test(previous); previous = before(text, start)) {
    start -= previous.length;
  }
  // Punctuation before the first letter belongs to the sentence: 'a@b.example'.
  while (start < at && !LETTER_OR_DIGIT.test(after(text, start))) start += after(text, start).length;
  return start;
}

function domainEnd(text: string, at: number): number {
  if (text[at + 1] === '[') {
    const close = text.slice(at, at + MAX_LITERAL).indexOf(']');
    return at + Math.max(close, 0) + 1;
  }
  let end = at + 1;
  for (let next = after(text, end); DOMAIN.test(next); next = after(text, end)) end += next.length;
  while (end > at + 1 && (text[end - 1] === '.' || text[end - 1] === '-')) end -= 1;
  return end;
}

/** `[` + an IPv6 address with its tag + `]`. */
const MAX_LITERAL = 60;

function judgeDomain(domain: string): Judgement | undefined {
  if (domain.startsWith('[')) return isIpAddress(domain.slice(1, -1).replace(/^IPv6:/iu, '')) ? STRONG : undefined;
  if (isIpAddress(domain)) return STRONG;
  const last = domain.slice(domain.lastIndexOf('.') + 1);
  // `logo@2x.png`, `lodash@4.17.21`: the end is a file's kind or a number, no name of a network.
  // `checkout@v4` is a version, also once its number is gone.
  if (FILE_KINDS.has(last.toLowerCase()) || /^v\d*$/u.test(domain) || !/^\p{L}[\p{L}\p{M}\p{N}-]*$/u.test(last))
    return undefined;
  if (domain === last) return { score: 0.5, checked: 'user_at_host' };
  return parse(domain).isIcann === true ? STRONG : { score: 0.6, checked: 'shape' };
}

/** `name@example.com`, `root@localhost`, `git@github.com`: an account that nobody owns, where no place is told either. */
function isNobodys(local: string, domain: string, checked: string): boolean {
  const [name, host] = [local.toLowerCase(), domain.toLowerCase()];
  if (checked === 'user_at_host') return isSystemAccount(name) && ANY_HOST.test(host);
  return (PLACEHOLDER.test(name) && EXAMPLE.test(host)) || (name === 'git' && CODE_HOST.test(host));
}

const WEAK = 0.2;
const ANY_HOST =
  /^(?:localhost|host|hostname|server|machine|remote|ubuntu|debian|fedora|centos|kali|raspberrypi|archlinux|[0-9a-f]{12})$/u;
const CODE_HOST = /^(?:github\.com|gitlab\.com|bitbucket\.org|codeberg\.org|ssh\.dev\.azure\.com|git\.sr\.ht)$/u;
/** Names that stand for a name, in the languages of examples. */
const PLACEHOLDER =
  /^(?:(?:your|my|ihr|dein|votre|tu|su|seu|uw)?[._-]?(?:e?-?mail|name|user|username|account|address|adresse|nom|nombre|nome|naam|namn|nimi|usuario|utente|utilisateur|benutzer|gebruiker|correo|login|id)|(?:first|first-?name|given|vorname|prenom|nombre|nome|imie|jmeno|ad|etunimi|voornaam)[._-]?(?:last|last-?name|surname|nachname|nom|apellido|cognome|nazwisko|prijmeni|soyad|sukunimi|achternaam)|you|someone|somebody|anyone|everyone|nobody|example|placeholder|foo|bar|abc|xyz|x+)$/u;
/** Domains that nobody can have (RFC 2606), and those that examples take for one. */
const EXAMPLE =
  /(?:^|\.)(?:example(?:\.(?:com|org|net|edu))?|test|invalid|localhost)$|^(?:(?:your|my)?-?(?:domain|company|business|organization|site|email)|exampl[eo]|contoso|beispiel|exemple|ejemplo|exemplo|esempio|voorbeeld|przyklad|priklad|ornek|exempel|eksempel|esimerkki)\.(?:com|org|net|de|fr|es|it|nl|pl|cz|se|dk|no|fi|pt|br|com\.br|com\.tr)$/u;

const STRONG = { score: 0.95, checked: 'domain' } as const;
const FILE_KINDS = new Set(['png', 'jpg', 'jpeg', 'gif', 'webp', 'svg', 'ico', 'css', 'js', 'json', 'html']);

/** The character that ends before `i`, both halves of a surrogate pair together. */
function before(text: string, i: number): string {
  if (i <= 0) return '';
  const low = text.charCodeAt(i - 1);
  return low >= 0xdc00 && low <= 0xdfff && i >= 2 ? text.slice(i - 2, i) : text.slice(i - 1, i);
}

function after(text: string, i: number): string {
  const high = text.charCodeAt(i);
  return high >= 0xd800 && high <= 0xdbff ? text.slice(i, i + 2) : text.slice(i, i + 1);
}
