import { describe, expect, it } from 'vitest';
import { isCharacter, parseShortcut, shortcutName } from '../../src/privacy/keys.ts';

const NONE = { ctrl: false, alt: false, shift: false, meta: false };

describe('shortcutName', () => {
  it.each([
    [{ ...NONE, ctrl: true }, 's', 'Ctrl+S'],
    [{ ...NONE, ctrl: true, shift: true }, 'Z', 'Ctrl+Shift+Z'],
    [{ ctrl: true, alt: true, shift: true, meta: true }, 'Delete', 'Ctrl+Alt+Shift+Meta+Delete'],
    [{ ...NONE, meta: true }, ' ', 'Meta+Space'],
    [{ ...NONE, ctrl: true }, '+', 'Ctrl++'],
    [NONE, 'Enter', 'Enter'],
  ])('of %j and %j is %s', (modifiers, key, expected) => {
    expect(shortcutName(modifiers, key)).toBe(expected);
  });
});

describe('parseShortcut', () => {
  it.each([
    ['Ctrl+S', { ...NONE, ctrl: true }, 'S'],
    ['cmd+option+s', { ...NONE, meta: true, alt: true }, 's'],
    ['Ctrl++', { ...NONE, ctrl: true }, '+'],
    ['Enter', NONE, 'Enter'],
    ['Foo+S', NONE, 'Foo+S'],
  ])('takes %j apart', (shortcut, modifiers, key) => {
    expect(parseShortcut(shortcut)).toEqual({ modifiers, key });
  });

  it('finds no key in nothing', () => {
    expect(parseShortcut('')).toBeUndefined();
  });
});

describe('isCharacter', () => {
  it.each([
    ['e', true],
    [' ', true],
    ['é', true],
    ['e\u0301', true],
    ['\u{1f600}', true],
    ['Enter', false],
    ['F1', false],
  ])('of %j is %s', (key, expected) => {
    expect(isCharacter(key)).toBe(expected);
  });
});
