/** Which elements of a page are never recorded: not their keys, values, names, nor that somebody was there. */

/** Whoever marks an element with it keeps all that is in it out of the recording. */
const EXCLUDED = '[data-redactory-exclude]';
/** Passwords, one-time codes, cards. https://html.spec.whatwg.org/multipage/form-control-infrastructure.html#autofill */
const SECRET_AUTOCOMPLETE = /(?<!\S)(?:(?:current|new)-password|one-time-code|cc-\S+)(?!\S)/iu;
const PASSWORD = '[type=password]';
/** What can have the focus by itself. Else a key goes to a shadow root that cannot be looked into. */
const FOCUSABLE = 'input,textarea,select,button,a,summary,html,body,[contenteditable],[tabindex]';

/** What was a secret once stays one, for every recorder of the page and however often it is started. */
const secrets = new WeakSet<Element>();
/** Their ids and names: a "show password" button may also put another field in the place of a password's. */
const secretNames = new Set<string | undefined>();
function isPrivate(element: Element): boolean {
  // What is no field has no name.
  const { id, name } = element as Partial<HTMLInputElement>;
  if (element.matches(PASSWORD) || SECRET_AUTOCOMPLETE.test(attribute(element, 'autocomplete'))) {
    secrets.add(element);
    secretNames.add(id).add(name);
  }
  return secrets.has(element) || [id, name].some((each) => each && secretNames.has(each)) || element.matches(EXCLUDED);
}

/** Whether the node, or anything that it is in, is private; slots and shadow roots are looked through. */
export function hides(node: Node | null | undefined): boolean {
  for (let at = node; at; at = parentOf(at)) if (isElement(at) && isPrivate(at)) return true;
  return false;
}

/** The nearest element that can be edited: itself, or one around it. */
export const editorOf = (element: Element): Element | null =>
  element.closest('[contenteditable]:not([contenteditable=false])');

/** Whether the node or the place of the caret is private, or may be: a caret in a shadow root cannot be seen everywhere. */
export function hidesCaret(target: Node): boolean {
  // A caret in an excluded part of an editor has the whole editor as its target.
  const carets = [target.ownerDocument, target.getRootNode() as Partial<Document>].map((root) =>
    root?.getSelection?.(),
  );
  return (
    [target, ...carets.flatMap((caret) => [caret?.anchorNode, caret?.focusNode])].some(hides) ||
    // What is edited is an element.
    (!carets[1]?.anchorNode && !!editorOf(target as Element)?.querySelector(EXCLUDED))
  );
}

/** The same of what a key goes to, which is also hidden where it cannot be seen what that is. */
export const hidesKeys = (target: Node): boolean =>
  hidesCaret(target) ||
  (isElement(target) && !target.shadowRoot && (target.localName.includes('-') || !target.matches(FOCUSABLE)));

/** Remembers the password fields that are in it now: a "show password" button makes other fields of them. */
export const remember = (root: Node): void =>
  // A document or shadow root, or an element that is in neither.
  (root as ParentNode).querySelectorAll(PASSWORD).forEach(isPrivate);

/** The node above, as it is shown: through slots and open shadow roots. */
export function parentOf(node: Node): Node | null | undefined {
  // Elements and texts have the first, shadow roots the last.
  const { assignedSlot, parentNode, host } = node as Element & Partial<ShadowRoot>;
  return assignedSlot ?? parentNode ?? host;
}

export const attribute = (element: Element, name: string): string => element.getAttribute(name) ?? '';

export const isElement = (node: Node | null): node is Element => node?.nodeType === 1;
