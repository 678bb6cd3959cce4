import { FAMILY, flagsOf, foldName, GIVEN, INTERFACE, SURE, WORD } from './names/lists.ts';
import type { Recognizer, Span } from './span.ts';
import type { TextView } from './view.ts';

/**
 * Names of accounts where systems write them: home folders (`C:\Users\Ana Kovač`, `~ana/`, those of Linux and macOS), `user=ana`,
 * `logged in as ana`, `CORP\ana`. Accounts that every system has (`root`, `Public`, `Administrator`) are nobody's.
 */
export const recognizer: Recognizer = { kinds: ['username'], find };

function find({ text }: TextView): Span[] {
  const spans: Span[] = [];
  for (const { pattern, score, checked, isWordy } of FORMS) {
    for (const match of text.matchAll(pattern)) {
      const name = match[1] ?? '';
      const end = match.index + match[0].length;
      if (isNobody(name) || (isWordy && isCommonWord(name))) continue;
      spans.push({ start: end - name.length, end, kind: 'username', score, checked });
    }
  }
  spans.push(...listed(text));
  for (const match of text.matchAll(DOMAIN_USER)) {
    const [whole, domain = '', name = ''] = match;
    if (SYSTEM_DOMAINS.test(domain) || isNobody(name) || isCommonWord(name) || FILE.test(name)) continue;
    const isUpper = domain === domain.toUpperCase();
    const score = isUpper ? 0.6 : isNameLike(name) ? 0.45 : 0.2;
    const end = match.index + whole.length;
    spans.push({ start: end - name.length, end, kind: 'username', score, checked: 'domain' });
  }
  return spans;
}

interface Form {
  /** The name is the last thing that matches, and group 1. */
  readonly pattern: RegExp;
  readonly score: number;
  readonly checked: string;
  /** The same form holds ordinary words too. */
  readonly isWordy: boolean;
}

// `~1`: the short form of a long name.
const NAME = String.raw`[\p{L}\p{N}_][\p{L}\p{N}\p{M}._+~-]{0,39}`;
const BEFORE_PATH = String.raw`(?<![\p{L}\p{N}_.\\/}-])`;

const FORMS: readonly Form[] = [
  // Windows: the name may hold spaces when the path goes on.
  {
    pattern: new RegExp(
      String.raw`(?:(?<![\p{L}\p{N}])[A-Za-z]:|\\\\[\w.-]{1,40}(?:\\[a-z]\$)?|/mnt/[a-z]|/cygdrive/[a-z]|(?<![\p{L}\p{N}_.\\/])/[a-z]|%SystemDrive%)[\\/]{1,2}(?:Users|Documents and Settings|Benutzer|Utilisateurs|Usuarios)[\\/]{1,2}(${NAME}(?: [\p{L}\p{N}\p{M}._-]{1,30}){0,3}(?=[\\/])|${NAME})`,
      'giu',
    ),
    score: 0.85,
    checked: 'path',
    isWordy: false,
  },
  {
    pattern: new RegExp(
      String.raw`(?:${BEFORE_PATH}|file://[\w.-]{0,40}|vscode-remote://[\w.%+-]{0,60})/{1,2}(?:Users|Volumes/[^/\s]{1,40}/Users|home|usr/home|var/home|export/home|data/home|data/users|nfs/home|mnt/home|var/mail|var/spool/(?:mail|cron)|run/media|media)/(${NAME})`,
      'gu',
    ),
    score: 0.8,
    checked: 'path',
    isWordy: true,
  },
  {
    pattern: new RegExp(String.raw`%2F(?:Users|home)%2F([\p{L}\p{N}_][\p{L}\p{N}_.-]{0,39})`, 'giu'),
    score: 0.7,
    checked: 'path',
    isWordy: true,
  },
  {
    pattern: new RegExp(String.raw`(?<![^\s"'(=:/@])~([a-z_][a-z0-9_.-]{1,31})(?=/)`, 'gu'),
    score: 0.6,
    checked: 'path',
    isWordy: true,
  },
  {
    pattern: new RegExp(
      String.raw`(?<![\p{L}\p{N}-])(?:user|username|user_name|user-name|login|logon|usr|uname|user_?id|userid|samaccountname|-u|--user|--username|LOGNAME|USERNAME|USER)(?:=| = )["']?(${NAME})`,
      'giu',
    ),
    score: 0.6,
    checked: 'assignment',
    isWordy: true,
  },
  {
    pattern: new RegExp(String.raw`(?<![\p{L}])uid=\d{1,10}\((${NAME})`, 'gu'),
    score: 0.7,
    checked: 'assignment',
    isWordy: false,
  },
  {
    pattern: new RegExp(
      String.raw`(?<![\p{L}\p{N}_-])(?:user ?name|user|login|user ?id|account ?name|benutzername|benutzerkennung|anmeldename|nom d'utilisateur|identifiant|nombre de usuario|usuario|nome utente|utente|nome de usuário|utilizador|gebruikersnaam|nazwa użytkownika|uživatelské jméno|korisničko ime|felhasználónév|nume de utilizator|användarnamn|brugernavn|brukernavn|käyttäjätunnus|kullanıcı adı|имя пользователя|логин|ім'я користувача|логін|όνομα χρήστη|اسم المستخدم|שם משתמש|用户名|ユーザー名|사용자 ?이름|tên đăng nhập|nama pengguna) ?[:\uFF1A] ?["']?(${NAME})`,
      'giu',
    ),
    score: 0.5,
    checked: 'label',
    isWordy: true,
  },
  {
    pattern: new RegExp(
      String.raw`(?<![\p{L}])(?:logged in as|signed in as|log in as|running as|connected as|authenticated as|su -|sudo -u|angemeldet als|connecté en tant que|sesión iniciada como|ingelogd als|zalogowany jako|inloggad som|logget inn som|accesso come|вошли как|accepted (?:password|publickey|keyboard-interactive(?:/pam)?) for|user logged (?:in|out):|whoami:?|session opened for user|invalid user|failed password for) ["']?(${NAME})`,
      'giu',
    ),
    score: 0.6,
    checked: 'context',
    isWordy: true,
  },
];

