import type { Span } from '../span.ts';

/**
 * Values that a name gives away: `password=...`, `"api_key": "..."`, `<pwd>...</pwd>`, `--token ...`, `Passwort: ...`, and
 * codes that are short (`PIN: 1234`). A label without a value, a type (`password: string`), a mask and a placeholder are none.
 */
export function assignments(text: string): Span[] {
  return [
    ...(/\d{4}/u.test(text) ? codesFirst(text) : []),
    ...(SENTENCE_HINT.test(text) ? sentences(text) : []),
    ...(HINT.test(text) ? named(text, ASSIGNMENT, isSecretValue, 'named') : []),
    ...(/\d{3}/u.test(text) ? named(text, SHORT_CODE, () => true, 'code') : []),
  ];
}

/** `493021 is your verification code`, `G-493021`: the code before the words. */
const CODE_FIRST =
  /(?<![\p{L}\p{N}.-])(?:[A-Z]{1,3}-)?(\d{3}[ -]?\d{3}|\d{4,8})(?= (?:is|ist|est|es|è|é|to|jest|är|er) (?:your|you're|Ihr|dein|votre|ton|tu|su|il tuo|o seu|seu|twój|din|je|uw) (?:[\p{L}']{1,16} ){0,3}?(?:code|pin|otp|passcode|Bestätigungscode|código|codice|kod|kode)(?!\p{L}))/giu;

const codesFirst = (text: string): Span[] =>
  [...text.matchAll(CODE_FIRST), ...text.matchAll(CODE_ASKED)].map(({ 0: all, 1: code = '', index }) => {
    const end = index + all.length;
    return { start: end - code.length, end, kind: 'secret', score: 0.7, checked: 'code' };
  });

const CODE_ASKED =
  /(?<=(?<!\p{L})(?:use|enter|type|verwenden Sie|utilisez|usa|code|Code|código|kod) )(\d{3}[ -]?\d{3}|\d{4,8})(?= (?:to (?:verify|log ?in|sign in|confirm|reset|complete|continue)|expires|is valid|zum |pour (?:vous|vérifier)|para (?:verificar|iniciar)))/giu;

