import { readdir, readFile } from 'node:fs/promises';
import { extname, join } from 'node:path';

/** A file that is served as it is, to anybody: it holds nothing of a person, and asks the API for all it shows. */
export interface Page {
  /** As the browser asks for it. */
  readonly path: string;
  /** Media type. */
  readonly type: string;
  readonly bytes: Uint8Array;
  /** Another page, relative to this one, to go to instead. */
  readonly location?: string;
}

/** What a page may load: files of this server, and nothing inline. */
export const PAGE_HEADERS: Readonly<Record<string, string>> = {
  'content-security-policy': [
    "default-src 'none'",
    "script-src 'self'",
    "style-src 'self'",
    "img-src 'self'",
    "connect-src 'self'",
    "base-uri 'none'",
    "form-action 'none'",
    "frame-ancestors 'none'",
    // No text becomes markup, whatever a script does with it.
    "require-trusted-types-for 'script'",
    "trusted-types 'none'",
  ].join('; '),
};

const TYPES: Readonly<Record<string, string>> = {
  '.html': 'text/html; charset=utf-8',
  '.js': 'text/javascript; charset=utf-8',
  '.css': 'text/css; charset=utf-8',
  '.svg': 'image/svg+xml',
  '.json': 'application/json; charset=utf-8',
};

/**
 * The files of a folder as pages below `at`, such as `/me`; `index.html` is served at `at` itself. Files of other kinds
 * are left out.
 */
export async function pagesIn(folder: string, at: string): Promise<readonly Page[]> {
  const pages: Page[] = [];
  for (const name of (await readdir(folder)).sort()) {
    const type = TYPES[extname(name)];
    if (type === undefined) continue;
    const path = name === 'index.html' ? at : `${at}/${name}`;
    pages.push({ path, type, bytes: await readFile(join(folder, name)) });
  }
  return pages;
}

/** A page that leads to another one: `to` is relative, so that it holds behind a proxy's path as well. */
export const redirect = (path: string, to: string): Page => ({
  path,
  type: 'text/plain; charset=utf-8',
  bytes: new Uint8Array(),
  location: to,
});
