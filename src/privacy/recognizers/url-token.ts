import type { Recognizer, Span } from './span.ts';
import type { TextView } from './view.ts';

/** Values in a URL's query or fragment that let somebody in: tokens, signatures, tickets, codes. */
export const recognizer: Recognizer = { kinds: ['secret'], find };

function find({ text }: TextView): Span[] {
  if (!text.includes('/') && !/[?&#;]/u.test(text)) return [];
  return [...parameters(text), ...paths(text)];
}

/** Parts of a path that let in who has the address: invitations, meetings, shared files. */
const PATHS =
  /\/(?:(?:invite|invitation|join|reset|reset-password|password-reset|magic|magic-link|verify|activate|confirm|unsubscribe|signup|share|shared|s|d|file|folders|shares?)\/(?=[\w-]{0,60}\d)([\w-]{12,120})(?![\w.-])|\/(?:[\w-]{1,20}\.)?(?:zoom\.us\/(?:j|w|my|s)|meet\.google\.com|teams\.microsoft\.com\/l\/meetup-join|meet\.jit\.si|whereby\.com|webex\.com\/meet|chat\.whatsapp\.com|dropbox\.com\/(?:s|sh|scl\/fi)|wetransfer\.com\/downloads|1drv\.ms\/[a-z])\/([\w%.-]{6,120}))/giu;

const paths = (text: string): Span[] =>
  [...text.matchAll(PATHS)].flatMap(({ 0: all, 1: token, 2: room, index }) => {
    const value = token ?? room ?? '';
    const end = index + all.length;
    // Words joined by dashes are a title, no token.
    if (room === undefined && (/(?:^|-)[a-z]{4,}(?:-|$)/u.test(value) || !/\d\p{L}|\p{L}\d/u.test(value))) return [];
    return [{ start: end - value.length, end, kind: 'secret', score: 0.5, checked: 'url_path' } as const];
  });

function parameters(text: string): Span[] {
  return [...text.matchAll(PARAMETER)].flatMap(({ 0: all, 1: sure, 2: value = '', index }) => {
    // `code`, `key` and such also name harmless things: their values must be long.
    if (sure === undefined && (value.length < 12 || !/\d/u.test(value))) return [];
    const end = index + all.length;
    return [
      {
        start: end - value.length,
        end,
        kind: 'secret',
        score: sure === undefined ? 0.6 : 0.8,
        checked: 'url_token',
      } as const,
    ];
  });
}

const PARAMETER =
  /[?&#;](?:((?:[a-z]{1,16}[-_.])?(?:access_?token|id_?token|refresh_?token|auth_?token|token|api_?key|apikey|secret|client_?secret|password|passwd|pwd|pw|pass|signature|sig|x-amz-(?:signature|credential|security-token)|x-goog-(?:signature|credential)|jwt|sso|saml(?:request|response)|ticket|otp|session_?id|session|sessionid|phpsessid|jsessionid|sid|auth|authorization|bearer|invite_?token|reset_?token|confirmation_token|magic|nonce|code_verifier))|(?:key|code|state|hash|h|k|t|s|id|uid|invite|reset|confirm|verify))=([^&#\s"'<>;]{4,2000})/giu;
