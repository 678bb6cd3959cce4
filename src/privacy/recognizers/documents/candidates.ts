/** Finds where numbers of known forms could stand in a text: walks its groups of letters and digits along a tree of forms. */
import type { DocumentType } from './document.ts';

export interface Candidate {
  readonly start: number;
  readonly end: number;
  readonly isGrouped: boolean;
  readonly documents: readonly DocumentType[];
}

/** A tree over what a form says next: separator and length of a group. */
interface Node {
  readonly next: Map<number, Node>;
  readonly documents: DocumentType[];
}

export interface FormTree {
  readonly root: Node;
}

export function createFormTree(documents: readonly DocumentType[]): FormTree {
  const root: Node = { next: new Map(), documents: [] };
  for (const document of documents) {
    for (const form of document.forms) {
      for (const written of form.includes('_')
        ? [' ', '-', '.', '_'].map((mark) => form.replaceAll('_', mark))
        : [form]) {
        add(root, written.replaceAll('~', ' '), document);
      }
    }
  }
  return { root };
}

function add(root: Node, form: string, document: DocumentType): void {
  let node = root;
  for (const [, separator = '', length = ''] of form.matchAll(/(^|\D)(\d+)/gu)) {
    const key = keyOf(separator === '' ? 0 : separator.charCodeAt(0), Number(length));
    let next = node.next.get(key);
    if (next === undefined) {
      next = { next: new Map(), documents: [] };
      node.next.set(key, next);
    }
    node = next;
  }
  if (!node.documents.includes(document)) node.documents.push(document);
}

const MAX_GROUP = 40;
const keyOf = (separator: number, length: number): number => separator * (MAX_GROUP + 1) + length;

/** All candidates in order of their start; the longest of one start first. Holds a digit, ends where its groups end. */
export function* candidatesIn(text: string, { root }: FormTree): Generator<Candidate> {
  const groups = groupsOf(text);
  for (const [first, group] of groups.entries()) {
    let node = root.next.get(keyOf(0, group.end - group.start));
    if (node === undefined || !startsOne(text, groups, first)) continue;
    const found: Candidate[] = [];
    let digits = group.hasDigit;
    for (let last = first; node !== undefined;) {
      const here = groups[last];
      if (here === undefined) break;
      if (node.documents.length > 0 && digits && endsOne(text, groups, last)) {
        found.push({ start: group.start, end: here.end, isGrouped: last > first, documents: node.documents });
      }
      last += 1;
      const next = groups[last];
      if (next === undefined || next.start !== here.end + 1) break;
      digits ||= next.hasDigit;
      node = node.next.get(keyOf(text.charCodeAt(here.end), next.end - next.start));
    }
    yield* found.reverse();
  }
}

interface Group {
  readonly start: number;
  readonly end: number;
  readonly hasDigit: boolean;
  /** A group inside another: what follows a word that is glued to it (`is030594`). */
  readonly isGlued: boolean;
}

function groupsOf(text: string): Group[] {
  const groups: Group[] = [];
  for (const { 0: run, index } of text.matchAll(GROUP)) {
    if (run.length <= MAX_GROUP) {
      groups.push({ start: index, end: index + run.length, hasDigit: DIGIT.test(run), isGlued: false });
    }
    // Letters of other scripts stand beside digits without a space; so do words that somebody forgot to part.
    const glued = run.length >= MIN_GLUED && run.length <= MAX_GLUED ? GLUED.exec(run)?.[0].length : undefined;
    if (glued !== undefined) {
      groups.push({ start: index + glued, end: index + run.length, hasDigit: true, isGlued: true });
    }
  }
  return groups;
}

// Mexico's numbers have an Ñ.
const GROUP = /[A-Za-z0-9Ññ]+/gu;
const DIGIT = /\d/u;
const GLUED = /^[a-z]{2,}(?=\d{6})/u;
const MIN_GLUED = 8;
const MAX_GLUED = 60;

/** Not in the middle of a longer number: `11-22-33` is not in `00-11-22-33`. */
function startsOne(text: string, groups: readonly Group[], first: number): boolean {
  const group = groups[first];
  if (group === undefined) return false;
  if (group.isGlued) return true;
  const before = text[group.start - 1];
  if (before === undefined || !JOINS.test(before)) return before === undefined || !LATIN.test(before);
  const previous = groups[first - 1];
  return previous === undefined || previous.end !== group.start - 1 || !previous.hasDigit;
}

function endsOne(text: string, groups: readonly Group[], last: number): boolean {
  const group = groups[last];
  const after = group === undefined ? undefined : text[group.end];
  if (group === undefined || after === undefined) return true;
  if (!JOINS.test(after)) return !LATIN.test(after);
  // A glued group follows the one that holds it.
  const next = groups[last + 1]?.isGlued === true ? groups[last + 2] : groups[last + 1];
  return next === undefined || next.start !== group.end + 1 || !next.hasDigit;
}

const JOINS = /[-./_+,]/u;
// Accented letters go on with a word; Han, Hangul, Thai and others stand beside numbers as spaces do.
const LATIN = /[\p{Script=Latin}\p{Script=Cyrillic}\p{Script=Greek}]/u;
