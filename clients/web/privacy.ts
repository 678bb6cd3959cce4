/** Which elements of a page are never recorded: not their keys, values, names, nor that somebody was there. */

/** Whoever marks an element with it keeps all that is in it out of the recording. */
export const EXCLUDE_ATTRIBUTE = 'data-redactory-exclude';

/** Passwords, one-time codes, cards. https://html.spec.whatwg.org/multipage/form-control-infrastructure.html#autofill */
const SECRET_AUTOCOMPLETE = /^(?:current-password|new-password|one-time-code|cc-.*)$/u;

/** Where the focus can be without a shadow root that cannot be looked into. */
const FOCUSABLE =
  'input,textarea,select,button,a,area,summary,dialog,html,body,iframe,audio,video,[contenteditable],[tabindex]';

export interface Privacy {
  /** Whether the node, or anything that it is in, is private; slots and shadow roots are looked through. */
  hides(node: Node | null): boolean;
  /** Whether the node, what has the focus, or the place of the caret is private. */
  hidesCaret(target: Node | null): boolean;
  /** The same of what a key goes to, which is also hidden where it cannot be seen what that is. */
  hidesTyping(target: Node | null): boolean;
  /** Remembers the password fields that are there now: a "show password" button makes other fields of them. */
  remember(target: Node): void;
}

export function createPrivacy(window: Window & typeof globalThis): Privacy {
  const { document } = window;
  /** What was a secret once stays one. */
  const secrets = new WeakSet<Element>();

  function isPrivate(element: Element): boolean {
    if (element.hasAttribute(EXCLUDE_ATTRIBUTE) || secrets.has(element)) return true;
    const tokens = element.getAttribute('autocomplete')?.toLowerCase().split(/\s+/u) ?? [];
    const isPassword = element.localName === 'input' && element.getAttribute('type')?.toLowerCase() === 'password';
    if (!isPassword && !tokens.some((token) => SECRET_AUTOCOMPLETE.test(token))) return false;
    secrets.add(element);
    return true;
  }

  function hides(node: Node | null): boolean {
    for (let at = node; at !== null; at = parentOf(at)) if (isElement(at) && isPrivate(at)) return true;
    return false;
  }

  /** The element that has the focus, in whatever open shadow root. */
  function focused(): Element | null {
    let element = document.activeElement;
    while (element?.shadowRoot?.activeElement) element = element.shadowRoot.activeElement;
    return element;
  }

  /** A caret in an excluded part of an editor has the whole editor as its target. */
  function hidesCaret(target: Node | null): boolean {
    const selection = document.getSelection();
    return [target, focused(), selection?.anchorNode ?? null, selection?.focusNode ?? null].some(hides);
  }

  return {
    hides,
    hidesCaret,
    hidesTyping: (target) => hidesCaret(target) || (isElement(target) && isOpaque(target)),
    remember(target) {
      const roots = new Set([document, target.getRootNode()]);
      for (const root of roots) {
        if (!('querySelectorAll' in root)) continue;
        // As Document and ShadowRoot have it; any other root is an element.
        for (const field of (root as ParentNode).querySelectorAll('[type=password i]')) secrets.add(field);
      }
      // Fields that hide what is typed by a style.
      if (!isElement(target)) return;
      const style = window.getComputedStyle(target).getPropertyValue('-webkit-text-security');
      if (style !== '' && style !== 'none') secrets.add(target);
    },
  };
}

/** Whether what is in it cannot be seen: a closed shadow root, which may hold a password field. */
function isOpaque(element: Element): boolean {
  if (element.shadowRoot !== null) return false;
  return element.localName.includes('-') || !element.matches(FOCUSABLE);
}

/** The node above, as it is shown: through slots and open shadow roots. */
export function parentOf(node: Node): Node | null {
  const slot = 'assignedSlot' in node ? (node as Element).assignedSlot : null; // elements and texts have it
  return slot ?? node.parentNode ?? ('host' in node ? (node as ShadowRoot).host : null); // of a root that is no document
}

export const isElement = (node: EventTarget | null): node is Element =>
  node !== null && 'nodeType' in node && node.nodeType === 1;
