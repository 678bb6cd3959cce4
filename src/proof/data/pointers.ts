import { join } from 'node:path';
import { requireFile, rowsOf, wholeIn } from './tables.ts';

export type PointerKind = 'move' | 'down' | 'up';

/** One pointer event; `at` in ms, `x` and `y` in screen pixels. */
export interface PointerSample {
  readonly at: number;
  readonly kind: PointerKind;
  readonly button: 'left' | 'right' | 'middle';
  readonly x: number;
  readonly y: number;
}

/** A person's two sittings: of about three minutes and of about one. */
export interface PointerPerson {
  readonly user: string;
  readonly long: readonly PointerSample[];
  readonly short: readonly PointerSample[];
}

const FILE = 'biometrics/sapimouse_120users_2sessions.tsv.gz';
const HEADING = ['user', 'session', 't_ms', 'button', 'state', 'x', 'y'];
const KINDS: Readonly<Record<string, PointerKind>> = { Move: 'move', Drag: 'move', Pressed: 'down', Released: 'up' };
const BUTTONS: Readonly<Record<string, PointerSample['button']>> = { Left: 'left', Right: 'right', Other: 'middle' };

/**
 * People who followed a task with the mouse: SapiMouse (Antal, Fejér and Buza, "SapiMouse: Mouse dynamics-based user
 * authentication using deep feature learning", 2021).
 *
 * @throws MissingDataError, TableError
 */
export async function loadPointerPeople(folder: string, most = Infinity): Promise<PointerPerson[]> {
  const path = await requireFile(join(folder, FILE), 'pointer movements of 120 people');
  const people = new Map<string, { long: PointerSample[]; short: PointerSample[] }>();
  for await (const [user = '', session = '', at, button = '', state = '', x, y] of rowsOf(path, HEADING)) {
    // `62.1` is somebody's second take: one person must not be two.
    if (!/^\d+$/u.test(user)) continue;
    const sittings = people.get(user) ?? { long: [], short: [] };
    people.set(user, sittings);
    const kind = KINDS[state];
    if (kind === undefined) continue;
    const sample = {
      at: wholeIn(path, at),
      kind,
      button: BUTTONS[button] ?? 'left',
      x: wholeIn(path, x),
      y: wholeIn(path, y),
    };
    (session.endsWith('3min') ? sittings.long : sittings.short).push(sample);
  }
  return [...people]
    .filter(([, { long, short }]) => long.length > 0 && short.length > 0)
    .slice(0, most)
    .map(([user, { long, short }]) => ({ user, long: byTime(long), short: byTime(short) }));
}

const byTime = (samples: readonly PointerSample[]): PointerSample[] => samples.toSorted((a, b) => a.at - b.at);
