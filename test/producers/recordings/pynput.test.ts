import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { toKey } from '../../../src/producers/recordings/pynput.ts';
import { collect, failure, folderOf, jsonl, kinds, NOW, options, placed } from './helpers.ts';

const METADATA = JSON.stringify({ start_time: '2025-03-04 05:06:07', video_start_timestamp: 100 }, null, 2);
const START = Date.UTC(2025, 2, 4, 5, 6, 7);

const move = (seconds: number) => ({ time_stamp: seconds, action: 'move', x: 1.5, y: 2.4 });
const click = (seconds: number, pressed: boolean, button = 'left') => ({
  time_stamp: seconds,
  action: 'click',
  x: 5,
  y: 6,
  button,
  pressed,
});
const tree = (seconds: number, Name: string, ControlType: string, more = {}) => ({
  time_stamp: seconds,
  a11y_tree: {
    Name,
    ControlType,
    BoundingRectangle: { left: 1, top: -2, right: 11, bottom: 18 },
    Children: [{ Name: 'inner' }],
    ...more,
  },
});

async function importing(files: Record<string, string>, format: 'agentnet' | 'ducktrack' = 'agentnet', more = {}) {
  const folder = await folderOf({ 'metadata.json': METADATA, ...files });
  return options(folder, format, { subject: 'ada', ...more });
}

describe('keys', () => {
  test.each([
    ['ctrl_l', 'Control', 'ControlLeft'],
    ['alt_l', 'Alt', 'AltLeft'],
    ['alt_gr', 'AltGraph', 'AltRight'],
    ['cmd', 'Meta', ''],
    ['shift_r', 'Shift', 'ShiftRight'],
    ['space', ' ', 'Space'],
    ['enter', 'Enter', ''],
    ['esc', 'Escape', 'Escape'],
    ['page_up', 'PageUp', ''],
    ['left', 'ArrowLeft', ''],
    ['f1', 'F1', 'F1'],
    ['f24', 'F24', 'F24'],
    ['a', 'a', ''],
    ['Ä', 'Ä', ''],
    ['😀', '😀', ''],
    ['\u0003', 'c', ''],
    ['\u001a', 'z', ''],
    ['\u001b', 'Unidentified', ''],
    ['f25', 'Unidentified', ''],
    ['<84>', 'Unidentified', ''],
    ['constructor', 'Unidentified', ''],
    ['', 'Unidentified', ''],
    [null, 'Unidentified', ''],
  ])('%j is %j', (name, key, code) => {
    expect(toKey(name)).toEqual({ key, code });
  });
});

