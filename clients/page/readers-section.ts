/** Who had access to raw data. */
import type { Readers } from '../../src/producers/gateway/protocol.ts';
import type { Answer } from './api.ts';
import { html, say, table } from './dom.ts';
import type { LoadedSection } from './kept-section.ts';
import type { SectionTools } from './section.ts';

export function createReadersSection({ api, speech }: SectionTools): LoadedSection {
  let answer: Answer<Readers> | null = null;
  let epoch = 0;

  function noteOf(): string {
    const { texts } = speech().words;
    if (answer === null) return texts.keptLoading;
    if (answer.kind === 'ok') return answer.body.readers.length === 0 ? texts.readersNone : '';
    return answer.kind === 'refused' && answer.error === 'not_served' ? texts.readersNotServed : texts.readersFailed;
  }

  function render(): void {
    const { words, formats } = speech();
    const { texts } = words;
    const readers = answer?.kind === 'ok' ? answer.body.readers : [];
    say(html('readers-note'), noteOf());
    const place = html('readers');
    place.className = 'stacks';
    if (readers.length === 0) {
      place.replaceChildren();
      return;
    }
    const headings = [texts.readerWhen, texts.readerWho, texts.readerWhat, texts.readerWhy];
    const rows = readers.map(({ at, who, what, why }) => [formats.dayTime(at), who, what, why]);
    place.replaceChildren(table(headings, rows, { caption: html('readers-heading') }));
  }

  return {
    async load() {
      const mine = ++epoch;
      const loaded = await api.get<Readers>('v1/me/readers');
      if (mine !== epoch) return;
      answer = loaded;
      render();
    },
    render,
    clear() {
      epoch++;
      answer = null;
      render();
    },
  };
}
