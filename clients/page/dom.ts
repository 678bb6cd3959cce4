/** The page's elements. Whatever is shown goes in as text: nothing here makes markup of a string. */
import { pieces, type Words } from './words/index.ts';

type Child = Node | string;

/** A new element with text and elements in it. */
export function make<K extends keyof HTMLElementTagNameMap>(
  tag: K,
  { className = '', id = '' }: { readonly className?: string; readonly id?: string } = {},
  ...children: readonly Child[]
): HTMLElementTagNameMap[K] {
  const element = document.createElement(tag);
  if (className !== '') element.className = className;
  if (id !== '') element.id = id;
  element.append(...children);
  return element;
}

/** @throws when index.html has no such element: the two belong together. */
export function byId<T extends HTMLElement>(id: string, kind: new () => T): T {
  const element = document.getElementById(id);
  if (!(element instanceof kind)) throw new Error(`index.html lacks #${id}`);
  return element;
}

export const html = (id: string): HTMLElement => byId(id, HTMLElement);
export const button = (id: string): HTMLButtonElement => byId(id, HTMLButtonElement);

/** Sets a text only when it is another: a live region tells what is set, even if it is the same. */
export function say(element: HTMLElement, text: string): void {
  if (element.textContent !== text) element.textContent = text;
}

/** A text with its placeholders as marks; adds those that it has to `seen`. */
export function marked(text: string, seen: Set<string>): readonly Node[] {
  return pieces(text).map((piece) => {
    if ('text' in piece) return document.createTextNode(piece.text);
    seen.add(piece.placeholder);
    return make('code', { className: 'mark' }, piece.placeholder);
  });
}

/** A table with headings; a cell may be an element. */
export function table(
  headings: readonly string[],
  rows: readonly (readonly Child[])[],
  { countColumn, caption }: { readonly countColumn?: number; readonly caption: HTMLElement },
): HTMLTableElement {
  const classOf = (column: number): { readonly className: string } => ({
    className: column === countColumn ? 'count' : '',
  });
  const head = headings.map((heading, i) => {
    const cell = make('th', classOf(i), heading);
    cell.scope = 'col';
    return cell;
  });
  const body = rows.map((row) =>
    make('tr', {}, ...row.map((cell, i) => make('td', classOf(i), label(headings[i] ?? ''), cell))),
  );
  const whole = make('table', {}, make('thead', {}, make('tr', {}, ...head)), make('tbody', {}, ...body));
  whole.setAttribute('aria-labelledby', caption.id);
  return whole;
}

/** Seen only where a narrow window has no room for the headings. */
const label = (text: string): HTMLElement => {
  const span = make('span', { className: 'label' }, `${text}: `);
  span.ariaHidden = 'true';
  return span;
};

/** Fills all that has a fixed text, and says which language the page is in. */
export function fill(words: Words): void {
  document.documentElement.lang = words.lang;
  document.title = `${words.texts.title} – Redactory`;
  for (const [attribute, set] of [
    ['data-text', say],
    ['data-label', (element: HTMLElement, text: string) => element.setAttribute('aria-label', text)],
  ] as const) {
    for (const element of document.querySelectorAll<HTMLElement>(`[${attribute}]`)) {
      const key = element.getAttribute(attribute) ?? '';
      set(element, Object.entries(words.texts).find(([name]) => name === key)?.[1] ?? '');
    }
  }
}