/** Passwords as people and programs tell them: `ana / Sommer2023`, `u: ana p: x1y2`, `password for ana: x1y2`, `пароль x1y2`. */
const SENTENCES: readonly RegExp[] = [
  /(?<!\p{L})(?:login|log-in|credentials|creds|user\/pass|Zugangsdaten|Zugang|Anmeldedaten|identifiants|credenciales|credenziali|dane logowania|логин|доступ)[ :]{1,3}[\w.@+-]{2,40} ?[/|] ?(?=\S{0,39}\d)(\S{5,40})/giu,
  /(?<!\p{L})(?:u|user|username|login)[:=] ?[\w.@+-]{2,40}[ ,;]{1,2}(?:p|pw|pass)[:=] ?(\S{4,60})/giu,
  /(?<!\p{L})(?:password|passphrase|Passwort|Kennwort|mot de passe|mdp|contraseña|clave|senha|hasło|heslo|lozinka|jelszó|пароль)(?: (?:for|für|de|du|del|da|pour|para|do|na|za|для|от|к))? (?:key )?["']?(?:[\w.@+/-]{1,60}["']? ?: ?|(?:wi-?fi|wlan) )(?=\S{0,39}\d)(\S{4,60})/giu,
  /(?<!\p{L})(?:password|passwd|pw|Passwort|Kennwort|contraseña|senha|hasło|heslo|пароль|wachtwoord|şifre|parola) (?=\p{L}{0,30}\d)([\p{L}\d!@#$%&*?]{6,40})(?![\p{L}\p{N}.(-])/giu,
  /(?<!\p{L})pass(?:word|phrase)["']?\s?[:=]\s?"([^"\r\n]{4,80})"/giu,
  /(?<![\p{L}\p{N}])WIFI:(?:[A-Z]:[^;]{0,64};){0,4}?P:([^;\s]{4,64})/gu,
  /\becho ["']?([^\s"'|$-][^\s"'|]{3,60})(?=["']? ?\| ?(?:sudo -S|passwd|openssl|docker login|kinit|su\b))/gu,
  /\bopenssl enc\b[^\r\n|]{0,80}? -k ["']?([^\s"']{4,60})/gu,
  /(?<!\p{L})(?:recovery|backup|activation|unlock) (?:code|key)s?[ :]{1,3}(?=[\w-]{0,60}\d)([A-Za-z0-9]{4,8}(?:-[A-Za-z0-9]{4,8}){1,7})(?![\w-])/giu,
  // Salesforce: the mark in the middle parts other tokens.
  /(?<!\w)(00D[A-Za-z0-9]{12,15}![\w.]{40,200})/gu,
  /(?<!\p{L})BitLocker[^\r\n]{0,40}?((?:\d{6}-){7}\d{6})/giu,
];
const SENTENCE_HINT =
  /login|log-in|cred|zugang|anmelde|identif|dane log|логин|доступ|[up][:=]|passw|passphrase|pwd|pw |kennwort|mot de passe|contrase|senha|has[lł]o|heslo|парол|wachtw|ifre|parola|WIFI:|mdp|clave|jelsz|lozin|echo |openssl|bitlocker|recovery|backup|activation|unlock|00D/iu;

const sentences = (text: string): Span[] =>
  SENTENCES.flatMap((shape) =>
    [...text.matchAll(shape)].flatMap(({ 0: all, 1: value = '', index }) => {
      const end = index + all.length;
      const isHarmless =
        /^(?:enter|type|your|the) |\.\.\.$/iu.test(value) ||
        HARMLESS.test(value) ||
        MASK.test(value) ||
        TEMPLATE.test(value);
      return isHarmless
        ? []
        : [
            {
              start: end - value.length - (all.endsWith('"') ? 1 : 0),
              end: end - (all.endsWith('"') ? 1 : 0),
              kind: 'secret',
              score: 0.7,
              checked: 'sentence',
            } as const,
          ];
    }),
  );

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
  '(?<!\\p{L})pw(?=[ "\']{0,2}[=:]|\\s(?:is|ist)\\s)',
  '(?<!\\p{L})(?:wpa[23]?|wifi|wlan|network|wep|psk)[-_ ](?:key|pass|psk)|(?<!\\p{L})(?:wpa[-_]?)?psk(?=[ "\']{0,2}[=:])',
  '(?<=[A-Z0-9]_)AUTH(?=["\']?=)|(?:recovery|backup|licen[cs]e|serial|activation|unlock) (?:key|code)',
  '(?:client|app|shared|consumer|signing|webhook)?[-_ ]?secret(?:[-_ ]?(?:access[-_ ]?)?key)?',
  '(?:access|refresh|id|auth|api|bearer|session|security|personal[-_ ]access|csrf|oauth|bot|deploy)?[-_ ]?token',
  '(?:api|access|account|private|encryption|master|license|licence|auth|service|subscription|shared[-_ ]?access|storage|secret|ssh|signing|product)[-_ ]?key',
  'apikey|accesskey|privatekey|credentials?|connection[-_ ]?string|session[-_ ]?id|jsessionid|phpsessid|sessid',
  "Passwort|Kennwort|Passwörter|Zugangscode|mot de passe|mdp|contraseña|clave(?: de acceso)?|senha|palavra[- ]passe|parola(?: chiave| d[' ]ordine)?|password d[' ]accesso|wachtwoord|toegangscode|hasło|haslo|lösenord|passord|adgangskode|salasana|heslo|jelszó|parolă|şifre|sifre|пароль|κωδικός πρόσβασης|סיסמה|كلمة المرور|密码|密碼|口令|lozink[aeu]|geslo|κωδικός|كلمة السر|رمز المرور|رمز عبور|گذرواژه|पासवर्ड|salasõna|slaptažodis|parole|fjalëkalimi|katasandi|パスワード|비밀번호|암호|รหัสผ่าน|mật khẩu|kata sandi",
];

// One quick look: most texts hold none of the names.
const HINT = new RegExp(
  'pass|pw|psw|psk|auth|key|code|secret|token|key|credential|connection|session|sessid|wort|mot de|mdp|clave|contrase|senha|palavra|parol|wachtw|toegang|has[lł]o|lösen|passord|adgang|salasana|heslo|jelsz|ifre|парол|κωδικ|סיסמה|كلمة|密|口令|パスワ|비밀|암호|รหัส|mật|kata|lozin|geslo|رمز|गुप्त|पासव|salas|slapta|fjal|گذر',
  'iu',
);
const NAME = `(?:${NAMES.join('|')})`;

const ASSIGNMENT = new RegExp(
  [
    // name, closing quote, sign, value
    `${NAME}["'\`\\])]{0,2}`,
    `(?<sign>\\s{0,4}(?::=|=>|==?|:|\\bis:?\\s|\\bist:?\\s|\\best:?\\s|\\bes:?\\s|(?<!\\p{L})è:?\\s|是|为|です|は|>(?!=))\\s{0,4}|\\s{1,3}(?=["'\`]))`,
    `(?:["'\`](?<quoted>[^"'\`\\r\\n]{3,400})["'\`]|(?<bare>[^\\s"'\`<>,;&]{3,400}))`,
  ].join(''),
  'giu',
);

const SHORT_CODE =
  /(?<!\p{L})(?:PIN(?:[ -]?(?:code|number|nummer))?|CVV2?|CVC2?|CSC|OTP|2FA code|passcode|security code|verification code|one[- ]time (?:code|password|pin)|access code|confirmation code|login code|sign-in code|recovery code|backup codes?|PUK|auth(?:entication)? code|Geheimzahl|Sicherheitscode|Bestätigungscode|Prüfziffer|TAN|code (?:de sécurité|de vérification|secret|confidentiel)|código (?:de seguridad|de verificación|de segurança|de verificação)|codice (?:di sicurezza|di verifica)|beveiligingscode|verificatiecode|kod (?:PIN|weryfikacyjny)|kod jednorazowy|ověřovací kód|kód SMS|kode (?:OTP|verifikasi)|mã (?:OTP|xác (?:nhận|minh))|doğrulama kodu|код подтверждения|код доступа|код|رمز (?:التحقق|التفعيل)|קוד אימות|验证码|驗證碼|校验码|認証コード|確認コード|인증번호)(?<sign>[ "']{0,2}(?:[:=#：]| is:?| ist| lautet:?| est| es| è|是|为|は)?[ "']{0,3})(?<bare>(?:\d{3}[ -]\d{3}|\d{3,8}))(?![\p{L}\p{N}.,%-]*[\p{L}\p{N}])/giu;

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
