/** Which places are not recorded at all. Pure and browser-safe. */
import type { Context } from '../events/raw.ts';
import type { Policy } from './policy.ts';
import { MAX_TEXT, MAX_URL } from './public-text.ts';
import { foldAccents, normaliseSegment, splitSegments, tokens } from './text.ts';
import { createWordRuns } from './word-runs.ts';

/** Whether a context is one that the policy keeps out of every record: `true` means that its events are dropped. */
export type ContextRule = (context: Context) => boolean;

/**
 * The rule of a policy. A context is excluded when it is a private window, when its app is listed (or a segment of its
 * title is a listed app's name, as web apps show it), when words of its title are listed, when its host or a domain
 * above it is listed, and when its URL cannot be understood, or a text of it is longer than anybody's: fail closed.
 * Takes time linear in the length of the texts.
 */
export function createContextRule(policy: Pick<Policy, 'contexts'>): ContextRule {
  const { excludeApps, excludeHosts, excludeTitles } = policy.contexts;
  const apps = new Set(excludeApps.map(comparable));
  const hosts = new Set(excludeHosts);
  const titles = createWordRuns(
    excludeTitles.map((title, index) => [tokens(foldAccents(normaliseSegment(title))), index] as const),
  );

  const isListedApp = (name: string): boolean => appNames(name).some((candidate) => apps.has(candidate));
  const isListedTitle = (title: string): boolean =>
    titles.findIn(tokens(foldAccents(normaliseSegment(title)))).size > 0;
  return ({ app, title, url, private: isPrivate }) =>
    isPrivate ||
    app.length > MAX_TEXT ||
    title.length > MAX_TEXT ||
    url.length > MAX_URL ||
    isListedApp(app) ||
    splitSegments(title).some(isListedApp) ||
    isListedTitle(title) ||
    isExcludedUrl(url, hosts);
}

const comparable = (name: string): string => foldAccents(normaliseSegment(name));

/**
 * What an app's name may stand for: recorders give process names, paths, bundle names, and names with a version or a
 * count of windows behind (`C:\Apps\Slack.exe`, `1Password 7`, `Slack (2)`, `Microsoft Teams - Chat`).
 */
function appNames(name: string): string[] {
  const names: string[] = [];
  for (const part of new Set([name, ...splitSegments(name)])) {
    const base = comparable(part.split(/[/\\]/u).at(-1) ?? '').replace(/\.(?:exe|app|desktop|bin|appimage)$/u, '');
    names.push(comparable(part), base, base.replace(VERSION, ''));
  }
  return names;
}

// Begins where nothing before could belong to it as well, or every character of a long run would be tried as its beginning.
const VERSION = /(?<![\s_-])[\s_-]*[([]?v?(?<!\{n\}\.)\{n\}(?:\.\{n\})*[)\]]?$/u;

/** A nested address (`view-source:`, `blob:`) is unwrapped so many times; deeper ones are not understood. */
const MAX_WRAPS = 3;
/** Marks and half-width voicing signs that are not encoded; no address has so many. */
const MAX_URL_MARKS = 512;
const NO_MARK = /[^\p{M}\uFF9E\uFF9F]+/gu;

/**
 * Whether a URL must not be recorded. Hosts are read with the URL parser that browsers use, so that user info, ports,
 * upper case, full-width letters, encoded letters, backslashes and trailing dots cannot hide one.
 */
function isExcludedUrl(url: string, hosts: ReadonlySet<string>): boolean {
  let address = url.trim();
  if (address === '') return false;
  // The parser sorts the marks of a host, in time quadratic in their number.
  if (address.replace(NO_MARK, '').length > MAX_URL_MARKS) return true;
  for (let wraps = 0; wraps <= MAX_WRAPS; wraps++) {
    const inner = /^(?:view-source|blob|filesystem):/iu.exec(address);
    if (inner === null) return isExcludedAddress(address, hosts);
    address = address.slice(inner[0].length);
  }
  return true;
}

function isExcludedAddress(address: string, hosts: ReadonlySet<string>): boolean {
  const parsed = parseUrl(withScheme(address));
  if (parsed === undefined) return true;
  switch (parsed.protocol) {
    case 'http:':
    case 'https:':
      return isListedHost(parsed.hostname, hosts);
    case 'file:':
      // A local document, like any that is open in another app; its path is never released.
      return false;
    case 'about:':
    case 'chrome:':
    case 'edge:':
    case 'brave:':
      return !isPlainBrowserPage(parsed);
    default:
      // Extensions (password managers live there), data, scripts, mail and telephone links, schemes of unknown apps.
      return true;
  }
}

/** Address bars leave the scheme out, and recorders copy them. */
function withScheme(address: string): string {
  if (address.startsWith('//')) return `https:${address}`;
  const hasScheme =
    /^[a-z][a-z0-9+.-]*:/iu.test(address) &&
    !/^(?:localhost|[a-z0-9-]+(?:\.[a-z0-9-]+)+):\d{1,5}(?:[/?#]|$)/iu.test(address);
  return hasScheme ? address : `https://${address}`;
}

function parseUrl(address: string): URL | undefined {
  // Not URL.canParse: browsers have it since 2023 only.
  try {
    return new URL(address);
  } catch {
    return undefined;
  }
}

/** No name in the DNS is longer (RFC 1035), but for the dot that may end it. */
const MAX_HOST = 254;

function isListedHost(hostname: string, hosts: ReadonlySet<string>): boolean {
  if (hostname.length > MAX_HOST) return true;
  const host = hostname.replace(/\.+$/u, '');
  if (host === '') return true;
  for (let domain = host; ;) {
    if (hosts.has(domain)) return true;
    const dot = domain.indexOf('.');
    if (dot === -1) return false;
    domain = domain.slice(dot + 1);
  }
}

/** A browser's own pages hold saved passwords, cards and history: only these few have nothing of the person in them. */
const PLAIN_BROWSER_PAGES = new Set([
  'blank',
  'newtab',
  'new-tab-page',
  'startpage',
  'home',
  'welcome',
  'settings',
  'extensions',
  'version',
]);

function isPlainBrowserPage({ protocol, hostname, pathname }: URL): boolean {
  if (protocol === 'about:') return PLAIN_BROWSER_PAGES.has(pathname);
  return PLAIN_BROWSER_PAGES.has(hostname) && (pathname === '' || pathname === '/');
}
