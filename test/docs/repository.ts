/** The repository as its documents see it: tracked files and Markdown pages. */
import { execFileSync } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

export const ROOT = join(dirname(fileURLToPath(import.meta.url)), '..', '..');

/** Paths of all tracked files, with forward slashes; undefined where there is no Git to ask, as in an unpacked archive. */
export function trackedFiles(): readonly string[] | undefined {
  if (!existsSync(join(ROOT, '.git'))) return undefined;
  const listed = execFileSync('git', ['ls-files', '-z'], { cwd: ROOT, encoding: 'utf8', maxBuffer: 1 << 26 });
  return listed.split('\0').filter((path) => path !== '' && existsSync(join(ROOT, path)));
}

export const read = (path: string): string => readFileSync(join(ROOT, path), 'utf8');

export const exists = (path: string): boolean => existsSync(join(ROOT, path));

/** A file's text, or undefined when it is not text. */
export function readText(path: string): string | undefined {
  const bytes = readFileSync(join(ROOT, path));
  return bytes.includes(0) ? undefined : bytes.toString('utf8');
}

export interface Page {
  readonly path: string;
  readonly text: string;
  /** Without fenced blocks, which hold other languages. */
  readonly prose: string;
}

export function page(path: string): Page {
  const text = read(path);
  return { path, text, prose: text.replaceAll(FENCED, '') };
}

export interface Block {
  readonly language: string;
  readonly lines: readonly string[];
}

export function blocksOf({ text }: Page): readonly Block[] {
  return [...text.matchAll(FENCED)].map(([, language = '', body = '']) => ({ language, lines: body.split('\n') }));
}

/** What stands between single backticks, outside of fenced blocks. */
export function codeSpans({ prose }: Page): readonly string[] {
  return [...prose.matchAll(/`([^`\n]+)`/gu)].map(([, code = '']) => code);
}

const FENCED = /^```([a-z]*)[^\n`]*\n([\s\S]*?)^```$/gmu;
