/** The playground: a made-up app, a recorder that watches it, and what is released of that. */
import { CLIPBOARD_OPS, RAW_KINDS } from '../../src/events/raw.ts';
import type { PlaygroundPolicy, SettingsAnswer } from '../../src/runtime/playground/protocol.ts';
import { createRecorder, type RecorderState, type Tap } from '../web/recorder.ts';
import { find, startApp } from './app.ts';
import type { SeenEvent } from './events.ts';
import { AnswerError, createSource } from './feed.ts';
import { createModel } from './model.ts';
import { createView } from './view.ts';
import { createWhy } from './why.ts';

/** Where the token lies while the tab lives, so that the page can be loaded again. */
const STORED = 'redactory-playground';

/** The token of the address, which must not stay there: the recorder tells of addresses. */
function takeToken(): string | null {
  const given = /^#token=(.+)$/u.exec(location.hash)?.[1];
  if (given === undefined) return sessionStorage.getItem(STORED);
  sessionStorage.setItem(STORED, given);
  history.replaceState(null, '', location.pathname);
  return given;
}

const byId = (id: string): HTMLElement => find(document, id, HTMLElement);

function say(status: string, text: string): void {
  const state = byId('state');
  state.textContent = text;
  state.dataset['status'] = status;
}

function sayState({ status, reason }: RecorderState): void {
  say(status, reason === null ? status : `${status}: ${reason.replaceAll('_', ' ')}`);
}

const eventOf = (...[event, page, seen]: Parameters<Tap>): SeenEvent => {
  const { key, entered: text, x, y, op } = event;
  const known = { key, text, x, y, op: op === undefined ? undefined : CLIPBOARD_OPS[op] };
  const given = Object.fromEntries(Object.entries(known).filter(([, value]) => value !== undefined));
  const { title, url } = page;
  const { role = '', name = '' } = seen ?? {};
  return { ...given, kind: RAW_KINDS[event.kind] ?? 'unknown', title, url, role, name };
};

function showPolicies(settings: SettingsAnswer, chosen: (policy: PlaygroundPolicy) => void): void {
  for (const { name, description } of settings.policies) {
    const input = document.createElement('input');
    input.type = 'radio';
    input.name = 'policy';
    input.value = name;
    input.checked = name === 'strict';
    const choose = (): void => {
      byId('policy-says').textContent = description;
      chosen(name);
    };
    input.addEventListener('change', choose);
    const label = document.createElement('label');
    label.append(input, name);
    byId('policies').append(label);
    if (input.checked) choose();
  }
}

/** A function that does its work once before the next picture, however often it is called. */
function oncePerFrame(work: () => void): () => void {
  let isDue = false;
  return () => {
    if (isDue) return;
    isDue = true;
    requestAnimationFrame(() => {
      isDue = false;
      work();
    });
  };
}

async function start(token: string): Promise<void> {
  const source = createSource(token);
  const settings = await source.settings();
  byId('me').hidden = !settings.hasPersonPage;
  const model = createModel(settings.dropped);
  const view = createView(byId('batches'), settings, createWhy(byId('why')));
  let policy: PlaygroundPolicy = 'strict';
  const render = oncePerFrame(() => {
    const { events, actions } = model.counts(policy);
    byId('empty').hidden = events > 0;
    byId('seen-count').textContent = `${events} events`;
    byId('released-count').textContent = `${actions} actions`;
    view.show(model.shown(policy), policy);
  });
  showPolicies(settings, (chosen) => {
    policy = chosen;
    render();
  });
  const recorder = createRecorder(
    {
      gateway: location.origin,
      token,
      subject: settings.subject,
      device: `tab-${crypto.randomUUID().slice(0, 8)}`,
      app: 'Browser',
      flushMs: settings.flushMs,
      onState: sayState,
    },
    (event, page, seen, session) => {
      // The batches before it are closed, and on their way.
      for (let sequence = session.batch - 1; sequence >= Math.max(0, session.batch - 3); sequence--) {
        model.sent(session.id, sequence);
      }
      model.saw(eventOf(event, page, seen, session), session);
      render();
    },
  );
  recorder.start();
  await source.follow(
    ({ batches }) => {
      for (const batch of batches) model.processed(batch);
      render();
    },
    (status) => {
      if (status === 401 || status === 404) say('failed', 'the playground was stopped: start it again');
    },
  );
}

startApp(document);
const token = takeToken();
if (token === null) say('failed', 'open the address that the command printed');
else {
  start(token).catch((error: unknown) => {
    const isOver = error instanceof AnswerError && (error.status === 401 || error.status === 404);
    say('failed', isOver ? 'this address is of an earlier run: open the new one' : 'the playground does not answer');
  });
}
