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
  const name = key === ' ' ? 'Space' : key.length === 1 ? key.toUpperCase() : key;
  return `${modifiers.ctrl ? 'Ctrl+' : ''}${modifiers.alt ? 'Alt+' : ''}${modifiers.shift ? 'Shift+' : ''}${modifiers.meta ? 'Meta+' : ''}${name}`;
}
