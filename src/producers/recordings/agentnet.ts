/**
 * AgentNet recordings (xlang-ai/OpenCUA): a folder of `events.jsonl` (pointer and keys), `top_window.jsonl` (which program
 * was in front from when on), `element.jsonl` (the accessibility element under each press) and `metadata.json`.
 */

import type { Bounds, Context, UiElement } from '../../events/raw.ts';
import type { Format, FormatOptions } from './format.ts';
import type { Fail } from './import-error.ts';
import { createFields, isObject, type JsonObject } from './json.ts';
import { createPynputParser, openPynputFolder, type PynputEvent, type RecorderClock } from './pynput.ts';
import type { Recorded } from './sessions.ts';

/** The recorder asks for the element right before it notes the press; large windows took it 0.2 s. */
const MAX_ELEMENT_AGE_SECONDS = 2;

/** Opens a recording's folder or its `events.jsonl`; `subject` must say whose it is. */
export const agentnet: Format = async (o: FormatOptions) => {
  const folder = await openPynputFolder(o, 'agentnet');
  const { events, fail, subject, clock } = folder;
  try {
    const windows = sorted(await folder.beside('top_window.jsonl', toWindow));
    const elements = sorted(await folder.beside('element.jsonl', toElementAt));
    const parse = createPynputParser(fail);
    return {
      source: events,
      fail,
      labelsRestart: true,
      async *read() {
        const place = createPlacer({ subject, clock, windows, elements });
        for await (const block of events.lines(o.limits.maxLineBytes)) {
          const recorded: Recorded[] = [];
          for (const [i, text] of block.lines.entries()) {
            if (text.trim() !== '') place.event(parse(text, block.first + i), recorded);
          }
          yield recorded;
        }
        const rest: Recorded[] = [];
        place.finish(rest);
        yield rest;
      },
    };
  } catch (error) {
    await events.close();
    throw error;
  }
};

interface WindowAt {
  readonly seconds: number;
  readonly context: Context;
}

interface ElementAt {
  readonly seconds: number;
  readonly element: UiElement | null;
}

interface Placer {
  event(event: PynputEvent, out: Recorded[]): void;
  /** The windows that came to the front after the last event. */
  finish(out: Recorded[]): void;
}

/** Gives each event its window and element: both lists are in order of time, as the events are. */
function createPlacer(o: {
  readonly subject: string;
  readonly clock: RecorderClock;
  readonly windows: readonly WindowAt[];
  readonly elements: readonly ElementAt[];
}): Placer {
  let window = 0;
  let element = 0;
  let line = 1;
  /** The press's element holds until the button is up again. */
  let released = false;

  const windowsUntil = (seconds: number, out: Recorded[]): void => {
    for (let w = o.windows[window]; w !== undefined && w.seconds <= seconds; w = o.windows[++window]) {
      const event = { kind: 'focus', at: o.clock(w.seconds, line) } as const;
      out.push({ line, subject: o.subject, label: '', event, context: w.context, element: null });
    }
  };

  /** The newest element seen between the press before and this one. */
  const elementOf = (press: PynputEvent): UiElement | null => {
    let found: ElementAt | undefined;
    for (let e = o.elements[element]; e !== undefined && e.seconds <= press.seconds; e = o.elements[++element])
      found = e;
    return found !== undefined && press.seconds - found.seconds <= MAX_ELEMENT_AGE_SECONDS ? found.element : null;
  };

  return {
    event(event, out) {
      line = event.line;
      windowsUntil(event.seconds, out);
      const { kind } = event.body;
      let hit: UiElement | null | undefined;
      if (kind === 'pointer_down') hit = elementOf(event);
      else if (released) hit = null;
      released = kind === 'pointer_up';
      const at = o.clock(event.seconds, line);
      out.push({ line, subject: o.subject, label: '', event: { ...event.body, at }, element: hit });
    },
    finish(out) {
      windowsUntil(Number.POSITIVE_INFINITY, out);
    },
  };
}

function toWindow(o: JsonObject, line: number, fail: Fail): WindowAt {
  const fields = createFields(fail);
  const name = o['top_window_name'] ?? '';
  if (typeof name !== 'string') return fail(line, 'top_window_name must be text or null');
  return {
    seconds: fields.number(o, 'time_stamp', line),
    context: { app: name, title: '', url: '', private: false },
  };
}

/** Takes the tree's root: the element itself; its children and everything else are passed over. */
function toElementAt(o: JsonObject, line: number, fail: Fail): ElementAt {
  const fields = createFields(fail);
  const seconds = fields.number(o, 'time_stamp', line);
  const tree = o['a11y_tree'] ?? null;
  if (tree === null) return { seconds, element: null };
  if (!isObject(tree)) return fail(line, 'a11y_tree must be an object or null');
  const name = tree['Name'] ?? '';
  const type = tree['ControlType'] ?? '';
  if (typeof name !== 'string' || typeof type !== 'string')
    return fail(line, 'Name and ControlType must be text or null');
  const bounds = toBounds(tree['BoundingRectangle'] ?? null, line, fail);
  return { seconds, element: { role: ROLES.get(type) ?? '', name, value: '', secure: false, bounds } };
}

function toBounds(value: unknown, line: number, fail: Fail): Bounds | null {
  if (value === null) return null;
  if (!isObject(value)) return fail(line, 'BoundingRectangle must be an object or null');
  const fields = createFields(fail);
  const x = fields.pixels(value, 'left', line);
  const y = fields.pixels(value, 'top', line);
  const width = Math.max(0, fields.pixels(value, 'right', line) - x);
  const height = Math.max(0, fields.pixels(value, 'bottom', line) - y);
  return { x, y, width, height };
}

function sorted<T extends { readonly seconds: number }>(list: readonly T[]): readonly T[] {
  return [...list].sort((a, b) => a.seconds - b.seconds);
}

/** UI Automation's control types as ARIA roles (Core Accessibility API Mappings 1.2), '' for those that have none. */
const ROLES: ReadonlyMap<string, string> = new Map([
  ['AppBarControl', 'toolbar'],
  ['ButtonControl', 'button'],
  ['CalendarControl', 'grid'],
  ['CheckBoxControl', 'checkbox'],
  ['ComboBoxControl', 'combobox'],
  ['DataGridControl', 'grid'],
  ['DataItemControl', 'row'],
  ['DocumentControl', 'document'],
  ['EditControl', 'textbox'],
  ['GroupControl', 'group'],
  ['HeaderControl', 'rowgroup'],
  ['HeaderItemControl', 'columnheader'],
  ['HyperlinkControl', 'link'],
  ['ImageControl', 'img'],
  ['ListControl', 'list'],
  ['ListItemControl', 'listitem'],
  ['MenuBarControl', 'menubar'],
  ['MenuControl', 'menu'],
  ['MenuItemControl', 'menuitem'],
  ['PaneControl', 'pane'],
  ['ProgressBarControl', 'progressbar'],
  ['RadioButtonControl', 'radio'],
  ['ScrollBarControl', 'scrollbar'],
  ['SeparatorControl', 'separator'],
  ['SliderControl', 'slider'],
  ['SpinnerControl', 'spinbutton'],
  ['SplitButtonControl', 'button'],
  ['StatusBarControl', 'status'],
  ['TabControl', 'tablist'],
  ['TabItemControl', 'tab'],
  ['TableControl', 'table'],
  ['TextControl', 'text'],
  ['ToolBarControl', 'toolbar'],
  ['ToolTipControl', 'tooltip'],
  ['TreeControl', 'tree'],
  ['TreeItemControl', 'treeitem'],
  ['WindowControl', 'window'],
]);
