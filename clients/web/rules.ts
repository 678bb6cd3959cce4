import { KINDS, type Page } from './batch.ts';

/** `record` of a grant. */
export interface Recordable {
  readonly excludeApps: readonly string[];
  readonly excludeHosts: readonly string[];
  readonly excludeTitles: readonly string[];
  readonly kinds: readonly string[];
}

/** Whether events of a kind may be recorded on a page. */
export type Rules = (kind: number, page: Page) => boolean;

/** What a grant lets be recorded. What is sent all the same is dropped by the processors: here it is not even kept. */
export function createRules({ excludeApps, excludeHosts, excludeTitles, kinds }: Recordable): Rules {
  const apps = new Set(excludeApps.map(words));
  const titles = excludeTitles.map(words);

  function isPage({ title, url }: Page): boolean {
    const { hostname } = new URL(url);
    // What is no web page (a local file, an extension) is not recorded; a host stands for its subdomains too.
    const labels = hostname.replace(/\.+$/u, '').split('.');
    return (
      /^https?:/u.test(url) &&
      !labels.some((_, index) => excludeHosts.includes(labels.slice(index).join('.'))) &&
      !titles.some((phrase) => words(title).includes(phrase)) &&
      // Web apps show their names as a part of the title.
      !title.split(/\s[-–—|·•:]\s/u).some((name) => apps.has(words(name)))
    );
  }

  /** The page that was last judged: it is mostly the same one. */
  let last: Page | null = null;
  let isAllowed = false;
  return (kind, page) => {
    if (last !== page) {
      isAllowed = isPage(page);
      last = page;
    }
    return isAllowed && kinds.includes(KINDS[kind] ?? '');
  };
}

/** Lower case, without accents, a space around each word, so that a phrase is found as whole words. */
function words(text: string): string {
  const plain = text
    .normalize('NFKD')
    .replaceAll(/\p{M}+/gu, '')
    .toLowerCase();
  return ` ${plain.replaceAll(/[^\p{L}\p{N}]+/gu, ' ').trim()} `;
}
