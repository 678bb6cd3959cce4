/**
 * Rule of rules: nothing that a person typed, saw or is called comes out anywhere. The simulator tells what it planted; a
 * session of canaries has a text of its own in every place that can hold one; then everything that leaves the private side
 * is searched: topics, table, Delta log, checkpoint, file names, logs, metrics, what commands print, and errors that are
 * provoked on purpose.
 */
import { describe, expect, it } from 'vitest';
import type { Codec } from '../../src/events/codec.ts';
import type { LogRecord } from '../../src/log/event-log.ts';
import { loadPolicy } from '../../src/privacy/policy.ts';
import { normaliseSegment, tokens } from '../../src/privacy/text.ts';
import type { Vocabulary } from '../../src/privacy/vocabulary.ts';
import type { PlantedString } from '../../src/producers/simulator/index.ts';
import { TOPICS } from '../../src/runtime/topics.ts';
import { unsealAll } from '../helpers/sealing.ts';
import { openRaw, placeOf, readTopic } from '../simulation/oracle.ts';
import { everythingReleased, rawHaystacks } from './haystacks.ts';
import { Line } from './line.ts';
import { needlesOf, search } from './needles.ts';

const RUNS = [
  ['strict', 1],
  ['strict', 2],
  ['balanced', 3],
  ['balanced', 4],
] as const;

describe('nothing planted comes out', () => {
  it.each(RUNS)('%s, seed %i', async (policy, seed) => {
    const line = await Line.create(policy, seed);
    await line.simulate('first');
    await line.canaries();
    const raw = await line.withWorkspace(rawHaystacks);
    await line.damaged();
    await line.command('run', '--until-end', '--json');
    await line.simulate('second');
    await line.runWithFailingLog();
    for (const what of ['raw', 'sanitized', 'quarantine', 'table']) {
      await line.command('inspect', what, '--limit', '100000', '--json');
      await line.command('inspect', what, '--limit', '100000');
    }
    await line.failingImports();
    await line.refusedPolicies();
    const released = await line.withWorkspace(everythingReleased);
    const { vocabulary } = await loadPolicy(line.policyFile);
    const needles = needlesOf(line.planted, vocabulary);
    expect(needles.length).toBeGreaterThan(3000);
    // A session's id is outside of the seal, as docs/sealing.md says.
    const sealed = line.planted.filter(({ text }) => !raw.sessions.has(text));
    expect(line.planted.length - sealed.length).toBeLessThanOrEqual(1);
    expect(search(raw.haystacks, needlesOf(sealed, vocabulary))).toEqual([]);
    expect(await echoes(line, vocabulary)).toEqual([]);
    await line.foreignRecords();
    expect(search([...released, ...line.written], needles)).toEqual([]);
  });
});

/**
 * A vocabulary entry that was typed, composed, pasted or edited in a session does not come back in what the session's later
 * batches released, though it is public elsewhere.
 */
async function echoes(line: Line, vocabulary: Vocabulary): Promise<string[]> {
  return line.withWorkspace(async (workspace) => {
    const { log, codec } = workspace;
    const opened = await unsealAll(workspace, await readTopic(log, TOPICS.raw));
    const raw = new Map(opened.map((record) => [placeOf(record), record]));
    const entered = enteredBySession(line.planted, vocabulary);
    const found: string[] = [];
    for (const { headers, value } of await readTopic(log, TOPICS.sanitized)) {
      const place = `${headers['source-topic']}/${headers['source-partition']}/${headers['source-offset']}`;
      const source = sequenceOf(codec, raw.get(place));
      if (source === undefined || value === null) continue;
      const texts = textsOf(codec, value);
      for (const { entry, sequence } of entered.get(source.session) ?? []) {
        if (sequence < source.sequence && texts.includes(entry)) found.push(`${entry} in ${place}`);
      }
    }
    return found;
  });
}

const ENTERED: ReadonlySet<string> = new Set(['typed', 'composition', 'clipboard', 'value_change']);

function enteredBySession(
  planted: readonly PlantedString[],
  vocabulary: Vocabulary,
): Map<string, { entry: string; sequence: number }[]> {
  const bySession = new Map<string, { entry: string; sequence: number }[]>();
  for (const { text, where, session, sequence } of planted) {
    if (!ENTERED.has(where)) continue;
    for (const id of vocabulary.occurrences(tokens(text))) {
      const entry = vocabulary.entries[id];
      // Shorter ones say nothing about what was typed, and `{n}` is no text.
      if (entry === undefined || entry.text.replaceAll('{n}', '').replaceAll(/\W/gu, '').length < 3) continue;
      const list = bySession.get(session) ?? [];
      list.push({ entry: normaliseSegment(entry.text), sequence });
      bySession.set(session, list);
    }
  }
  return bySession;
}

function sequenceOf(codec: Codec, record: LogRecord | undefined): { session: string; sequence: number } | undefined {
  return record === undefined ? undefined : openRaw(codec, record);
}

/** Every segment of text that a released batch holds. */
function textsOf(codec: Codec, value: Uint8Array): string[] {
  return codec
    .decodeReleased(value)
    .actions.flatMap(({ window, target, app, url }) =>
      [...(window?.split(' - ') ?? []), ...(target?.split(' - ') ?? []), app, ...(url?.split('/') ?? [])].flatMap(
        (text) => (text === null ? [] : [normaliseSegment(text)]),
      ),
    );
}
