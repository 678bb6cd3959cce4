/** Which elements of a page are never recorded: not their keys, values, names, nor that somebody was there. */

/** Whoever marks an element with it keeps all that is in it out of the recording. */
const EXCLUDE_ATTRIBUTE = 'data-redactory-exclude';
/** Passwords, one-time codes, cards. https://html.spec.whatwg.org/multipage/form-control-infrastructure.html#autofill */
const SECRET_AUTOCOMPLETE = /(?:^|\s)(?:(?:current|new)-password|one-time-code|cc-\S+)(?:\s|$)/iu;
/** What can have the focus by itself. Else a key goes to a shadow root that cannot be looked into. */
const FOCUSABLE = 'input,textarea,select,button,a,summary,html,body,[contenteditable],[tabindex]';

export interface Privacy {
  /** Whether the node, or anything that it is in, is private; slots and shadow roots are looked through. */
  readonly hides: (node: Node | null | undefined) => boolean;
  /** Whether the node or the place of the caret is private. */
  readonly hidesCaret: (target: Node | null) => boolean;
  /** The same of what a key goes to, which is also hidden where it cannot be seen what that is. */
  readonly hidesKeys: (target: Node | null) => boolean;
  /** Remembers the password fields that are there now: a "show password" button makes other fields of them. */
  readonly remember: (target: Node) => void;
}

export function createPrivacy(window: Window & typeof globalThis): Privacy {
  const { document } = window;
  /** What was a secret once stays one. */
  const secrets = new WeakSet<Element>();

  function isPrivate(element: Element): boolean {
    if (element.matches('[type=password]') || SECRET_AUTOCOMPLETE.test(element.getAttribute('autocomplete') ?? ''))
      secrets.add(element);
    return secrets.has(element) || element.hasAttribute(EXCLUDE_ATTRIBUTE);
  }

  function hides(node: Node | null | undefined): boolean {
    for (let at = node; at; at = parentOf(at)) if (isElement(at) && isPrivate(at)) return true;
    return false;
  }

  function hidesCaret(target: Node | null): boolean {
    // A caret in an excluded part of an editor has the whole editor as its target.
    const caret = document.getSelection();
    return [target, caret?.anchorNode, caret?.focusNode].some(hides);
  }

  return {
    hides,
    hidesCaret,
    hidesKeys: (target) =>
      hidesCaret(target) ||
      (isElement(target) && !target.shadowRoot && (target.localName.includes('-') || !target.matches(FOCUSABLE))),
    remember(target) {
      for (const root of [document, target.getRootNode()]) {
        // A document or shadow root, or an element that is in neither.
        (root as ParentNode).querySelectorAll('[type=password]').forEach((field) => secrets.add(field));
      }
    },
  };
}

/** The node above, as it is shown: through slots and open shadow roots. */
export function parentOf(node: Node): Node | null | undefined {
  // Elements and texts have the first, shadow roots the last.
  const { assignedSlot, parentNode, host } = node as Element & Partial<ShadowRoot>;
  return assignedSlot ?? parentNode ?? host;
}

export const isElement = (node: Node | null): node is Element => node?.nodeType === 1;
