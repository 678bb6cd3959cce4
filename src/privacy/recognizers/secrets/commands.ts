import type { Span } from '../span.ts';

/** Passwords among the arguments of programs, in HTTP headers, and in the connection strings that are no URLs. */
export function commands(text: string): Span[] {
  if (!HINT.test(text)) return [];
  return SHAPES.flatMap((shape) =>
    [...text.matchAll(shape)].flatMap((match) => {
      const value = match[1] ?? '';
      if (value === '' || /^(?:[$<{%*]|your[-_]|user(?:name)?:password$)/iu.test(value)) return [];
      const end = match.index + match[0].length;
      return [{ start: end - value.length, end, kind: 'secret', score: 0.85, checked: 'command' } as const];
    }),
  );
}

// What stands between a program and its option, on one line and of a bounded length.
const ARGUMENTS = String.raw`\b[^\r\n|;&]{0,120}?\s`;

const HINT =
  /mysql|mariadb|sshpass|login|mongo|curl|http|wget|aria2c|redis|valkey|ldap|smb|rpcclient|cifs|htpasswd|sqlcmd|bcp|osql|isql|net use|openssl|config|secret|pass|pwd|token|api-?key|access-?key|authorization|bearer|basic|x-|cookie|jdbc|@tcp|@unix|subscription-key/iu;

const SHAPES: readonly RegExp[] = [
  new RegExp(
    String.raw`(?<![\w.-])(?:mysql|mysqldump|mysqladmin|mysqlimport|mariadb)(?:-dump)?${ARGUMENTS}-p(?!ort|rotocol)([^\s'"-][^\s]{2,120})`,
    'gu',
  ),
  new RegExp(
    String.raw`(?<![\w.-])(?:sshpass|docker login|podman login|mongo|mongosh|mongodump|az login|helm registry login|cf login)${ARGUMENTS}(?:-p|--password)[ =]?["']?([^\s"']{3,120})`,
    'gu',
  ),
  new RegExp(
    String.raw`(?<![\w.-])(?:curl|http|https|wget|aria2c)${ARGUMENTS}(?:-u|--user|--proxy-user|-a|--auth)[ =]?["']?([^\s"':]{1,80}:[^\s"']{1,120})`,
    'gu',
  ),
  new RegExp(String.raw`(?<![\w.-])(?:redis-cli|valkey-cli)${ARGUMENTS}(?:-a|--pass) ?["']?([^\s"']{3,120})`, 'gu'),
  new RegExp(
    String.raw`(?<![\w.-])(?:ldapsearch|ldapmodify|ldapadd|ldapwhoami)${ARGUMENTS}-w ?["']?([^\s"']{3,120})`,
    'gu',
  ),
  new RegExp(
    String.raw`(?<![\w.-])(?:smbclient|rpcclient|smbmap|mount\.cifs)${ARGUMENTS}(?:-U ?["']?[^\s%"']{1,60}%|password=)([^\s"',]{2,120})`,
    'gu',
  ),
  new RegExp(String.raw`(?<![\w.-])(?:htpasswd)${ARGUMENTS}-\w*b\w* [^\s]{1,80} [^\s]{1,80} ([^\s]{2,120})`, 'gu'),
  new RegExp(String.raw`(?<![\w.-])(?:sqlcmd|bcp|osql|isql)${ARGUMENTS}-P ?["']?([^\s"']{3,120})`, 'gu'),
  new RegExp(String.raw`(?<![\w.-])(?:net use)${ARGUMENTS}\/user:[^\s]{1,80} ([^\s/]{3,120})`, 'giu'),
  new RegExp(String.raw`(?<![\w.-])(?:openssl)${ARGUMENTS}-pass(?:in|out)? pass:([^\s]{2,120})`, 'gu'),
  new RegExp(
    String.raw`(?<![\w.-])(?:aws configure set|git config|npm config set|pip config set|gh secret set|heroku config:set)${ARGUMENTS}\S{0,60}(?:secret|token|key|password)\S{0,40}[ =]["']?([^\s"']{6,200})`,
    'giu',
  ),
  /(?<![\w-])--?(?:password|passwd|pass|pwd|token|secret|api-?key|access-?key|auth-?token|client-secret|private-key|secret-?key|access-token|passphrase)[ =]{1,2}["']?([^\s"'-][^\s"']{2,400})/giu,
  /\bauthorization["']?\s{0,3}[:=]\s{0,3}["']?(?:(?:basic|bearer|token|digest|negotiate|ntlm|apikey|aws4-hmac-sha256)\s{1,3})?([^\s"',][^\r\n"']{3,2000})/giu,
  /\bbearer\s{1,3}(?!authentication|authorization)([\w+/.~-]{12,2000}={0,2})(?![\w+/.~-])/giu,
  /\bbasic\s{1,3}(?=[\w+/]*[\d=])([\w+/]{8,2000}={0,2})(?![\w+/.~-])/giu,
  /\b(?:x-api-key|x-auth-token|x-access-token|x-csrf-token|x-amz-security-token|proxy-authorization|api-key|ocp-apim-subscription-key)["']?\s{0,3}:\s{0,3}["']?([^\s"',]{4,2000})/giu,
  /(?<![\w-])(?:set-)?cookie["']?\s{0,2}:\s{0,3}["']?([\w.-]{1,80}=[^\r\n"']{1,2000})/giu,
  /\bjdbc:oracle:(?:thin|oci):([^\s/@]{1,60}\/[^\s@]{1,60})(?=@)/giu,
  /(?<![\w./:-])([\w.-]{1,60}:[^\s:@/]{2,60})(?=@(?:tcp|unix)\()/gu,
  /(?<!\w)machine \S{1,80} login \S{1,80} password (\S{1,120})/giu,
];