/** Columns of `ls -l` and `ps aux`, `chown`: the name is group 1, and group 2 a second. */
const LISTINGS: readonly RegExp[] = [
  /(?<![\w-])[-dlbcps](?:[r-][w-][xsStT-]){3}[+@.]? {1,6}\d{1,5} {1,6}([a-z_][a-z0-9_.-]{1,31}) {1,6}([a-z_][a-z0-9_.-]{1,31})(?= {1,12}\d)/gu,
  /(?<![\w./-])(?:chown|chgrp)(?: -[A-Za-z]{1,6}| --[a-z-]{1,20}){0,3} ([a-z_][a-z0-9_.-]{1,31}):([a-z_][a-z0-9_.-]{1,31})?(?=\s)/gu,
  /(?:^|\n|ps: )([a-z_][a-z0-9_.-]{1,31}) {1,12}\d{1,7} {1,6}\d{1,3}\.\d{1,6}(?![\d.])/gu,
];

function listed(text: string): Span[] {
  return LISTINGS.flatMap((pattern) =>
    [...text.matchAll(pattern)].flatMap((match) => {
      const spans: Span[] = [];
      let from = 0;
      for (const name of match.slice(1)) {
        const at = name === undefined ? -1 : match[0].lastIndexOf(name);
        if (at < from || name === undefined || isNobody(name) || GROUPS.has(name)) continue;
        const first = spans.length === 0 ? match[0].indexOf(name) : at;
        const start = match.index + first;
        spans.push({ start, end: start + name.length, kind: 'username', score: 0.6, checked: 'listing' });
        from = first + name.length;
      }
      return spans;
    }),
  );
}
const GROUPS = new Set(
  'staff users wheel adm admin sudo nogroup dialout plugdev lp tty disk video audio games man news uucp proxy list irc gnats messagebus syslog'.split(
    ' ',
  ),
);

const DOMAIN_USER =
  /(?<![\p{L}\p{N}_\\/:.%$-])([A-Za-z][A-Za-z0-9-]{1,14})\\([A-Za-z][A-Za-z0-9_.-]{1,39})(?![A-Za-z0-9_\\/(-])/gu;
const SYSTEM_DOMAINS =
  /^(?:authority|builtin|service|hk[a-z_]{2,}|software|system|microsoft|window|font|iis|domain$)/iu;
const FILE =
  /\.(?:txt|docx?|xlsx?|pptx?|pdf|exe|dll|js|ts|cs|cpp|c|h|py|java|json|xml|yml|yaml|md|log|ini|bat|sh|png|jpe?g|zip|sln|config)$/iu;

/** Accounts that come with systems and programs, and what stands for a name in examples. */
const NOBODY = new Set(
  `public shared default defaultuser defaultuser0 all guest administrator administrators admin root user users username your me you
  anonymous none null undefined nil true false system service local localservice networkservice network runner runneradmin ubuntu debian
  vagrant node app application ec2-user linuxbrew git jenkins postgres mysql docker pi www www-data nobody daemon bin mail ftp sshd
  deploy ci test tester testuser demo example sample name login oracle sa dbo azureuser opc centos fedora alpine codespace vscode
  gitpod builder build jovyan container containeradministrator containeruser appveyor travis circleci public-desktop library index
  everyone domain owner creator trustedinstaller iusr networkserv gdm lightdm systemd kali student dev developer svc backup operator`.split(
    /\s+/u,
  ),
);

/** Whether an account of this name comes with systems, or stands for a name in examples. */
export function isSystemAccount(name: string): boolean {
  return NOBODY.has(name.toLowerCase());
}

function isNobody(name: string): boolean {
  return (
    name.length < 2 || NOBODY.has(name.toLowerCase()) || !/\p{L}/u.test(name) || /^(?:all|default) users?$/iu.test(name)
  );
}

function isCommonWord(name: string): boolean {
  const flags = flagsOf(foldName(name));
  if ((flags & INTERFACE) !== 0) return true;
  return (flags & WORD) !== 0 && (flags & (GIVEN | FAMILY)) === 0;
}

function isNameLike(name: string): boolean {
  return name.split(/[._\d-]/u, 4).some((part) => {
    const flags = flagsOf(foldName(part));
    return part.length > 2 && (flags & (GIVEN | FAMILY)) !== 0 && (flags & SURE) !== 0 && (flags & WORD) === 0;
  });
}
