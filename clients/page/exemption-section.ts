/** What the person asks an operator for, and the answers. */
import type { Requests } from '../../src/producers/gateway/protocol.ts';
import { isNo, type Answer } from './api.ts';
import { byId, html, make, say } from './dom.ts';
import type { LoadedSection } from './kept-section.ts';
import { complain, whilePressed, type SectionTools } from './section.ts';

type Request = Requests['requests'][number];

export function createExemptionSection({ api, speech }: SectionTools): LoadedSection {
  const form = byId('exemption-form', HTMLFormElement);
  const reason = byId('reason', HTMLTextAreaElement);
  const error = html('reason-error');
  let answer: Answer<Requests> | null = null;
  let epoch = 0;
  let shown = '';
  /** Whether nobody knows if the last request came to the gateway. */
  let isLost = false;

  function render(): void {
    const { words } = speech();
    renderLeft();
    const now = JSON.stringify([words.lang, answer]);
    if (now === shown) return;
    shown = now;
    const place = html('requests');
    if (answer === null) return place.replaceChildren();
    if (answer.kind !== 'ok') return place.replaceChildren(make('p', {}, words.texts.requestsFailed));
    const requests = [...answer.body.requests].reverse();
    if (requests.length === 0) return place.replaceChildren();
    const list = make('ul', { className: 'requests' }, ...requests.map((request) => requestOf(request)));
    place.replaceChildren(make('h3', {}, words.texts.requestsHeading), list);
  }

  function requestOf({ reason: asked, askedAt, answer: decision, answeredAt, comment }: Request): HTMLElement {
    const { words, formats } = speech();
    const item = make('li', {}, make('p', { className: 'hint' }, words.say.asked(formats.dayTime(askedAt))));
    if (asked !== '') item.append(make('p', {}, words.actions.quoted(asked)));
    const time = formats.dayTime(answeredAt ?? askedAt);
    const outcome = decision === null ? words.texts.requestOpen : words.say[decision](time);
    item.append(make('p', { className: 'answer' }, outcome));
    if (comment !== '') item.append(make('p', {}, `${words.texts.requestAnswer} ${words.actions.quoted(comment)}`));
    return item;
  }

  function renderLeft(): void {
    const { words, formats } = speech();
    const left = reason.maxLength - reason.value.length;
    // Told only when it matters.
    say(html('reason-left'), left <= 200 ? words.say.charactersLeft(formats.number(left)) : '');
  }

  async function send(): Promise<void> {
    const { texts } = speech().words;
    say(html('exemption-done'), '');
    const text = reason.value.trim();
    complain(reason, error, text === '' ? texts.exemptionMissing : '');
    if (text === '') return;
    const mine = ++epoch;
    const sent = await api.post<Requests>('v1/me/exemption', { reason: text });
    if (mine !== epoch) return;
    if (sent.kind !== 'ok') {
      const isTooMany = sent.kind === 'refused' && sent.error === 'too_many_requests';
      isLost = !isNo(sent);
      complain(reason, error, isTooMany ? texts.tooManyRequests : isLost ? texts.exemptionLost : texts.failed);
      return;
    }
    answer = sent;
    reason.value = '';
    say(html('exemption-done'), texts.exemptionSent);
    render();
  }

  const submit = form.querySelector('button');
  const press = submit === null ? send : whilePressed(submit, send);
  form.addEventListener('submit', (event) => {
    event.preventDefault();
    void press();
  });
  reason.addEventListener('input', renderLeft);

  return {
    async load() {
      const mine = epoch;
      const loaded = await api.get<Requests>('v1/me/requests');
      if (mine !== epoch) return;
      answer = loaded;
      if (isLost && loaded.kind === 'ok') complain(reason, error, '');
      if (loaded.kind === 'ok') isLost = false;
      const isOpen = loaded.kind !== 'ok' || loaded.body.requests.some((request) => request.answer === null);
      if (!isOpen) say(html('exemption-done'), '');
      render();
    },
    render() {
      complain(reason, error, '');
      say(html('exemption-done'), '');
      render();
    },
    clear() {
      epoch++;
      answer = null;
      isLost = false;
      reason.value = '';
      complain(reason, error, '');
      say(html('exemption-done'), '');
      render();
    },
  };
}
