/** What a grant lets be recorded. What is sent all the same is dropped by the processors: here it is not even kept. */

/** `record` of a grant. */
export interface Recordable {
  readonly excludeApps: readonly string[];
  readonly excludeHosts: readonly string[];
  readonly excludeTitles: readonly string[];
  readonly kinds: readonly string[];
}

export interface Rules {
  readonly kinds: ReadonlySet<string>;
  /** Whether nothing that happens on a page may be recorded. */
  excludes(page: { readonly app: string; readonly title: string; readonly url: string }): boolean;
}

export function createRules({ excludeApps, excludeHosts, excludeTitles, kinds }: Recordable): Rules {
  const apps = new Set(excludeApps.map(words));
  const hosts = new Set(excludeHosts);
  const titles = excludeTitles.map(words);
  return {
    kinds: new Set(kinds),
    excludes({ app, title, url }) {
      const shown = words(title);
      return (
        isExcludedUrl(url, hosts) ||
        titles.some((phrase) => shown.includes(phrase)) ||
        // Web apps show their names as a part of the title.
        [app, ...title.split(/\s[-–—|·•:]\s/u)].some((name) => apps.has(words(name)))
      );
    },
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

/** A host stands for its subdomains too. What is no web page (a local file, an extension) is not recorded. */
function isExcludedUrl(url: string, hosts: ReadonlySet<string>): boolean {
  const { protocol, hostname } = new URL(url);
  if (!/^https?:$/u.test(protocol)) return true;
  const labels = hostname.replace(/\.+$/u, '').split('.');
  return labels.some((_, index) => hosts.has(labels.slice(index).join('.')));
}
