/** What is lost stays readable: 4.5 to 1, as WCAG 2.2 asks of text (https://www.w3.org/TR/WCAG22/#contrast-minimum). */
import { readFileSync } from 'node:fs';
import { expect, it } from 'vitest';
import { packagePath } from '../../../src/package-path.ts';

type Colour = readonly number[];

const css = readFileSync(packagePath('clients/playground/style.css'), 'utf8');
const [light = '', dark = ''] = css.split('@media (prefers-color-scheme: dark)');

function colour(scheme: string, name: string): Colour {
  const hex = new RegExp(`--${name}: #([0-9a-f]{6});`, 'u').exec(scheme)?.[1] ?? '';
  return [0, 2, 4].map((at) => parseInt(hex.slice(at, at + 2), 16));
}

const mix = (over: Colour, share: number, under: Colour): Colour =>
  over.map((part, i) => part * share + (under[i] ?? 0) * (1 - share));

/** https://www.w3.org/TR/WCAG22/#dfn-relative-luminance */
function luminance(of: Colour): number {
  const [red = 0, green = 0, blue = 0] = of.map((part) => {
    const share = part / 255;
    return share <= 0.04045 ? share / 12.92 : ((share + 0.055) / 1.055) ** 2.4;
  });
  return 0.2126 * red + 0.7152 * green + 0.0722 * blue;
}

function contrast(one: Colour, other: Colour): number {
  const [darker = 0, lighter = 0] = [luminance(one), luminance(other)].sort((a, b) => a - b);
  return (lighter + 0.05) / (darker + 0.05);
}

it.each([
  ['light', light],
  ['dark', dark],
])('lost text can be read on all that it stands on: %s', (_, scheme) => {
  const of = (name: string): Colour => colour(scheme, name);
  expect(css).toContain('color-mix(in srgb, var(--saw-line) 60%, transparent)');
  const grounds = {
    card: of('card'),
    saw: of('saw'),
    'hover and focus': of('accent-soft'),
    'typed and value': mix(of('saw-line'), 0.6, of('saw')),
  };
  const found = Object.entries(grounds).map(([name, ground]) => [name, contrast(of('lost'), ground)] as const);
  expect(found.filter(([, ratio]) => !(ratio >= 4.5))).toEqual([]);
});
