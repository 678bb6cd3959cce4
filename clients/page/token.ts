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

/** Takes `#token=...` out of the address, where it would stay in the history and in bookmarks; whether there was one. */
export function takeTokenFromAddress(): boolean {
  const match = /^#token=(.*)$/u.exec(location.hash);
  if (match === null) return false;
  history.replaceState(null, '', location.pathname + location.search);
  try {
    return saveToken(decodeURIComponent(match[1] ?? ''));
  } catch {
    return false;
  }
}
