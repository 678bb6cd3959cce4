/** The two lists. All text comes in by `textContent`: what was typed is never read as anything else. */
import type {
  PlaygroundPolicy,
  ProcessedBatch,
  SettingsAnswer,
  ShownAction,
} from '../../src/runtime/playground/protocol.ts';
import { linesOf, type Fate, type Line } from './events.ts';
import type { ShownBatch } from './model.ts';
import type { Why } from './why.ts';

export interface View {
  /** Newest first. */
  readonly show: (batches: readonly ShownBatch[], policy: PlaygroundPolicy) => void;
}

type PolicyShown = SettingsAnswer['policies'][number];

/** Columns of an action in the order in which they are shown. */
const CELLS = [
  'key',
  'target_role',
  'target',
  'length',
  'direction',
  'count',
  'button',
  'cell',
  'pause',
] as const satisfies readonly (keyof ShownAction)[];
/** Columns that mostly stay the same from one action to the next: shown where they change. */
const PLACE = ['window', 'url', 'app'] as const satisfies readonly (keyof ShownAction)[];
const PLACEHOLDER = /\{[a-z_]+\}/gu;

export function createView(list: HTMLElement, settings: SettingsAnswer, why: Why): View {
  const shown = new Map<string, { readonly item: HTMLElement; readonly signature: string }>();

  function chip(text: string, reason: string, classes: string, label = ''): HTMLElement {
    const element = document.createElement('button');
    element.type = 'button';
    element.className = `chip ${classes}`;
    if (label !== '') element.append(node('span', label, 'label'), ' ');
    // What a placeholder stands for is seen at a glance.
    let end = 0;
    for (const match of text.matchAll(PLACEHOLDER)) {
      element.append(text.slice(end, match.index), node('mark', match[0]));
      end = match.index + match[0].length;
    }
    element.append(text.slice(end));
    why.on(element, reason);
    return element;
  }

  const reasonOf = (name: string): string => settings.dropped[name]?.why ?? settings.quarantined[name] ?? name;

  function lineOf(line: Line, policy: PolicyShown): HTMLElement {
    const { fate } = line;
    const element = node('li', '', `line ${fate.kind}${line.what === 'in' ? ' place' : ''}`);
    const reason = whyOfFate(fate);
    const what = reason === null ? node('span', line.what, 'what') : chip(line.what, reason, `what ${fate.kind}`);
    element.append(what);
    for (const { raw, text } of line.pieces) {
      const lost = reason ?? (raw === null ? '' : (policy.raw[raw] ?? ''));
      element.append(' ', chip(text, lost, `piece ${raw ?? ''} ${fate.kind}`));
    }
    return element;
  }

  function whyOfFate(fate: Fate): string | null {
    if (fate.kind === 'lost') return reasonOf(fate.reason);
    return fate.kind === 'waiting' ? settings.waiting : null;
  }

  function sawOf(batch: ShownBatch, policy: PolicyShown): HTMLElement {
    const side = node('div', '', 'saw');
    const state = batch.result !== undefined ? 'processed' : batch.isSent ? 'sealed and sent' : 'not sent yet';
    side.append(node('p', `batch ${batch.sequence + 1} · ${batch.events.length} events · ${state}`, 'note'));
    const lines = node('ul', '', 'lines');
    lines.append(...linesOf(batch.events, batch.fates).map((line) => lineOf(line, policy)));
    side.append(lines);
    return side;
  }

  function releasedOf({ result, fates }: ShownBatch, policy: PolicyShown): HTMLElement {
    const side = node('div', '', 'released');
    if (result === undefined) {
      side.append(node('p', '…', 'note'));
      return side;
    }
    const { batch } = result;
    if (batch !== null) {
      side.append(headOf(batch, policy));
      const actions = node('ol', '', 'actions');
      let place = '';
      for (const action of batch.actions) {
        const here = JSON.stringify(PLACE.map((column) => action[column]));
        if (here !== place && PLACE.some((column) => action[column] !== null)) actions.append(placeOf(action, policy));
        place = here;
        actions.append(actionOf(action, policy));
      }
      side.append(actions);
    }
    const notes = node('p', '', 'losses');
    const waiting = fates.filter(({ kind }) => kind === 'waiting').length;
    if (waiting > 0) notes.append(chip(`waiting × ${waiting}`, settings.waiting, 'waiting'), ' ');
    for (const [name, count] of Object.entries(result.dropped)) {
      notes.append(chip(`${name.replaceAll('_', ' ')} × ${count}`, reasonOf(name), 'lost'), ' ');
    }
    if (result.kind === 'quarantine' && result.reason !== null) {
      notes.append(chip(`quarantined: ${result.reason.replaceAll('_', ' ')}`, reasonOf(result.reason), 'lost'));
    }
    if (batch === null && waiting === 0) {
      // What was held back has gone into an action that a later batch ended.
      const isLater = fates.some(({ kind }) => kind === 'kept');
      side.append(node('p', isLater ? 'became part of a later action' : 'nothing is released of it', 'note'));
    }
    if (notes.childNodes.length > 0) side.append(notes);
    return side;
  }

  function headOf(batch: NonNullable<ProcessedBatch['batch']>, { columns }: PolicyShown): HTMLElement {
    const head = node('p', '', 'note');
    head.append(
      chip(`${batch.session.slice(0, 8)}…`, columns['session'] ?? '', 'id', 'session'),
      ' ',
      chip(batch.subject === null ? 'none' : `${batch.subject.slice(0, 8)}…`, columns['subject'] ?? '', 'id', 'person'),
      ' ',
      chip(batch.date, columns['date'] ?? '', 'id', 'day'),
    );
    return head;
  }

  function placeOf(action: ShownAction, policy: PolicyShown): HTMLElement {
    const element = node('li', '', 'place');
    element.append(node('span', 'in', 'what'), ...cellsOf(action, PLACE, policy));
    return element;
  }

  function cellsOf(
    action: ShownAction,
    names: readonly (keyof typeof action & (typeof CELLS | typeof PLACE)[number])[],
    { columns }: PolicyShown,
  ): readonly (Node | string)[] {
    return names.flatMap((column) => {
      const value = action[column];
      if (value === null) return [];
      return [' ', chip(value, whyOfValue(value, columns[column] ?? ''), 'cell', column.replace('_', ' '))];
    });
  }

  function actionOf(action: ShownAction, policy: PolicyShown): HTMLElement {
    const { columns, losses } = policy;
    const element = node('li', '', 'action');
    element.append(chip(action.action, columns['action'] ?? '', 'does'), ...cellsOf(action, CELLS, policy));
    for (const { what, why: reason } of losses[action.action] ?? []) element.append(' ', chip(what, reason, 'lost'));
    return element;
  }

  function whyOfValue(value: string, column: string): string {
    const placeholders = [...new Set(value.match(PLACEHOLDER))].map((found) => settings.placeholders[found]);
    return [...placeholders.filter((text) => text !== undefined), column].join('\n');
  }

  function itemOf(batch: ShownBatch, policy: PolicyShown): HTMLElement {
    const item = node('li', '', 'batch');
    item.append(sawOf(batch, policy), releasedOf(batch, policy));
    return item;
  }

  return {
    show(batches, name) {
      const policy = settings.policies.find((each) => each.name === name);
      if (policy === undefined) return;
      const ids = new Set(batches.map(({ id }) => id));
      for (const [id, { item }] of shown) {
        if (ids.has(id)) continue;
        item.remove();
        shown.delete(id);
      }
      let after: HTMLElement | null = null;
      for (const batch of batches) {
        const before = shown.get(batch.id);
        // What has not changed stays: it may have the focus, or tell why.
        const signature = JSON.stringify([
          name,
          batch.isSent,
          batch.events.length,
          batch.fates,
          batch.result !== undefined,
        ]);
        let item = before?.item;
        if (item === undefined || before?.signature !== signature) {
          if (item?.contains(document.activeElement) === true || item?.matches(':hover') === true) why.hide();
          const fresh = itemOf(batch, policy);
          if (item !== undefined) item.replaceWith(fresh);
          item = fresh;
          shown.set(batch.id, { item, signature });
        }
        if (item.parentElement === null) {
          if (after === null) list.prepend(item);
          else after.after(item);
        }
        after = item;
      }
    },
  };
}

function node(name: string, text: string, className = ''): HTMLElement {
  const element = document.createElement(name);
  element.textContent = text;
  if (className !== '') element.className = className;
  return element;
}
