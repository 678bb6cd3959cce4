/** Whether recording is on, and what the person decides about it. */
import type { Status } from '../../src/producers/gateway/protocol.ts';
import { isNo, type Answer } from './api.ts';
import { button, byId, html, make, say } from './dom.ts';
import { clockOf } from './formats.ts';
import { whilePressed, type Section, type SectionTools } from './section.ts';
import { readStatus, standingOf, type Standing, type Trouble } from './standing.ts';
import type { TextKey, Words } from './words/index.ts';

const PAUSES = [5, 15, 30] as const;
const POLL_MS = 4_000;
/** The longest wait after several questions without an answer. */
const MAX_WAIT_MS = 20_000;

export interface StatusSection extends Section {
  /** Asks how the person stands; resolves to ms until it should be asked again. */
  ask(): Promise<number>;
  /** Counts down, and lets what is too old be known as such. */
  tick(): void;
}

/** When a question was asked. Its answer is at least as old as that is long ago: never younger than it is told to be. */
interface Moment {
  /** By the device's clock, ms. */
  readonly at: number;
  /** Of a clock that nobody sets, ms. */
  readonly ticks: number;
}

interface Answered extends Moment {
  readonly status: Status;
}

const ERRORS = ['decide-error', 'withdraw-error'] as const;
const MORE_OF = { unreachable: 'unsureMore', busy: 'busyMore', refused: 'refusedMore' } as const;

const thisMoment = (): Moment => ({ at: Date.now(), ticks: performance.now() });

