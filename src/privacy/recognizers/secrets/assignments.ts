import type { Span } from '../span.ts';

/**
 * Values that a name gives away: `password=...`, `"api_key": "..."`, `<pwd>...</pwd>`, `--token ...`, `Passwort: ...`, and
 * codes that are short (`PIN: 1234`). A label without a value, a type (`password: string`), a mask and a placeholder are none.
 */
export function assignments(text: string): Span[] {
  return [
    ...(HINT.test(text) ? named(text, ASSIGNMENT, isSecretValue, 'named') : []),
    ...(/\d{3}/u.test(text) ? named(text, SHORT_CODE, () => true, 'code') : []),
  ];
}

function named(
  text: string,
  shape: RegExp,
  accept: (value: string, sign: string, rest: string) => boolean,
  checked: string,
): Span[] {
  const spans: Span[] = [];
  for (const match of text.matchAll(shape)) {
    const { sign = '', quoted, bare = '' } = match.groups ?? {};
    const value = quoted ?? bare;
    const end = match.index + match[0].length - (quoted === undefined ? 0 : 1);
    if (!accept(value, quoted === undefined ? sign : '"', text.slice(end, end + 24))) continue;
    spans.push({ start: end - value.length, end, kind: 'secret', score: 0.8, checked });
  }
  return spans;
}

const NAMES = [
  'pass(?:word|wd|phrase|code)s?',
  '(?<!\\p{L})pass(?=[ "\']{0,2}[=:])',
  '(?<!\\p{L})(?:[a-z]{1,3}_?)?(?:pwd|psw|pswd)',
  '(?:client|app|shared|consumer|signing|webhook)?[-_ ]?secret(?:[-_ ]?(?:access[-_ ]?)?key)?',
  '(?:access|refresh|id|auth|api|bearer|session|security|personal[-_ ]access|csrf|oauth|bot|deploy)?[-_ ]?token',
  '(?:api|access|account|private|encryption|master|license|licence|auth|service|subscription|shared[-_ ]?access|storage|secret|ssh|signing|product)[-_ ]?key',
  'apikey|accesskey|privatekey|credentials?|connection[-_ ]?string|session[-_ ]?id|jsessionid|phpsessid|sessid',
  "Passwort|Kennwort|Passwörter|Zugangscode|mot de passe|mdp|contraseña|clave(?: de acceso)?|senha|palavra[- ]passe|parola(?: chiave| d[' ]ordine)?|password d[' ]accesso|wachtwoord|toegangscode|hasło|haslo|lösenord|passord|adgangskode|salasana|heslo|jelszó|parolă|şifre|sifre|пароль|κωδικός πρόσβασης|סיסמה|كلمة المرور|密码|密碼|口令|パスワード|비밀번호|암호|รหัสผ่าน|mật khẩu|kata sandi",
];

// One quick look: most texts hold none of the names.
const HINT = new RegExp(
  'pass|pwd|psw|secret|token|key|credential|connection|session|sessid|wort|mot de|mdp|clave|contrase|senha|palavra|parol|wachtw|toegang|has[lł]o|lösen|passord|adgang|salasana|heslo|jelsz|ifre|парол|κωδικ|סיסמה|كلمة|密|口令|パスワ|비밀|암호|รหัส|mật|kata',
  'iu',
);
const NAME = `(?:${NAMES.join('|')})`;

const ASSIGNMENT = new RegExp(
  [
    // name, closing quote, sign, value
    `${NAME}["'\`\\])]{0,2}`,
    `(?<sign>\\s{0,4}(?::=|=>|==?|:|\\bis:?\\s|\\bist:?\\s|\\best:?\\s|\\bes:?\\s|\\bè:?\\s|>(?!=))\\s{0,4}|\\s{1,3}(?=["'\`]))`,
    `(?:["'\`](?<quoted>[^"'\`\\r\\n]{3,400})["'\`]|(?<bare>[^\\s"'\`<>,;&]{3,400}))`,
  ].join(''),
  'giu',
);

