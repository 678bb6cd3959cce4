import type { Recognizer, Span } from './span.ts';
import type { TextView } from './view.ts';

/**
 * Names of machines and shares inside a company or a home: `.local`, `.corp`, `.internal` and such, `intranet.` in front,
 * shares (`\\server\share`), names that systems make up (`DESKTOP-4F7K2QX`), devices named after their owner.
 */
export const recognizer: Recognizer = { kinds: ['host'], find };

function find({ text }: TextView): Span[] {
  return SHAPES.filter(({ hint }) => hint.test(text)).flatMap(({ shape, checked, score }) =>
    [...text.matchAll(shape)].map(({ 0: name, index }): Span => ({
      start: index,
      end: index + name.length,
      kind: 'host',
      score,
      checked,
    })),
  );
}

/** `hint`: a quick look before the slow one. */
const SHAPES: readonly { hint: RegExp; shape: RegExp; checked: string; score: number }[] = [
  {
    // Not a file (`.env.local`, `app.internal.json`) nor a package (`com.acme.internal`).
    hint: /\.(?:local|corp|internal|lan|intra|intern|home\.arpa|private)/iu,
    shape:
      /(?<![\p{L}\p{N}_@.$/\\-])(?!(?:com|org|net|io|java|javax|sun|jdk|kotlin|android|system|this|self|window|process|config|settings)\.)(?:[a-z0-9][a-z0-9-]{0,62}\.){1,6}(?:local|localdomain|corp|internal|lan|intranet|intra|intern|home\.arpa|localnet|private)(?![\p{L}\p{N}_(=-]|\.[\p{L}\p{N}])/giu,
    checked: 'internal_domain',
    score: 0.6,
  },
  {
    hint: /(?:intranet|extranet|vpn|citrix|owa|adfs)\./iu,
    shape:
      /(?<=:\/\/|(?<![\p{L}\p{N}_@.$/\\-]))(?:intranet|extranet|vpn|citrix|owa|adfs)\.(?:[a-z0-9][a-z0-9-]{0,62}\.){1,4}[a-z]{2,24}(?![\p{L}\p{N}_-])/giu,
    checked: 'internal_name',
    score: 0.5,
  },
  {
    hint: /:\/\//u,
    shape:
      /(?<=:\/\/)(?:[a-z0-9][a-z0-9-]{0,62}\.){1,6}(?:local|localdomain|corp|internal|lan|intranet|intra|intern|home|private|ad|loc)(?![\p{L}\p{N}_.-])/giu,
    checked: 'internal_domain',
    score: 0.7,
  },
  {
    // A host without a domain in a URL, but for `localhost`.
    hint: /:\/\//u,
    shape:
      /(?<=(?:https?|smb|file|ftp|ssh|rdp|ldap|cifs|nfs):\/\/)(?!localhost|(?:server|servername|host|hostname|example|serwer|servidor|serveur)[/:])[a-z][a-z0-9-]{1,62}(?=[:/\s"']|$)(?!:\/\/)/giu,
    checked: 'bare_name',
    score: 0.45,
  },
  {
    hint: /\\\\/u,
    shape:
      /(?<![\\\p{L}\p{N}:])\\{2}(?:\\{2})?(?!(?:server(?:name)?|host(?:name)?|computername|localhost)\\)[\p{L}\p{N}][\p{L}\p{N}._$-]{1,62}\\{1,2}[\p{L}\p{N}_.$-]{1,80}(?:\\{1,2}[\p{L}\p{N}_.$-]{1,80}){0,12}/gu,
    checked: 'share',
    score: 0.8,
  },
  {
    hint: /[A-Z]-/u,
    shape: /(?<![\p{L}\p{N}_-])(?:DESKTOP|LAPTOP|WIN|MSI|PC)-(?=[A-Z0-9]*\d)[A-Z0-9]{6,11}(?![\p{L}\p{N}_-])/gu,
    checked: 'machine',
    score: 0.6,
  },
  {
    hint: /ip-/iu,
    shape: /(?<![\p{L}\p{N}_.-])ip-\d{1,3}-\d{1,3}-\d{1,3}-\d{1,3}(?![\p{L}\p{N}_-])/giu,
    checked: 'machine',
    score: 0.6,
  },
  {
    // `iPhone-de-Lucia`, `PC-von-Ana`
    hint: /(?:de|von|van|di|d')-?\p{Lu}/u,
    shape:
      /(?<![\p{L}\p{N}_-])(?:MacBook(?:-Pro|-Air)?|iMac|Mac|iPhone|iPad|PC|Laptop|Portátil|Ordinateur)-(?:de|von|van|di|do|da)-\p{Lu}\p{L}{1,20}(?![\p{L}\p{N}_])/gu,
    checked: 'owner',
    score: 0.6,
  },
  {
    // After a command or a word that a host follows: with a dash and a number or an upper-case code, as people name servers.
    hint: /ssh|rdp|ping|host|server|mstsc|PS |telnet|nslookup|traceroute|remote/iu,
    shape:
      /(?<=(?<![\p{L}\p{N}_-])(?:ssh(?: -\w{1,2}(?: \d{1,5})?)?|rdp|ping|traceroute|nslookup|dig|telnet|mstsc \/v:|Hostname:?|Host name:?|Computer name:?|Computername:?|Remote:|sqlserver) ?)(?=[A-Za-z]*[A-Z0-9]*-)(?:[A-Za-z][A-Za-z0-9]{0,14}(?:-[A-Za-z0-9]{1,14}){1,4}|(?=[a-z-]*-)[a-z][a-z0-9-]{2,30})(?![\p{L}\p{N}_.(=-]|: ?\d)/gu,
    checked: 'command',
    score: 0.5,
  },
  {
    hint: /fritz|\.svc|\.(?:internal|intra|corp|ad|lan|prod|int)\./iu,
    shape:
      /(?<![\p{L}\p{N}_@.$\\-])(?:(?:[a-z0-9][a-z0-9-]{0,62}\.){0,3}fritz\.box|(?:[a-z0-9][a-z0-9-]{0,62}\.){2,4}svc|(?:[a-z0-9][a-z0-9-]{0,62}\.){1,3}(?:internal|intra|intranet|corp|ad|lan)\.(?:[a-z0-9][a-z0-9-]{0,62}\.){1,3}(?:com|net|org|de|fr|eu|io|co\.uk|ch|at|pl|example))(?![\p{L}\p{N}_(=-]|\.[\p{L}\p{N}])/giu,
    checked: 'internal_domain',
    score: 0.5,
  },
  {
    hint: /s-[MiPLDA]/u,
    shape:
      /(?<![\p{L}\p{N}_-])\p{Lu}\p{L}{1,20}s-(?:MacBook|iMac|Mac|iPhone|iPad|PC|Laptop|Desktop|Air|Pro)(?:-(?:Pro|Air|mini|Max|\d{1,2})){0,3}(?![\p{L}\p{N}_])/gu,
    checked: 'owner',
    score: 0.6,
  },
];