describe('events', () => {
  test('every action becomes an event, at the time that the metadata gives', async () => {
    const events = placed(
      await collect(
        await importing(
          {
            'events.jsonl': jsonl(
              move(101),
              click(101.5, true, 'right'),
              click(101.6004, false, 'x1'),
              { time_stamp: 102, action: 'scroll', x: 1, y: 1, dx: 0.25, dy: -1.5 },
              { time_stamp: 103, action: 'press', name: 'ctrl_l', pynput_key: 'Key.ctrl_l', event_idx: 7 },
              { time_stamp: 103, action: 'release', name: null },
            ),
          },
          'ducktrack',
        ),
      ),
    );
    expect(events.map((e) => e.event)).toMatchObject([
      { kind: 'pointer_move', x: 2, y: 2, at: START + 1_000 },
      { kind: 'pointer_down', x: 5, y: 6, button: 'right', at: START + 1_500 },
      { kind: 'pointer_up', button: 'back', at: START + 1_600 },
      { kind: 'wheel', dx: 1, dy: -2, at: START + 2_000 },
      { kind: 'key_down', key: 'Control', code: 'ControlLeft' },
      { kind: 'key_up', key: 'Unidentified', code: '' },
      { kind: 'session_end', at: START + 3_000 },
    ]);
    expect(events.every((e) => e.context === null && e.element === null)).toBe(true);
  });

  test('a pause ends the session, and resuming begins another', async () => {
    const content = jsonl(
      move(101),
      { time_stamp: 102, action: 'pause' },
      { time_stamp: 103, action: 'resume' },
      move(104),
    );
    const batches = await collect(await importing({ 'events.jsonl': content }, 'ducktrack'));
    expect(kinds(batches)).toEqual(['pointer_move', 'session_end', 'focus', 'pointer_move', 'session_end']);
    expect(new Set(batches.map((b) => b.envelope.session)).size).toBe(2);
  });

  test('the path may name the folder or its events', async () => {
    const o = await importing({ 'events.jsonl': jsonl(move(101)) });
    const byFile = await collect({ ...o, path: join(o.path, 'events.jsonl') });
    expect(placed(byFile).map((e) => e.event)).toEqual(placed(await collect(o)).map((e) => e.event));
  });

  test('the clock: OBS timings, then the first event at start_time, then the first event at the import', async () => {
    const firstAt = async (metadata: Record<string, string>) => {
      const folder = await folderOf({ 'events.jsonl': jsonl(move(101), move(102)), ...metadata });
      return placed(await collect(options(folder, 'ducktrack', { subject: 'ada' })))[0]?.event.at;
    };
    const start = { start_time: '2025-03-04 05:06:07' };
    const timings = { OBS_WEBSOCKET_OUTPUT_STARTED: [99], OBS_WEBSOCKET_OUTPUT_STARTING: [98] };
    const both = JSON.stringify({ ...start, obs_record_state_timings: timings });
    expect(await firstAt({ 'metadata.json': both })).toBe(START + 3_000);
    expect(await firstAt({ 'metadata.json': JSON.stringify(start) })).toBe(START);
    expect(await firstAt({})).toBe(NOW);
  });
});

describe('agentnet', () => {
  const files = {
    'top_window.jsonl': jsonl(
      { time_stamp: 100.5, top_window_name: 'one' },
      { time_stamp: 102, top_window_name: 'two' },
      { time_stamp: 900, top_window_name: null },
    ),
    'element.jsonl': jsonl(
      tree(101.49, 'Save', 'ButtonControl'),
      { time_stamp: 102.9, a11y_tree: null },
      tree(103.0, 'Items', 'ListItemControl', { BoundingRectangle: null }),
      tree(103.25, 'Next', 'ButtonControl'),
      tree(106, 'Old', 'WhateverControl'),
    ),
    'events.jsonl': jsonl(
      move(101),
      click(101.5, true),
      move(101.55),
      click(101.6, false),
      move(101.7),
      move(102),
      click(103.2, true),
      click(103.3, false),
      click(104, true),
      click(104.1, false),
      click(108.1, true),
      click(108.2, false),
    ),
  };

  test('windows become contexts with a focus at their time; presses get the element seen just before', async () => {
    const events = placed(await collect(await importing(files)));
    expect(events.map((e) => [e.event.kind, e.context?.app ?? null, e.element?.name ?? null])).toEqual([
      ['focus', 'one', null],
      ['pointer_move', 'one', null],
      ['pointer_down', 'one', 'Save'],
      ['pointer_move', 'one', 'Save'],
      ['pointer_up', 'one', 'Save'],
      ['pointer_move', 'one', null],
      ['focus', 'two', null],
      ['pointer_move', 'two', null],
      ['pointer_down', 'two', 'Items'],
      ['pointer_up', 'two', 'Items'],
      ['pointer_down', 'two', 'Next'],
      ['pointer_up', 'two', 'Next'],
      // Two seconds before the press is too old.
      ['pointer_down', 'two', null],
      ['pointer_up', 'two', null],
      ['focus', '', null],
      ['session_end', '', null],
    ]);
    expect(events[0]?.event.at).toBe(START + 500);
    expect(events[2]?.element).toEqual({
      role: 'button',
      name: 'Save',
      value: '',
      secure: false,
      bounds: { x: 1, y: -2, width: 10, height: 20 },
    });
    expect(events[8]?.element).toMatchObject({ role: 'listitem', bounds: null });
  });

  test('control types are ARIA roles; one that is not known has none', async () => {
    const roles = async (type: string) => {
      const element = jsonl(tree(101, 'x', type));
      const o = await importing({ 'events.jsonl': jsonl(click(101, true)), 'element.jsonl': element });
      return placed(await collect(o))[0]?.element?.role;
    };
    expect(await roles('EditControl')).toBe('textbox');
    expect(await roles('HyperlinkControl')).toBe('link');
    expect(await roles('ThumbControl')).toBe('');
  });
});