const SHORT_CODE =
  /(?<!\p{L})(?:PIN(?:[ -]?(?:code|number|nummer))?|CVV2?|CVC2?|CSC|OTP|2FA code|passcode|security code|verification code|one[- ]time (?:code|password|pin)|access code|confirmation code|auth(?:entication)? code|Geheimzahl|Sicherheitscode|Bestätigungscode|Prüfziffer|TAN|code (?:de sécurité|de vérification|secret|confidentiel)|código (?:de seguridad|de verificación|de segurança|de verificação)|codice (?:di sicurezza|di verifica)|beveiligingscode|verificatiecode|kod (?:PIN|weryfikacyjny)|验证码|驗證碼|認証コード|인증번호)(?<sign>[ "']{0,2}(?:[:=#]| is| ist| est| es| è)?[ "']{0,3})(?<bare>(?:\d{3}[ -]\d{3}|\d{3,8}))(?![\p{L}\p{N}.,%-]*[\p{L}\p{N}])/giu;

/** Values that say what to type, not what was typed. */
const HARMLESS =
  /^(?:string|str|text|bytes?|char|varchar|number|int(?:eger)?|bool(?:ean)?|any|object|null|nil|none|undefined|true|false|yes|no|on|off|required|optional|missing|invalid|incorrect|wrong|expired|empty|hidden|visible|show|hide|changed?|reset|forgot(?:ten)?|enter|type|your|the|this|that|must|should|may|can|will|not|for|and|with|from|has|was|are|is|too|at|to|of|in|or|minimum|maximum|min|max|length|strength|strong|weak|policy|protected|authentication|manager|generator|field|input|label|placeholder|example|changeme|redacted|masked|encrypted|hash(?:ed)?|value|default|unknown|error|failed|success|confirm(?:ation)?|new|old|current|repeat|again|erforderlich|eingeben|vergessen|ändern|ungültig|falsch|oublié|requis|incorrecta?|requerida?|olvidada?|richiesta|dimenticata|esquecida|obrigatória|vergeten|wymagane|settings|options|help)[.!?:]*$/iu;
/** `8文字以上`, `至少8个字符`: how long it must be, also once the number is gone. */
const LENGTH = /^\p{Script=Han}{0,6}(?:\d{1,3}|\{n\})(?:[-~～](?:\d{1,3}|\{n\}))?(?:文字|個?字元|个?字符|位|자|글자)/u;
const MASK = /^[*•●·.xX_#-]+$|^\\[*•]/u;
const TEMPLATE =
  /^(?:your[-_]|my[-_](?:api|secret|password|token)|\$\{?|\{\{?|%\w?|<|\[|process\.|os\.|env\.|ENV\[|System\.|vault:|secrets?\.|this\.|self\.|config\.|req\.|props\.|\(|function|=>|await|new |get[A-Z_(]|String\()/u;

function isSecretValue(value: string, sign: string, rest: string): boolean {
  const bare = value.trim();
  if (bare.length < 3 || HARMLESS.test(bare.replace(/[)\]]+$/u, '')) || MASK.test(bare) || TEMPLATE.test(bare))
    return false;
  if (LENGTH.test(bare)) return false;
  if (/[()]$/u.test(bare) && /^[\w.]+\(/u.test(bare)) return false;
  if (sign === '"') return !/^[\p{L}]+(?: \p{L}+){2,}/u.test(bare);
  if (sign.includes('=')) return true;
  // After a colon or a word: a plain word that a sentence goes on after is a sentence.
  const isPlain = /^\p{L}+[.,!?]?$/u.test(bare);
  if (!isPlain) return bare.length >= 4;
  return /^(?:\s{0,3}(?:[\r\n]|$)|["'<)])/u.test(rest) && bare.length >= 4 && !/^\p{Lu}\p{Ll}+$/u.test(bare);
}
