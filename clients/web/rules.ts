import type { Page } from './batch.ts';

/** `record` of a grant. */
export interface Recordable {
  readonly excludeApps: readonly string[];
  readonly excludeHosts: readonly string[];
  readonly excludeTitles: readonly string[];
  readonly kinds: readonly string[];
}

/** Whether events may be recorded on a page. */
export type Rules = (page: Page) => boolean;

/** Between what means something by itself, as `splitSegments` of src/privacy/text.ts has it. */
const SEPARATOR = /\s[-‐-―−|¦·•‣⁃∙●○⋅›»→>:]+\s/u;
/** Words that may follow an app's name: its version, a count of windows, the ending of its file. */
const AFTER_NAME = /(?<=\p{L})(?: v| \p{N}+| exe| app| desktop| bin| appimage)+ $/u;
/** Words that stand without spaces: numbers, and each sign of Han, kana, Thai, Lao, Khmer, Burmese. */
const UNSPACED = /\p{N}+|[\p{sc=Han}\p{sc=Hira}\p{sc=Kana}\p{sc=Thai}\p{sc=Laoo}\p{sc=Khmr}\p{sc=Mymr}]/gu;

/** What a grant lets be recorded. What is sent all the same is dropped by the processors: here it is not even kept. */
export function createRules({ excludeApps, excludeHosts, excludeTitles }: Recordable): Rules {
  const apps = new Set(excludeApps.map(nameOf));
  const titles = excludeTitles.map(words);

  function isPage({ title, url }: Page): boolean {
    const { hostname } = new URL(url);
    const entitled = words(title);
    const host = `.${hostname.replace(/\.+$/u, '')}`;
    return (
      // What is no web page (a local file, an extension) is not recorded; a host stands for its subdomains too.
      /^https?:/u.test(url) &&
      !excludeHosts.some((each) => host.endsWith(`.${each}`)) &&
      !titles.some((phrase) => entitled.includes(phrase)) &&
      // Web apps show their names as a part of the title.
      !title.split(SEPARATOR).some((name) => apps.has(nameOf(name)))
    );
  }

  /** The page that was last judged: it is mostly the same one. */
  let last: string;
  let isAllowed: boolean;
  return (page) => {
    // A title has no line break.
    const id = `${page.title}\n${page.url}`;
    if (last !== id) {
      isAllowed = isPage(page);
      last = id;
    }
    return isAllowed;
  };
}

const nameOf = (app: string): string => words(app).replace(AFTER_NAME, ' ');

/** Lower case, without accents, a space around each word, so that a phrase is found as whole words: as `tokens` has them. */
function words(text: string): string {
  const plain = text
    .normalize('NFKD')
    .replaceAll(/\p{M}+/gu, '')
    .toLowerCase()
    .replaceAll(UNSPACED, ' $& ');
  return ` ${plain.replaceAll(/[^\p{L}\p{N}]+/gu, ' ').trim()} `;
}