describe('errors', () => {
  test.each([
    ['no action', { time_stamp: 1 }, /events\.jsonl:2: action must be one of move, click/],
    ['unknown action', { time_stamp: 1, action: 'sing' }, /:2: action must be one of/],
    ['no time', { action: 'move', x: 1, y: 1 }, /:2: time_stamp must be a number; it is missing/],
    ['time of another unit', { time_stamp: 1e18, action: 'move', x: 1, y: 1 }, /:2: time_stamp must be a time/],
    ['no x', { time_stamp: 1, action: 'move', y: 1 }, /:2: x must be a number/],
    ['pressed as text', { ...click(1, true), pressed: 'yes' }, /:2: pressed must be true or false/],
    ['key as a number', { time_stamp: 1, action: 'press', name: 7 }, /:2: name must be text or null/],
    ['huge scroll', { time_stamp: 1, action: 'scroll', dx: 0, dy: 1e300 }, /:2: dy must be within/],
  ])('%s', async (_, line, message) => {
    const { error, batches } = await failure(await importing({ 'events.jsonl': jsonl(move(101), line) }));
    expect(error.message).toMatch(message);
    expect(batches).toBe(0);
  });

  test.each([
    [
      'element.jsonl',
      jsonl(tree(1, 'x', 'y'), { time_stamp: 1, a11y_tree: 5 }),
      /^element\.jsonl:2: a11y_tree must be/,
    ],
    ['element.jsonl', jsonl(tree(1, 'x', 'y', { Name: 5 })), /^element\.jsonl:1: Name and ControlType/],
    ['element.jsonl', jsonl(tree(1, 'x', 'y', { BoundingRectangle: { left: 1 } })), /^element\.jsonl:1: top must be/],
    ['element.jsonl', '{"time_stamp', /^element\.jsonl:1: is not valid JSON/],
    ['top_window.jsonl', jsonl({ time_stamp: 1, top_window_name: {} }), /^top_window\.jsonl:1: top_window_name must/],
    ['top_window.jsonl', jsonl({ top_window_name: 'x' }), /^top_window\.jsonl:1: time_stamp must be a number/],
    ['metadata.json', '[]', /^metadata\.json: is not a JSON object$/],
    ['metadata.json', '{"start_time": "yesterday"}', /^metadata\.json: start_time must be like/],
  ])('%s', async (name, content, message) => {
    const { error } = await failure(await importing({ 'events.jsonl': jsonl(move(101)), [name]: content }));
    expect(error.message).toMatch(message);
  });

  test('a file beside the events is bounded', async () => {
    const files = { 'events.jsonl': jsonl(move(101)), 'element.jsonl': jsonl(tree(1, 'x', 'y')) };
    const { error } = await failure(await importing(files, 'agentnet', { limits: { maxSideFileBytes: 120 } }));
    expect(error.message).toMatch(/^element\.jsonl: is larger than 120 bytes; move it away/);
  });

  test('a folder without events, and a recording without a person', async () => {
    expect((await failure(await importing({}))).error.message).toBe('events.jsonl: no such file; check the path');
    const nobody = await importing({ 'events.jsonl': jsonl(move(101)) }, 'ducktrack', { subject: undefined });
    expect((await failure(nobody)).error.message).toMatch(/ducktrack recordings name no person; .* --subject/);
  });
});
