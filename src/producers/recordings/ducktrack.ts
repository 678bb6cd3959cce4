/**
 * DuckTrack recordings (TheDuckAI/DuckTrack): `events.jsonl` and `metadata.json`, pointer and keys of the whole screen.
 *
 * They know no windows and no elements, so every event's context and element stay unknown.
 */

import type { Format } from './format.ts';
import { createPynputParser, openPynputFolder } from './pynput.ts';
import type { Recorded } from './sessions.ts';

/** Opens a recording's folder or its `events.jsonl`; `subject` must say whose it is. */
export const ducktrack: Format = async (o) => {
  const { events, fail, subject, clock } = await openPynputFolder(o, 'ducktrack');
  const parse = createPynputParser(fail);
  return {
    source: events,
    fail,
    labelsRestart: true,
    async *read() {
      for await (const block of events.lines(o.limits.maxLineBytes)) {
        const recorded: Recorded[] = [];
        for (const [i, text] of block.lines.entries()) {
          if (text.trim() === '') continue;
          const { line, seconds, body } = parse(text, block.first + i);
          recorded.push({ line, subject, label: '', event: { ...body, at: clock(seconds, line) } });
        }
        yield recorded;
      }
    },
  };
};
