/** What was kept of the person's last days, and what was dropped. */
import type { Kept } from '../../src/producers/gateway/protocol.ts';
import type { Answer } from './api.ts';
import { button, html, make, marked, say, table } from './dom.ts';
import { whilePressed, type Section, type SectionTools, type Speech } from './section.ts';
import { describe, droppedRows } from './words/index.ts';

type Day = Kept['days'][number];

/** Lines of a day that are shown before more are asked for. */
const SHOWN = 15;

export interface LoadedSection extends Section {
  load(): Promise<void>;
}

export function createKeptSection({ api, speech }: SectionTools): LoadedSection {
  let answer: Answer<Kept> | null = null;
  let epoch = 0;
  const opened = new Map<string, boolean>();
  const whole = new Set<string>();

  function render(): void {
    const { texts } = speech().words;
    const days = answer?.kind === 'ok' ? answer.body.days : [];
    say(html('kept-note'), noteOf());
    html('kept').replaceChildren(...days.map((day, i) => dayOf(day, i)));

    function noteOf(): string {
      if (answer === null) return texts.keptLoading;
      if (answer.kind === 'ok') return answer.body.days.length === 0 ? texts.keptNone : '';
      return answer.kind === 'refused' && answer.error === 'not_served' ? texts.keptNotServed : texts.keptFailed;
    }
  }

  function dayOf(day: Day, index: number): HTMLElement {
    const { words, formats } = speech();
    const dropped = Object.values(day.dropped).reduce((sum, events) => sum + events, 0);
    const number = (count: number): string => formats.number(count);
    const sums = words.say.daySums(number(day.rows), number(day.events), number(dropped));
    const bar = make('div', { className: 'bar' }, make('span'));
    bar.ariaHidden = 'true';
    const share = day.events + dropped === 0 ? 0 : day.events / (day.events + dropped);
    bar.style.setProperty('--share', String(share));
    const heading = make('h3', {}, formats.day(day.day));
    const details = make('details', { className: 'day' }, make('summary', {}, heading, make('p', {}, sums), bar));
    details.dataset['day'] = day.day;
    details.open = opened.get(day.day) ?? index === 0;
    details.addEventListener('toggle', () => opened.set(day.day, details.open));

    const seen = new Set<string>();
    details.append(
      make('div', { className: 'columns' }, keptOf(day, seen), droppedOf(day, index)),
      ...legendOf(seen, speech()),
    );
    return details;
  }

  function keptOf({ day, rows, actions }: Day, seen: Set<string>): HTMLElement {
    const { words, formats } = speech();
    const column = make('div', {}, make('h4', {}, words.texts.keptList));
    if (actions.length === 0) {
      column.append(make('p', {}, words.texts.keptNoActions));
      return column;
    }
    const shown = whole.has(day) ? actions : actions.slice(0, SHOWN);
    const list = make('ul', { className: 'actions' });
    for (const action of shown) {
      const { sentence, details } = describe(action, words);
      const item = make('li', {}, ...marked(sentence, seen));
      for (const detail of details) item.append(make('span', { className: 'hint' }, ...marked(detail, seen)));
      list.append(item);
    }
    const last = words.say.lastOf(formats.number(actions.length), formats.number(rows));
    const note = rows > actions.length ? `${words.texts.keptUnordered} ${last}` : words.texts.keptUnordered;
    column.append(make('p', { className: 'hint' }, note), list);
    if (shown.length < actions.length) {
      const more = make('button', {}, words.say.showAll(formats.number(actions.length)));
      more.type = 'button';
      more.addEventListener('click', () => {
        whole.add(day);
        render();
        // The button is gone: go on where the list went on.
        const days = [...html('kept').querySelectorAll<HTMLElement>('.day')];
        const own = days.find(({ dataset }) => dataset['day'] === day);
        const item = own?.querySelector<HTMLElement>(`.actions li:nth-child(${SHOWN + 1})`);
        item?.setAttribute('tabindex', '-1');
        item?.focus();
      });
      column.append(more);
    }
    return column;
  }

  function droppedOf({ dropped }: Day, index: number): HTMLElement {
    const { words, formats } = speech();
    const caption = make('h4', { id: `dropped-${index}` }, words.texts.droppedList);
    const rows = droppedRows(dropped, words).map(([why, events]) => [why, formats.number(events)]);
    if (rows.length === 0) return make('div', {}, caption, make('p', {}, words.texts.droppedNone));
    const headings = [words.texts.droppedReason, words.texts.droppedCount];
    return make('div', {}, caption, table(headings, rows, { countColumn: 1, caption }));
  }

  async function load(): Promise<void> {
    const mine = ++epoch;
    const loaded = await api.get<Kept>('v1/me/kept');
    if (mine !== epoch) return;
    answer = loaded;
    render();
  }

  const reload = whilePressed(button('kept-reload'), load);
  button('kept-reload').addEventListener('click', () => void reload());

  return {
    load,
    render,
    clear() {
      epoch++;
      answer = null;
      opened.clear();
      whole.clear();
      render();
    },
  };
}

/** What the placeholders of a day stand for; none without any. */
function legendOf(seen: ReadonlySet<string>, { words }: Speech): readonly HTMLElement[] {
  if (seen.size === 0) return [];
  const list = make('dl');
  for (const [placeholder, meaning] of Object.entries(words.placeholders)) {
    if (!seen.has(placeholder)) continue;
    list.append(make('dt', {}, make('code', { className: 'mark' }, placeholder)), make('dd', {}, meaning));
  }
  return [make('div', { className: 'legend' }, make('h4', {}, words.texts.legend), list)];
}
