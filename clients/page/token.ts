/** The device token, in this tab only: sessionStorage ends with it. */
const KEY = 'redactory-token';
/** What the gateway takes as one. */
const TOKEN = /^[!-~]{1,256}$/u;

export const savedToken = (): string | null => sessionStorage.getItem(KEY);
export const forgetToken = (): void => sessionStorage.removeItem(KEY);

/** Keeps a token; false when it cannot be one. */
export function saveToken(text: string): boolean {
  const token = text.trim();
  if (!TOKEN.test(token)) return false;
  sessionStorage.setItem(KEY, token);
  return true;
}

/** What of a token may be shown: what an operator's list has too, and never its secret. */
export const nameOf = (token: string): string => `${/^rdt_[0-9a-f]{16}_/u.exec(token)?.[0] ?? ''}…`;

/** Takes `#token=...` out of the address, where it would stay in the history and in bookmarks; null where it names none. */
export function takeTokenFromAddress(): string | null {
  const match = /^#token=(.*)$/u.exec(location.hash);
  if (match === null) return null;
  history.replaceState(null, '', location.pathname + location.search);
  try {
    const token = decodeURIComponent(match[1] ?? '').trim();
    return TOKEN.test(token) ? token : null;
  } catch {
    return null;
  }
}
