import type { Recognizer, Span } from './span.ts';
import type { TextView } from './view.ts';

/** Values in a URL's query or fragment that let somebody in: tokens, signatures, tickets, codes. */
export const recognizer: Recognizer = { kinds: ['secret'], find };

function find({ text }: TextView): Span[] {
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
  /[?&#;](?:((?:[a-z]{1,16}[-_.])?(?:access_?token|id_?token|refresh_?token|auth_?token|token|api_?key|apikey|secret|client_?secret|password|passwd|pwd|signature|sig|x-amz-(?:signature|credential|security-token)|x-goog-(?:signature|credential)|jwt|sso|saml(?:request|response)|ticket|otp|session_?id|session|sessionid|phpsessid|jsessionid|sid|auth|authorization|bearer|invite_?token|reset_?token|confirmation_token|magic|nonce|code_verifier))|(?:key|code|state|hash|h|k|t|s|id|uid|invite|reset|confirm|verify))=([^&#\s"'<>;]{4,2000})/giu;
