import type { CaptureBatch, KeyPress, RawEvent } from '../../../src/events/raw.ts';
import type { ConsentDecision } from '../../../src/events/control.ts';
import { simulate } from '../../../src/producers/simulator/index.ts';
import type { PlantedString, SimulatedRecord, SimulationOptions } from '../../../src/producers/simulator/index.ts';

export const START = Date.UTC(2026, 2, 2, 8);
export const MINUTE = 60_000;

export interface Simulation {
  readonly records: readonly SimulatedRecord[];
  /** In the order in which they arrived. */
  readonly batches: readonly CaptureBatch[];
  readonly decisions: readonly ConsentDecision[];
  readonly planted: readonly PlantedString[];
  /** By session, in order of arrival. */
  readonly sessions: ReadonlyMap<string, readonly CaptureBatch[]>;
}

export const subjectKey = (subject: string): string => `key(${subject})`;

export function collect(options: Partial<SimulationOptions>): Simulation {
  const planted: PlantedString[] = [];
  const records: SimulatedRecord[] = [];
  const given = { people: 10, minutes: 10, seed: 1, start: START, subjectKey, ...options };
  for (const record of simulate({ ...given, truth: (one) => planted.push(one) })) records.push(record);
  const batches: CaptureBatch[] = [];
  const decisions: ConsentDecision[] = [];
  for (const record of records) {
    if (record.kind === 'consent') decisions.push(record.decision);
    else batches.push({ ...record.record.envelope, ...record.record.payload });
  }
  return { records, batches, decisions, planted, sessions: groupBy(batches, (batch) => batch.session) };
}

export function groupBy<T, K>(list: readonly T[], keyOf: (item: T) => K): Map<K, T[]> {
  const groups = new Map<K, T[]>();
  for (const item of list) {
    const key = keyOf(item);
    const group = groups.get(key);
    if (group === undefined) groups.set(key, [item]);
    else group.push(item);
  }
  return groups;
}

export const keyDowns = (events: readonly RawEvent[]): KeyPress[] =>
  events.flatMap((event) => (event.kind === 'key_down' ? [event] : []));

/** Every text that stood in the focused field at some time in these batches (which must be a session's, in order). */
export function typedTexts(batches: readonly CaptureBatch[]): string[] {
  const editor = new Editor();
  for (const batch of batches) for (const event of batch.events) editor.take(event);
  editor.leave();
  return editor.seen;
}

/** A text field as a fair-sized subset of a real one: enough to see what a person's keys have produced. */
class Editor {
  readonly seen: string[] = [];
  #text: string[] = [];
  #caret = 0;
  readonly #held = new Set<string>();
  #altCode = '';

  take(event: RawEvent): void {
    if (event.kind === 'key_down') this.#down(event.key, event.code);
    else if (event.kind === 'key_up') this.#up(event.key);
    else if (event.kind === 'composition') this.#insert(event.text);
    else if (event.kind === 'focus' || event.kind === 'navigate' || event.kind === 'pointer_down') this.leave();
  }

  leave(): void {
    if (this.#text.length > 0) this.seen.push(this.#text.join(''));
    this.#text = [];
    this.#caret = 0;
  }

  #down(key: string, code: string): void {
    if (MODIFIERS.has(key)) this.#held.add(key);
    else if (key === 'Backspace') this.#erase(this.#caret - 1);
    else if (key === 'Delete') this.#erase(this.#caret);
    else if (key === 'ArrowLeft' && this.#held.size === 0) this.#caret = Math.max(0, this.#caret - 1);
    else if (this.#held.has('Alt') && code.startsWith('Numpad')) this.#altCode += key;
    else if (Array.from(key).length > 1) {
      if (key !== 'Dead' && key !== 'Process') this.leave();
    } else if (this.#held.has('AltGraph') || this.#held.has('Alt')) this.#insert(key);
    else if (this.#held.has('Control') || this.#held.has('Meta')) this.leave();
    else this.#insert(key);
  }

  #up(key: string): void {
    this.#held.delete(key);
    if (key !== 'Alt' || this.#altCode === '') return;
    const place = Number(this.#altCode);
    this.#insert(WINDOWS_1252[place] ?? String.fromCharCode(place));
    this.#altCode = '';
  }

  #insert(text: string): void {
    const characters = Array.from(text);
    this.#text.splice(this.#caret, 0, ...characters);
    this.#caret += characters.length;
  }

  #erase(at: number): void {
    if (at < 0) return;
    this.seen.push(this.#text.join(''));
    this.#text.splice(at, 1);
    this.#caret = at;
  }
}

// Not TextDecoder: Node 20 decodes windows-1252 as Latin-1.
const WINDOWS_1252: Readonly<Record<number, string>> = { 128: '€', 133: '…', 146: '’', 150: '–', 151: '—' };
const MODIFIERS = new Set(['Shift', 'Control', 'Alt', 'AltGraph', 'Meta']);
