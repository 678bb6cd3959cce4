/** Role, name and place of the elements that events act on. */
import type { UiElement } from '../../src/events/raw.ts';
import { isElement, parentOf, type Privacy } from './privacy.ts';

/** Characters of a name. */
const MAX_NAME = 256;
/** Characters of what was entered; more is cut off. */
export const MAX_TEXT = 8_192;
/** Nodes that are looked at for one text: a name is near, and a page may be large. */
const MAX_NODES = 500;
/** Elements between what was hit and what it belongs to, such as an icon's parts in a button. */
const MAX_LEVELS = 8;

const ROLES: Readonly<Record<string, string>> = {
  button: 'button',
  summary: 'button',
  textarea: 'textbox',
  option: 'option',
  img: 'img',
  h1: 'heading',
  h2: 'heading',
  h3: 'heading',
  h4: 'heading',
  h5: 'heading',
  h6: 'heading',
  li: 'listitem',
  td: 'cell',
  th: 'columnheader',
};
const INPUT_ROLES: Readonly<Record<string, string>> = {
  button: 'button',
  submit: 'button',
  reset: 'button',
  image: 'button',
  checkbox: 'checkbox',
  radio: 'radio',
  range: 'slider',
  number: 'spinbutton',
  search: 'searchbox',
  file: 'button',
};
/** Roles that are named by what is in them: https://www.w3.org/TR/wai-aria-1.2/#namefromcontent */
const NAMED_BY_CONTENT =
  /^(?:button|link|heading|option|tab|cell|columnheader|rowheader|gridcell|checkbox|radio|switch|menuitem.*|treeitem|tooltip)$/u;
/** What holds something that was entered, or no text at all. */
const NO_TEXT = /^(?:input|textarea|select|script|style|noscript|template)$/u;

/** From the window's coordinates to the screen's, in CSS pixels. */
export interface Offset {
  readonly x: number;
  readonly y: number;
}

/** The element that the node belongs to: itself, or the nearest around it that has a role. */
export function actedOn(node: Node | null): Element | null {
  let first: Element | null = null;
  let at = node;
  for (let level = 0; at !== null && level < MAX_LEVELS; level++, at = parentOf(at)) {
    if (!isElement(at)) continue;
    first ??= at;
    if (roleOf(at) !== '') return at;
  }
  return first;
}

/** Without its value, which nothing is released of. */
export function describe(element: Element, offset: Offset, privacy: Privacy): UiElement {
  const { left, top, width, height } = element.getBoundingClientRect();
  const [x, y] = [pixel(left + offset.x), pixel(top + offset.y)];
  const role = roleOf(element);
  return {
    role,
    name: nameOf(element, role, privacy),
    value: '',
    secure: false,
    bounds: { x, y, width: pixel(width), height: pixel(height) },
  };
}

function roleOf(element: Element): string {
  const [given = ''] = (element.getAttribute('role') ?? '').trim().toLowerCase().split(/\s+/u);
  if (given !== '') return given.slice(0, 64);
  const name = element.localName;
  if (name === 'a' || name === 'area') return element.hasAttribute('href') ? 'link' : '';
  if (name === 'input') {
    const role = INPUT_ROLES[(element.getAttribute('type') ?? '').toLowerCase()] ?? 'textbox';
    return role === 'textbox' && element.hasAttribute('list') ? 'combobox' : role;
  }
  if (name === 'select') return element.hasAttribute('multiple') ? 'listbox' : 'combobox';
  return ROLES[name] ?? (isEditable(element) ? 'textbox' : '');
}

/** Whether the element itself says that it can be edited. */
export function isEditable(element: Element): boolean {
  const editable = element.getAttribute('contenteditable');
  return editable !== null && editable.toLowerCase() !== 'false';
}

/**
 * A simple form of https://www.w3.org/TR/accname-1.2/: `aria-labelledby`, `aria-label`, labels, `alt`, a button's text,
 * content where the role is named by it, `title`, `placeholder`. Nothing of private elements goes into it.
 */
function nameOf(element: Element, role: string, privacy: Privacy): string {
  const root = element.getRootNode();
  const attribute = (name: string) => element.getAttribute(name) ?? '';
  const texts = (elements: Iterable<Element | null>) =>
    [...elements]
      .map((each) => (each === null || privacy.hides(each) ? '' : textOf(each, privacy, MAX_NAME)))
      .join(' ');
  const sources = [
    () =>
      'getElementById' in root
        ? texts(
            attribute('aria-labelledby')
              .split(/\s+/u)
              .map((id) => (root as Document | ShadowRoot).getElementById(id)), // who have it
          )
        : '',
    () => attribute('aria-label'),
    () => ('labels' in element ? texts((element as HTMLInputElement).labels ?? []) : ''), // all that have it, are alike
    () => attribute('alt'),
    () => (role === 'button' && element.localName === 'input' ? attribute('value') : ''),
    () => (NAMED_BY_CONTENT.test(role) ? textOf(element, privacy, MAX_NAME) : ''),
    () => attribute('title'),
    () => attribute('placeholder'),
  ];
  for (const source of sources) {
    const name = source().trim().replaceAll(/\s+/gu, ' ').slice(0, MAX_NAME);
    if (name !== '') return name;
  }
  return '';
}

/** Text in the element, up to `max` characters, but for private parts and, unless it is `whole`, for what can be edited. */
export function textOf(element: Element, privacy: Privacy, max: number, whole = false): string {
  let text = '';
  let nodes = 0;
  const visit = (node: Node): void => {
    for (const child of node.childNodes) {
      if (text.length >= max || nodes++ >= MAX_NODES) return;
      if (child.nodeType === 3) text += child.nodeValue ?? '';
      else if (isElement(child) && isShown(child)) visit(child);
    }
  };
  const isShown = (child: Element): boolean =>
    !NO_TEXT.test(child.localName) && !privacy.hides(child) && (whole || !isEditable(child));
  if (whole || !isEditable(element)) visit(element);
  return text.slice(0, max);
}

/** What a field holds; undefined for what is none, or whose value says nothing. */
export function valueOf(element: Element, privacy: Privacy): string | undefined {
  const { localName } = element;
  if (localName === 'input' || localName === 'textarea' || localName === 'select') {
    // One of the three, which have these.
    const { type, value, checked } = element as HTMLInputElement;
    if (type === 'checkbox' || type === 'radio') return String(checked);
    return type === 'file' ? '' : value.slice(0, MAX_TEXT);
  }
  return isEditable(element) ? textOf(element, privacy, MAX_TEXT, true) : undefined;
}

/** A whole number of 32 bits. */
export const pixel = (value: number): number =>
  Math.max(-0x80000000, Math.min(0x7fffffff, Math.round(Number.isFinite(value) ? value : 0)));