export function createStatusSection(tools: SectionTools & { readonly onPauseOver: () => void }): StatusSection {
  const { api, speech } = tools;
  const section = html('status');
  const withdrawDialog = byId('withdraw-dialog', HTMLDialogElement);
  let answered: Answered | null = null;
  let trouble: Trouble | null = null;
  let failures = 0;
  /** Counts the people that the page was of: what was asked for one is nothing to tell the next. */
  let epoch = 0;
  /** Counts decisions begun and ended: an answer from before one of them says nothing of now. */
  let decisions = 0;
  /** Where is told that nobody knows what came of a decision. */
  const doubts = new Set<string>();
  let told: Standing['kind'] | null = null;
  let toldAbout: Standing['kind'] | null = null;

  /** One clock may have been set, the other may have slept: what is older is older. */
  const ageMs = ({ at, ticks }: Answered): number => Math.max(Date.now() - at, performance.now() - ticks);

  const standing = (): Standing =>
    standingOf(answered === null ? null : { status: answered.status, ageMs: ageMs(answered) }, trouble);

  function take(answer: Answer<unknown>, asked: Moment): boolean {
    const status = answer.kind === 'ok' ? readStatus(answer.body) : null;
    if (status === null) {
      trouble =
        answer.kind === 'refused' ? (isNo(answer) && answer.status !== 429 ? 'refused' : 'busy') : 'unreachable';
      return false;
    }
    const before = answered?.status.recording ?? status.recording;
    answered = { status, ...asked };
    trouble = null;
    failures = 0;
    // What was not known is known now. A no stands, unless it was about what is over.
    if (before !== status.recording) forgetErrors();
    else forget(doubts);
    return true;
  }

  function forget(errors: Iterable<string>): void {
    for (const id of errors) say(html(id), '');
    doubts.clear();
  }
  const forgetErrors = (): void => forget(ERRORS);

  /** Goes on from what had the focus and was hidden, or is an error that is over. */
  function keepFocus(focused: Element | null): void {
    if (focused === null || focused === document.body) return;
    if (focused.getClientRects().length > 0 && !focused.matches('.error:empty')) return;
    const error = html('decide-error');
    (error.textContent === '' ? html('standing') : error).focus();
  }

  /**
   * @param no what is told when the gateway says no.
   * @param lost what is told when nobody knows whether it was done.
   * @param error where that is told.
   * @returns whether it was done, for the person who asked for it.
   */
  async function decide(
    path: string,
    body: object | undefined,
    { no, lost, error = 'decide-error' }: { readonly no: TextKey; readonly lost: TextKey; readonly error?: string },
  ): Promise<boolean> {
    const mine = epoch;
    decisions++;
    forgetErrors();
    say(html('decide-done'), speech().words.texts.working);
    const asked = thisMoment();
    const answer = await api.post<unknown>(path, body);
    if (mine !== epoch) return false;
    decisions++;
    say(html('decide-done'), '');
    const isTaken = take(answer, asked);
    if (!isTaken) {
      say(html(error), speech().words.texts[isNo(answer) ? no : lost]);
      if (!isNo(answer)) doubts.add(error);
    }
    render();
    // A press by a pointer gives no focus everywhere.
    if (isTaken && document.activeElement === document.body) html('standing').focus();
    return isTaken;
  }

  function render(): void {
    const { words, formats } = speech();
    const now = standing();
    const focused = document.activeElement;
    section.dataset['kind'] = now.kind;
    say(html('standing'), words.texts[now.kind]);
    say(html('standing-more'), moreOf(now));
    const countdown = html('countdown');
    countdown.hidden = now.kind !== 'paused';
    say(countdown, now.kind === 'paused' ? words.say.pauseLeft(clockOf(now.leftMs)) : '');

    const isOff = now.kind === 'withdrawn' || now.kind === 'exempt' || now.kind === 'not_enrolled';
    html('decide').hidden = isOff;
    button('resume').hidden = now.kind !== 'paused';
    say(html('pause-heading'), words.texts[now.kind === 'paused' ? 'pauseAgain' : 'pauseHeading']);
    html('withdrawal').hidden = now.kind === 'not_enrolled';
    button('withdraw').hidden = now.kind === 'withdrawn';
    html('withdrawn-already').hidden = now.kind !== 'withdrawn';
    if (toldAbout !== null && toldAbout !== now.kind) {
      say(html('decide-done'), '');
      toldAbout = null;
    }
    if (now.kind === 'withdrawn' && withdrawDialog.open) {
      withdrawDialog.close();
      html('standing').focus();
    }
    keepFocus(focused);
    if (now.kind === 'pauseOver' && told !== 'pauseOver') tools.onPauseOver();
    told = now.kind;

    const { sentBytesToday = 0, dataBudgetBytes = 0, thin = [] } = answered?.status ?? {};
    const share = dataBudgetBytes === 0 ? 0 : Math.min(1, sentBytesToday / dataBudgetBytes);
    const sent = words.say.sent(formats.bytes(sentBytesToday), formats.bytes(dataBudgetBytes), formats.share(share));
    say(html('sent'), answered === null ? '' : sent);
    html('sent-bar').style.setProperty('--share', String(share));
    html('thin').hidden = thin.length === 0;
  }

  function moreOf(now: Standing): string {
    const { words, formats } = speech();
    const { texts, say: tell } = words;
    switch (now.kind) {
      case 'unsure': {
        const more = texts[MORE_OF[now.trouble]];
        if (answered === null) return more;
        return `${more} ${tell.lastKnown(wasOf(answered.status, words), formats.time(answered.at))}`;
      }
      case 'recording':
        return `${tell.sessions(now.sessions, formats.number(now.sessions))} ${texts.recordingMore}`;
      case 'paused':
        return `${tell.pausedUntil(formats.time(now.until))}. ${texts.pausedMore}`;
      case 'checking':
      case 'pauseOver':
        return texts.checkingMore;
      case 'allowed':
        return texts.allowedMore;
      case 'withdrawn':
        return texts.withdrawnMore;
      case 'exempt':
        return texts.exemptMore;
      case 'not_enrolled':
        return texts.not_enrolledMore;
    }
  }

  function makePauseButtons(): void {
    const { words } = speech();
    html('pauses').replaceChildren(
      ...PAUSES.map((minutes) => {
        const pause = make('button', {}, words.say.pauseFor(minutes));
        pause.type = 'button';
        const press = whilePressed(pause, async () => {
          await decide('v1/me/pause', { minutes }, { no: 'pauseFailed', lost: 'pauseLost' });
        });
        pause.addEventListener('click', () => void press());
        return pause;
      }),
    );
  }

  const resume = whilePressed(button('resume'), async () => {
    if (!(await decide('v1/me/resume', undefined, { no: 'resumeFailed', lost: 'resumeLost' }))) return;
    toldAbout = standing().kind;
    say(html('decide-done'), speech().words.texts.resumed);
  });
  button('resume').addEventListener('click', () => void resume());

  const withdraw = whilePressed(button('withdraw-yes'), async () => {
    const told = { no: 'withdrawFailed', lost: 'withdrawLost', error: 'withdraw-error' } as const;
    await decide('v1/me/withdraw', undefined, told);
  });
  button('withdraw-yes').addEventListener('click', () => void withdraw());
  button('withdraw').addEventListener('click', () => {
    say(html('withdraw-error'), '');
    withdrawDialog.showModal();
  });

  return {
    async ask() {
      const before = decisions;
      const asked = thisMoment();
      const answer = await api.get<unknown>('v1/me');
      if (before === decisions && !take(answer, asked)) failures++;
      render();
      const wait = Math.min(MAX_WAIT_MS, POLL_MS * 2 ** Math.min(failures, 3));
      return answer.kind === 'refused' ? Math.max(wait, Math.min(answer.retryAfterMs, 60_000)) : wait;
    },
    render() {
      makePauseButtons();
      forgetErrors();
      say(html('decide-done'), '');
      render();
    },
    tick: render,
    clear() {
      answered = null;
      trouble = null;
      decisions++;
      epoch++;
      forgetErrors();
      say(html('decide-done'), '');
      if (withdrawDialog.open) withdrawDialog.close();
      render();
    },
  };
}

function wasOf({ recording, sessions }: Status, { texts }: Words): string {
  switch (recording) {
    case 'enrolled':
      return sessions > 0 ? texts.wasRecording : texts.wasAllowed;
    case 'paused':
      return texts.wasPaused;
    case 'withdrawn':
    case 'exempt':
    case 'not_enrolled':
      return texts.wasOff;
  }
}
