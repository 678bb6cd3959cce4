/** Recordings of pointer and keys. AgentNet's own reduction of its events is the oracle for the actions that come out. */
import { readFile } from 'node:fs/promises';
import { describe, expect, it } from 'vitest';
import { z } from 'zod';
import { RECORDINGS, recording, throughTheLine, why } from './line.ts';

const SUBJECT = ['--subject', 'recorded@example.org'];

interface Act {
  readonly action: string;
  readonly button: string | null;
  readonly direction: string | null;
}

describe.skipIf(RECORDINGS === undefined)(`AgentNet's recording of a task on Windows${why}`, () => {
  it('gives the actions that its own tool made of it, but for those listed here', async () => {
    const { rows } = await throughTheLine(recording('agentnet'), 'agentnet', ...SUBJECT);
    const theirs = await buffered();
    expect(theirs.length).toBe(25);

    // 1. Where the focus went lies in another of its files (top_window.jsonl) and is no action in its reduction.
    const focus = rows.filter(({ action }) => action === 'focus');
    expect(focus.map(({ app }) => app)).toEqual([
      'AgentNet Tool',
      'Windows Explorer',
      'Windows Shell',
      'Application Frame Host',
    ]);
    // 2. Its recorder is stopped by Ctrl+Alt+T, which it leaves out. Ctrl+Alt composes characters on many keyboards, so
    // here it is typing.
    const ours = rows.filter(({ action }) => action !== 'focus');
    expect(ours.at(-1)).toMatchObject({ action: 'type', length: '<4', key: null });

    expect(ours.slice(0, -1).map(({ action, button, direction }): Act => ({ action, button, direction }))).toEqual(
      theirs,
    );
  });

  it('agrees with the actions that its annotator kept, each at its place', async () => {
    const { rows } = await throughTheLine(recording('agentnet'), 'agentnet', ...SUBJECT);
    const ours = rows.filter(({ action }) => action !== 'focus');
    const kept = await readLines(recording('agentnet', 'reduced_events_complete.jsonl'), REDUCED);
    // The ids count the actions of the whole recording: 11 to 19 and all after 22 were taken out by hand, as not needed.
    expect(kept.map(({ id }) => id)).toEqual([0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 20, 21, 22]);
    const theirs = kept.map(({ action, button }) => ({ action, button: button ?? null }));
    expect(kept.map(({ id }) => ours[id]).map((row) => ({ action: row?.action, button: row?.button }))).toEqual(theirs);
    // Where both name the element, they name the same one; its title at the time of the click is the tool's.
    const named = kept.flatMap(({ id, target }) => {
      const [title, name] = [target?.title ?? '', ours[id]?.target ?? ''];
      return title === '' || name === '' || name.includes('{') ? [] : [[name, title]];
    });
    expect(named.length).toBeGreaterThan(5);
    for (const [name, title] of named) expect(name).toBe(title);
  });
});

describe.skipIf(RECORDINGS === undefined)(`DuckTrack's recording at peak rate${why}`, () => {
  it('becomes gestures and typing, with nothing of the keys and no path', async () => {
    const { events, read, rows } = await throughTheLine(recording('ducktrack'), 'ducktrack', ...SUBJECT);
    expect(read).toBe(events);
    expect(events).toBeGreaterThan(13_000);
    const counts: Record<string, number> = {};
    for (const { action } of rows) counts[action] = (counts[action] ?? 0) + 1;
    expect(counts).toEqual({ click: 17, double_click: 1, drag: 3, press: 1, scroll: 10, type: 2 });
    // It names no windows and no elements, so there is no text, and the one key is the one that ends a run of typing.
    const texts = rows.flatMap(({ app, window, url, target }) => [app, window, url, target]);
    expect(new Set(texts)).toEqual(new Set([null]));
    expect(rows.flatMap(({ key }) => (key === null ? [] : [key]))).toEqual(['Enter']);
  });
});

const REDUCED = z.object({
  id: z.number(),
  action: z.string(),
  button: z.string().optional(),
  target: z.object({ title: z.string().optional() }).optional(),
});

const BUFFERED = z.object({
  action: z.enum(['click', 'scroll']),
  pressed: z.boolean().optional(),
  button: z.string().optional(),
  x: z.number(),
  y: z.number(),
  dx: z.number().optional(),
  dy: z.number().optional(),
  matched: z.number().optional(),
});

/** Its rule: a press whose release is more than 6 px away is a drag. */
const DRAG_PX = 6;

/** The tool's buffer: scrolls as they are, presses with the index of the release that belongs to them. */
async function buffered(): Promise<Act[]> {
  const rows = await readLines(recording('agentnet', 'event_buffer.jsonl'), BUFFERED);
  expect(rows.length).toBe(46);
  return rows.flatMap((row): Act[] => {
    if (row.action === 'scroll')
      return [{ action: 'scroll', button: null, direction: (row.dy ?? 0) < 0 ? 'down' : 'up' }];
    if (row.pressed !== true) return [];
    const release = rows[row.matched ?? -1];
    if (release === undefined || release.pressed !== false) throw new Error('a press without its release');
    const isDrag = Math.hypot(release.x - row.x, release.y - row.y) > DRAG_PX;
    return [{ action: isDrag ? 'drag' : 'click', button: row.button ?? null, direction: null }];
  });
}

async function readLines<T>(path: string, schema: z.ZodType<T>): Promise<T[]> {
  const lines = (await readFile(path, 'utf8')).trim().split('\n');
  return lines.map((line) => schema.parse(JSON.parse(line)));
}
