/** Names of keys and shortcuts, as a policy lists them and as the training table shows them. Pure and browser-safe. */

/** Modifiers held while a key was pressed. */
export interface Modifiers {
  readonly ctrl: boolean;
  readonly alt: boolean;
  readonly shift: boolean;
  readonly meta: boolean;
}

/**
 * The one spelling of a key with modifiers: `Ctrl+Alt+Shift+Meta+Key` in this order, letters in upper case, the space bar
 * as `Space`. `key` is `KeyboardEvent.key`. Whether the result may be released is the policy's list to say.
 */
export function shortcutName(modifiers: Modifiers, key: string): string {
  return (
    (modifiers.ctrl ? 'Ctrl+' : '') +
    (modifiers.alt ? 'Alt+' : '') +
    (modifiers.shift ? 'Shift+' : '') +
    (modifiers.meta ? 'Meta+' : '') +
    shortcutKey(key)
  );
}

function shortcutKey(key: string): string {
  if (key === ' ') return 'Space';
  return isCharacter(key) ? key.toUpperCase() : key;
}

/** Whether a `KeyboardEvent.key` is one produced character rather than a key's name. */
export function isCharacter(key: string): boolean {
  return /^.\p{M}*$/su.test(key);
}

/** A shortcut as written in a policy, taken apart; undefined when it names no key. */
export function parseShortcut(shortcut: string): { readonly modifiers: Modifiers; readonly key: string } | undefined {
  const held = new Set<string>();
  let rest = shortcut;
  for (;;) {
    const match = MODIFIER.exec(rest);
    if (match === null) break;
    const name = MODIFIER_NAMES.get((match[1] ?? '').toLowerCase());
    if (name === undefined) break;
    held.add(name);
    rest = rest.slice(match[0].length);
  }
  if (rest === '') return undefined;
  const modifiers = { ctrl: held.has('ctrl'), alt: held.has('alt'), shift: held.has('shift'), meta: held.has('meta') };
  return { modifiers, key: rest };
}

/** Keys that produce no character and hold no modifier state: `KeyboardEvent.key` values of W3C UI Events. */
export const NAMED_KEYS: readonly string[] = [
  'Enter Tab Escape Backspace Delete Insert Clear ContextMenu Help Pause PrintScreen ScrollLock',
  'ArrowLeft ArrowRight ArrowUp ArrowDown Home End PageUp PageDown',
  'F1 F2 F3 F4 F5 F6 F7 F8 F9 F10 F11 F12 F13 F14 F15 F16 F17 F18 F19 F20 F21 F22 F23 F24',
  'Cancel Copy Cut Paste Undo Redo Find New Open Close Save Print ZoomIn ZoomOut',
  'BrowserBack BrowserForward BrowserHome BrowserRefresh BrowserSearch BrowserStop BrowserFavorites',
  'AudioVolumeUp AudioVolumeDown AudioVolumeMute BrightnessUp BrightnessDown Eject Power Standby',
  'MediaPlayPause MediaStop MediaTrackNext MediaTrackPrevious',
].flatMap((names) => names.split(' '));

const MODIFIER = /^([a-z]+)\+(?=.)/iu;
const MODIFIER_NAMES: ReadonlyMap<string, string> = new Map([
  ['ctrl', 'ctrl'],
  ['control', 'ctrl'],
  ['alt', 'alt'],
  ['option', 'alt'],
  ['shift', 'shift'],
  ['meta', 'meta'],
  ['cmd', 'meta'],
  ['command', 'meta'],
  ['win', 'meta'],
  ['super', 'meta'],
]);
