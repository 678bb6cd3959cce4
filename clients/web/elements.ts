/** Role, name and place of the elements that events act on. */
import type { Seen } from './batch.ts';
import { attribute, editorOf, hides, isElement, parentOf } from './privacy.ts';

/** Characters of a name. */
const MAX_NAME = 256;
/** Characters of what was entered: more is not taken. */
export const MAX_TEXT = 4_096;
/** Nodes that are looked at for one text: a name is near, and a page may be large. */
const MAX_NODES = 500;

/** Roles of elements, and of inputs by their type, that are not called like them. */
const ROLES: Readonly<Record<string, string | null>> = {
  // What is called `constructor` has no role either.
  __proto__: null,
  a: 'link',
  submit: 'button',
  file: 'button',
  textarea: 'textbox',
  select: 'combobox',
};
const SAME_ROLES = /^(?:button|checkbox|radio|option|img)$/u;
/** Roles that are named by what is in them: https://www.w3.org/TR/wai-aria-1.2/#namefromcontent */
const NAMED_BY_CONTENT = /^(?:button|link|heading|option|tab|switch|menuitem|treeitem|.*cell|.*header)/u;
/** What holds something that was entered, or no text at all. */
const NO_TEXT = /^(?:input|textarea|select|script|style)$/u;

/** The element that the node belongs to: itself, or the nearest around it that has a role; in an editor, the editor. */
export function actedOn(node: Node | null): Element | undefined {
  let first: Element | undefined;
  for (let at: Node | null | undefined = node; at; at = parentOf(at)) {
    if (!isElement(at)) continue;
    // Of what is in an editor, also where it is fixed there, role and name are as much the person's as its text.
    const editor = editorOf(at);
    if (editor) return editor;
    first ??= at;
    if (roleOf(at) && !isEdited(at)) return at;
  }
  return first;
}

/** @param offset from the window's coordinates to the screen's, in CSS pixels. */
export function describe(element: Element, [x = 0, y = 0]: readonly number[]): Seen {
  const { x: left, y: top, width, height } = element.getBoundingClientRect();
  const role = roleOf(element);
  return {
    role,
    name: nameOf(element, role),
    bounds: [left + x, top + y, width, height].map(pixel),
  };
}

function roleOf(element: Element): string {
  const role = attribute(element, 'role').toLowerCase().slice(0, 32);
  const isInput = element.localName === 'input';
  const name = isInput ? (element as HTMLInputElement).type : element.localName;
  if (role || SAME_ROLES.test(name)) return role || name;
  if (/^h[1-6]$/u.test(name)) return 'heading';
  return ROLES[name] ?? (isInput || isEdited(element) ? 'textbox' : '');
}

/** Whether it is an editor or in one, also in one around its shadow root. */
const isEdited = (element: Element): unknown => editorOf(element) ?? (element as HTMLElement).isContentEditable;

/**
 * A simple form of https://www.w3.org/TR/accname-1.2/: `aria-labelledby`, `aria-label`, labels, `alt`, a button's `value`, and
 * content where the role is named by it. Nothing of private elements goes into it.
 */
function nameOf(element: Element, role: string): string {
  // A document or shadow root; an element that is in neither has no others to be named by.
  const root = element.getRootNode() as Partial<Document>;
  const ids = attribute(element, 'aria-labelledby').split(/\s+/u);
  const textsOf = (elements: Iterable<Element | null | undefined>): string =>
    [...elements].map((each) => (each ? textOf(each) : '')).join(' ');
  const name = [
    textsOf(ids.map((id) => root.getElementById?.(id))),
    attribute(element, 'aria-label'),
    // Inputs and the like have it.
    textsOf((element as Partial<HTMLInputElement>).labels ?? []),
    attribute(element, 'alt'),
    role === 'button' ? attribute(element, 'value') : '',
    NAMED_BY_CONTENT.test(role) ? textOf(element) : '',
  ].find((each) => each.trim());
  return (name ?? '').slice(0, MAX_TEXT).trim().replaceAll(/\s+/gu, ' ').slice(0, MAX_NAME);
}

/** Text in the element, but for private parts and, unless it is `whole`, for what can be edited and what is far. */
function textOf(element: Element, whole?: boolean): string {
  let text = '';
  let nodes = 0;
  const visit = (node: Node): void => {
    if (text.length > MAX_TEXT || (!whole && nodes++ >= MAX_NODES)) return;
    if (node.nodeType === 3) text += node.nodeValue ?? '';
    if (isElement(node) && !NO_TEXT.test(node.localName) && !hides(node) && (whole || !isEdited(node))) {
      node.childNodes.forEach(visit);
    }
  };
  visit(element);
  return text;
}

/** What a field holds, which may be longer than `MAX_TEXT`; undefined for what is none. */
export function valueOf(element: Element): string | undefined {
  if (editorOf(element) === element) return textOf(element, true);
  // Of other elements these are undefined, or no text.
  const { type, value, checked } = element as Partial<HTMLInputElement>;
  if (typeof value !== 'string' || element.localName.includes('-')) return undefined;
  if (type === 'checkbox' || type === 'radio') return String(checked);
  return type === 'file' ? '' : value;
}

/** A whole number of 32 bits. */
export const pixel = (value: number): number => Math.round(value) | 0;
