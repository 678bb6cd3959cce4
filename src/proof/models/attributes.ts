import type { ReleasedAction } from '../../events/released.ts';

/** What can be said of a session in a row of its own: numbers and names. */
export type Attributes = Readonly<Record<AttributeName, string | number>>;

export const ATTRIBUTES = [
  'actions',
  'clicks',
  'typed',
  'scrolls',
  'shortcuts',
  'pressed',
  'clipboard',
  'edits',
  'away',
  'apps',
  'app',
  'second_app',
  'window',
  'role',
  'key',
  'modifier',
  'length',
] as const;
export type AttributeName = (typeof ATTRIBUTES)[number];

/** Describes a session's actions. The columns are the table's, so raw and released sessions are described alike. */
export function recordOf(actions: readonly ReleasedAction[]): Attributes {
  const count = (...kinds: readonly ReleasedAction['action'][]): number =>
    actions.reduce((sum, { action }) => sum + (kinds.includes(action) ? 1 : 0), 0);
  const apps = ranked(actions.map(({ app }) => app));
  return {
    actions: actions.length,
    clicks: count('click', 'double_click', 'long_press', 'drag'),
    typed: count('type'),
    scrolls: count('scroll'),
    shortcuts: count('shortcut'),
    pressed: count('press'),
    clipboard: count('clipboard'),
    edits: count('edit'),
    away: count('away'),
    apps: apps.length,
    app: apps[0] ?? '',
    second_app: apps[1] ?? '',
    window: ranked(actions.map(({ window }) => window))[0] ?? '',
    role: ranked(actions.map(({ target_role }) => target_role))[0] ?? '',
    key: ranked(actions.map(({ key }) => key))[0] ?? '',
    modifier: ranked(actions.map(({ key }) => /^(Ctrl|Meta)\+/u.exec(key ?? '')?.[1] ?? null))[0] ?? '',
    length: ranked(actions.map(({ length }) => length))[0] ?? '',
  };
}

/** Values from the most frequent on; of equally frequent ones the first in the alphabet. */
function ranked(values: readonly (string | null)[]): string[] {
  const counts = new Map<string, number>();
  for (const value of values) if (value !== null && value !== '') counts.set(value, (counts.get(value) ?? 0) + 1);
  return [...counts].toSorted(([a, n], [b, m]) => m - n || (a < b ? -1 : 1)).map(([value]) => value);
}
