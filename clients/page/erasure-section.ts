/** Erasure: asked for, under way, done. */
import type { ErasureState } from '../../src/producers/gateway/protocol.ts';
import { isNo, type Answer } from './api.ts';
import { button, byId, html, say } from './dom.ts';
import type { LoadedSection } from './kept-section.ts';
import { complain, whilePressed, type SectionTools } from './section.ts';

export function createErasureSection(tools: SectionTools & { readonly onDone: () => void }): LoadedSection {
  const { api, speech } = tools;
  const dialog = byId('erase-dialog', HTMLDialogElement);
  const form = byId('erase-form', HTMLFormElement);
  const word = byId('erase-word', HTMLInputElement);
  const error = html('erase-error');
  let answer: Answer<ErasureState> | null = null;
  let epoch = 0;
  /** Whether nobody knows if what was asked for last came to the gateway. */
  let isLost = false;

  function take(next: Answer<ErasureState>): void {
    const wasUnderWay = answer?.kind === 'ok' && answer.body.state === 'under_way';
    answer = next;
    render();
    if (isLost && next.kind === 'ok') {
      forgetError();
      // It had come to the gateway.
      if (next.body.state === 'under_way' && dialog.open) show();
    }
    if (wasUnderWay && next.kind === 'ok' && next.body.state === 'done') tools.onDone();
  }

  function forgetError(): void {
    isLost = false;
    complain(word, error, '');
  }

  function render(): void {
    const state = answer?.kind === 'ok' ? answer.body.state : null;
    say(html('erasure'), textOf());
    button('erase').hidden = state === 'under_way';
    html('erase-later').hidden = state !== 'done';
  }

  function textOf(): string {
    const { words, formats } = speech();
    if (answer === null) return '';
    if (answer.kind !== 'ok') return words.texts.eraseStateFailed;
    const { state, requestedAt, doneAt, rows, sessions } = answer.body;
    switch (state) {
      case 'none':
        return '';
      case 'under_way':
        return words.say.erasing(formats.dayTime(requestedAt ?? 0));
      case 'done':
        return words.say.erased(formats.dayTime(doneAt ?? 0), formats.number(rows), formats.number(sessions));
    }
  }

  async function erase(): Promise<void> {
    const { words } = speech();
    const isTyped = word.value.trim().toLocaleLowerCase(words.lang) === words.eraseWord;
    complain(word, error, isTyped ? '' : words.texts.eraseWrong);
    if (!isTyped) return;
    const mine = ++epoch;
    const asked = await api.post<ErasureState>('v1/me/erasure', { confirm: 'erase' });
    if (mine !== epoch) return;
    if (asked.kind !== 'ok') {
      isLost = !isNo(asked);
      return complain(word, error, isLost ? words.texts.eraseLost : words.texts.eraseFailed);
    }
    isLost = false;
    take(asked);
    show();
  }

  function show(): void {
    dialog.close();
    html('erasure').focus();
  }

  const submit = form.querySelector<HTMLButtonElement>('button[type=submit]');
  const press = submit === null ? erase : whilePressed(submit, erase);
  form.addEventListener('submit', (event) => {
    event.preventDefault();
    void press();
  });
  button('erase').addEventListener('click', () => {
    word.value = '';
    forgetError();
    dialog.showModal();
    word.focus();
  });

  return {
    async load() {
      const mine = epoch;
      const loaded = await api.get<ErasureState>('v1/me/erasure');
      if (mine === epoch) take(loaded);
    },
    render,
    clear() {
      epoch++;
      answer = null;
      word.value = '';
      forgetError();
      if (dialog.open) dialog.close();
      render();
    },
  };
}
