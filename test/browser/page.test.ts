/** The recorded worker's page in a real browser, on a real gateway with an embedded log of its own. */
import { createRequire } from 'node:module';
import { mkdtemp, mkdir, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { BrowserContextOptions, Page, Route } from 'playwright-core';
import { afterAll, afterEach, beforeAll, beforeEach, expect, it } from 'vitest';
import { buildPage } from '../../dev/build-page.ts';
import { loadConfig } from '../../src/config.ts';
import { makeDecision, type DecisionKind } from '../../src/privacy/decisions.ts';
import { loadPolicy } from '../../src/privacy/policy.ts';
import { pagesIn, redirect } from '../../src/producers/gateway/pages.ts';
import type { PersonView } from '../../src/producers/gateway/person-view.ts';
import type { Grant, Kept, KeptAction, Readers } from '../../src/producers/gateway/protocol.ts';
import { issueDevice } from '../../src/runtime/devices.ts';
import { appendErasure } from '../../src/runtime/erasures.ts';
import { serveGateway, type RunningGateway } from '../../src/runtime/gateway.ts';
import { appendDecision } from '../../src/runtime/ingest.ts';
import { answerRequest, openRequests } from '../../src/runtime/requests.ts';
import { createLogger, createTelemetry } from '../../src/runtime/telemetry.ts';
import { openWorkspace, type Workspace } from '../../src/runtime/workspace.ts';
import { describeWithChromium, launchChromium, type ChromiumBrowser, type TestPage } from '../servers/chromium.ts';

const START = Date.UTC(2026, 10, 25, 9);
const MINUTE = 60_000;
/** Between two questions of the page, and a little more. */
const POLL = 4_500;
const SLOW_POLL = 21_000;

const ROW: KeptAction = {
  action: 'click',
  app: 'Word',
  window: '{file} - Word',
  url: null,
  target_role: 'button',
  target: 'Save',
  key: null,
  button: 'left',
  direction: null,
  cell: 'top-left',
  pause: null,
  length: null,
  count: null,
};
const blank = { window: null, target_role: null, target: null, button: null, cell: null };
const KEPT_OF_ANA: Kept = {
  days: [
    {
      day: '2026-11-25',
      rows: 214,
      events: 1_930,
      dropped: { pointer_path: 7_441, key_up: 640, excluded_context: 122, paused: 8, subject_mismatch: 3 },
      actions: [
        ROW,
        { ...ROW, action: 'type', target_role: 'textbox', target: 'Subject', length: '<16', button: null, cell: null },
        { ...ROW, ...blank, action: 'press', key: 'Enter', count: '<4' },
        { ...ROW, ...blank, action: 'navigate', app: 'Chrome', url: 'https://{host}/{part}/{n}', window: '{typed}' },
        { ...ROW, ...blank, action: 'scroll', app: 'Chrome', direction: 'down', count: '<16' },
        { ...ROW, ...blank, action: 'away', app: null },
        ...Array.from({ length: 34 }, (_, i) => ({
          ...ROW,
          ...blank,
          target_role: 'link',
          target: `<b>Link ${i}</b>`,
        })),
      ],
    },
    { day: '2026-11-24', rows: 0, events: 0, dropped: { paused: 512 }, actions: [] },
  ],
};
const KEPT_OF_BEN: Kept = {
  days: [{ day: '2026-11-25', rows: 1, events: 2, dropped: {}, actions: [{ ...ROW, target: 'Only of Ben' }] }],
};
const READERS: Readers = {
  readers: [
    { at: START - 3_600_000, who: 'maria (operator)', what: 'replay', why: 'policy 12 keeps less of window titles' },
    { at: START - 86_400_000, who: 'sanitizer', what: 'vocabulary build', why: 'quarterly review of the vocabulary' },
  ],
};

const SCREENSHOTS = process.env['REDACTORY_SCREENSHOTS'] ?? '';

let browser: ChromiumBrowser;
let built: string;
let dir: string;
let workspace: Workspace;
let gateway: RunningGateway;
let clock: number;
let opened: TestPage | undefined;

async function serve(settings: object = {}, view?: PersonView): Promise<void> {
  const config = await loadConfig({ env: {}, cwd: dir });
  workspace = await openWorkspace(
    { ...config, gateway: { ...config.gateway, port: 0, ...settings } },
    {},
    { role: 'gateway', now: () => clock },
  );
  const { policy } = await loadPolicy(config.policy);
  const telemetry = createTelemetry(createLogger({ level: 'info', pretty: false, to: { write: () => undefined } }));
  const pages = [redirect('/', 'me'), ...(await pagesIn(built, '/me'))];
  const given = { pages, elapsed: () => clock, ...(view === undefined ? {} : { view }) };
  gateway = await serveGateway({ workspace, policy, telemetry, ...given });
}

/** Knows of ana and of ben, each by the key of who asks. */
async function viewOfTwo(): Promise<PersonView> {
  const keyOf = await workspaceKeys();
  return {
    kept: async ({ subjectKey }) =>
      subjectKey === keyOf('ana') ? KEPT_OF_ANA : subjectKey === keyOf('ben') ? KEPT_OF_BEN : { days: [] },
    readers: async ({ subjectKey }) => (subjectKey === keyOf('ana') ? READERS : { readers: [] }),
  };
}

/** The keys are the same for every workspace on this folder. */
async function workspaceKeys(): Promise<(subject: string) => string> {
  const config = await loadConfig({ env: {}, cwd: dir });
  const other = await openWorkspace(config, {}, { role: 'gateway', now: () => clock });
  try {
    return await other.subjectKeys();
  } finally {
    await other.close();
  }
}

async function decide(kind: DecisionKind, subject = 'ana'): Promise<void> {
  const subjectKey = (await workspace.subjectKeys())(subject);
  await appendDecision(
    workspace.log,
    workspace.codec,
    makeDecision(kind, { subjectKey, now: clock, randomId: () => `${kind}-${clock}` }),
  );
}

/** Enrolled since an hour ago, with a token. */
async function enrolled(subject = 'ana'): Promise<string> {
  clock -= 60 * MINUTE;
  await decide('enrol', subject);
  clock += 60 * MINUTE;
  const subjectKey = (await workspace.subjectKeys())(subject);
  const times = { issuedAt: clock, expiresAt: clock + 86_400_000 };
  return (await issueDevice(workspace, { subjectKey, device: null, ...times })).text;
}

/** What a recorder asks. */
async function ask(token: string, method: string, path: string, json?: object): Promise<Response> {
  return fetch(`${gateway.address}${path}`, {
    method,
    headers: {
      authorization: `Bearer ${token}`,
      ...(json === undefined ? {} : { 'content-type': 'application/json' }),
    },
    ...(json === undefined ? {} : { body: JSON.stringify(json) }),
  });
}

async function granted(token: string): Promise<Grant> {
  const answer = await ask(token, 'POST', '/v1/sessions', { device: 'laptop' });
  expect(answer.status).toBe(201);
  return (await answer.json()) as Grant; // as the gateway checks it
}

const put = async (token: string, { session }: Grant, sequence: number, subject = 'ana'): Promise<number> => {
  const events = [{ kind: 'navigate', at: clock }];
  const batch = { subject, device: 'laptop', events };
  return (await ask(token, 'PUT', `/v1/sessions/${session}/batches/${sequence}`, batch)).status;
};

/** The page as a person sees it whose clock stands still but for {@link pass}. */
async function open(path: string, options: BrowserContextOptions = {}): Promise<Page> {
  const one = await browser.newPage({ locale: 'en-GB', timezoneId: 'Europe/Berlin', ...options });
  opened = one;
  one.page.setDefaultTimeout(10_000);
  await one.page.clock.install({ time: clock - MINUTE });
  await one.page.clock.pauseAt(clock);
  await one.page.goto(`${gateway.address}${path}`);
  return one.page;
}

async function openAs(token: string, options: BrowserContextOptions = {}): Promise<Page> {
  const page = await open(`/me#token=${token}`, options);
  await page.locator('#kept-note:empty, #kept-note:has-text(".")').waitFor({ state: 'attached' });
  return page;
}

/** Time passes for the person and for the gateway, as for a device that slept: in one step, so that the two never differ. */
async function pass(page: Page, ms: number): Promise<void> {
  clock += ms;
  await page.clock.fastForward(ms);
}

async function shot(page: Page, name: string): Promise<void> {
  if (SCREENSHOTS === '') return;
  await mkdir(SCREENSHOTS, { recursive: true });
  const whole = !(await page.locator('dialog[open]').count());
  await page.screenshot({ path: join(SCREENSHOTS, `${name}.png`), fullPage: whole, animations: 'disabled' });
}

const standing = (page: Page): ReturnType<Page['locator']> => page.locator('#standing');
const says = async (page: Page, selector: string, text: string | RegExp): Promise<void> => {
  await page.locator(selector).filter({ hasText: text }).waitFor();
};

/** What a browser writes by itself of an answer that is not 2xx, or is none, is the answer's matter. */
const ANSWERED =
  /^error: Failed to load resource: (?:the server responded with a status of (?:401|403|429|503)|net::ERR_FAILED)/u;
const problems = (one: TestPage): readonly string[] => one.console.filter((line) => !ANSWERED.test(line));

const AXE = await readFile(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8');

/** What axe-core has to say against a page, one line each. */
async function complaints(page: Page): Promise<readonly string[]> {
  await page.evaluate(AXE);
  // It waits for timers of its own.
  await page.clock.resume();
  const run = `axe.run(document, { runOnly: ['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'wcag22aa', 'best-practice'] })
    .then(({ violations, passes }) => [passes.length, ...violations.flatMap(({ id, nodes }) => nodes.map((node) => id + ' ' + node.target + ' ' + node.failureSummary))])`;
  const [passes, ...violations] = await page.evaluate<[number, ...string[]]>(run);
  await page.clock.pauseAt((await page.evaluate<number>('Date.now()')) + 1_000);
  expect(passes).toBeGreaterThan(10);
  return violations;
}

/** Pixels by which the page is wider than its window. */
const overflow = (page: Page): Promise<number> =>
  page.evaluate<number>('document.documentElement.scrollWidth - document.documentElement.clientWidth');

describeWithChromium("the worker's page", () => {
  beforeAll(async () => {
    built = await mkdtemp(join(tmpdir(), 'redactory-page-'));
    await buildPage(built);
    browser = await launchChromium();
  });
  afterAll(async () => {
    await browser.close();
    await rm(built, { recursive: true });
  });
  beforeEach(async () => {
    dir = await mkdtemp(join(tmpdir(), 'redactory-page-log-'));
    clock = START;
  });
  afterEach(async () => {
    const one = opened;
    opened = undefined;
    await one?.close();
    await gateway.close();
    await workspace.close();
    await rm(dir, { recursive: true });
    const found = one === undefined ? [] : problems(one);
    if (found.length > 0) throw new Error(`the browser complains: ${found.join('; ')}`);
  });

  it('asks for a token, keeps it out of the address, and forgets it at sign-out', async () => {
    await serve();
    const token = await enrolled();
    const page = await open('/');
    expect(page.url()).toBe(`${gateway.address}/me`);
    await page.getByLabel('Your token').fill('rdt_wrong');
    await page.getByRole('button', { name: 'Sign in' }).click();
    await says(page, '#token-error', 'not valid');
    await shot(page, 'sign-in-en-light');
    await page.getByLabel('Your token').fill(token);
    await page.keyboard.press('Enter');
    await says(page, '#standing', 'Recording is allowed');
    expect(await page.evaluate('sessionStorage.getItem("redactory-token")')).toBe(token);
    expect(await page.evaluate('localStorage.length + document.cookie.length')).toBe(0);
    await page.getByRole('button', { name: 'Sign out' }).click();
    await page.getByLabel('Your token').waitFor();
    expect(await page.evaluate('sessionStorage.getItem("redactory-token")')).toBeNull();

    await page.goto(`${gateway.address}/me#token=${token}`);
    await says(page, '#standing', 'Recording is allowed');
    expect(page.url()).toBe(`${gateway.address}/me`);
  });

  it('needs no token where a proxy signs in', async () => {
    await serve({ identity: { kind: 'proxy', header: 'x-person', trustedProxies: ['127.0.0.0/8'] } });
    await enrolled();
    const page = await open('/me', { extraHTTPHeaders: { 'x-person': 'ana' } });
    await says(page, '#standing', 'Recording is allowed');
    expect(await page.getByRole('button', { name: 'Sign out' }).count()).toBe(0);
    await says(page, '#kept-note', 'has not been set up');
    await says(page, '#readers-note', 'has not been set up');
  });

  it('pauses: from the answer on nothing is taken; it counts down, and asks when it is over', async () => {
    await serve();
    const token = await enrolled();
    const grant = await granted(token);
    expect(await put(token, grant, 0)).toBe(200);
    const page = await openAs(token);
    await says(page, '#standing', 'Yes, you are being recorded');
    await shot(page, 'recording-en-light');
    await page.getByRole('button', { name: '5 minutes', exact: true }).click();
    await says(page, '#standing', 'No, recording is paused');
    expect(await put(token, grant, 1)).toBe(410);
    await says(page, '#standing-more', 'Paused until 10:05');
    await says(page, '#countdown', '5:00 left');
    await shot(page, 'paused-en-light');
    await pass(page, 61_000);
    await says(page, '#countdown', '3:59 left');

    // The gateway does not answer: the page does not know what comes after the pause.
    await page.route('**/v1/me', () => undefined);
    await pass(page, 239_500);
    expect(await standing(page).textContent()).not.toMatch(/^No,/u);
    await page.unroute('**/v1/me');
    await page.reload();
    await says(page, '#standing', 'Recording is allowed');
  });

  it('resumes; then recording goes on', async () => {
    await serve();
    const token = await enrolled();
    const page = await openAs(token);
    await page.getByRole('button', { name: '30 minutes' }).click();
    await says(page, '#countdown', '30:00 left');
    await pass(page, 1_000);
    await page.getByRole('button', { name: 'Go on recording now' }).click();
    await says(page, '#standing', 'Recording is allowed');
    await says(page, '#decide-done', 'The pause has ended');
    expect(await page.evaluate('document.activeElement.id')).toBe('standing');
    await pass(page, 10_000);
    await granted(token);
    await pass(page, POLL);
    await says(page, '#standing', 'Yes, you are being recorded');
  });

  it('says so when the gateway cannot be reached, and never that nothing is recorded', async () => {
    await serve();
    const token = await enrolled();
    await decide('withdraw');
    const page = await openAs(token);
    await says(page, '#standing', 'No, you have withdrawn');
    await page.route('**/v1/me', (route) => route.fulfill({ status: 503, json: { error: 'unavailable' } }));
    await pass(page, POLL);
    await says(page, '#standing', 'Not known right now');
    await says(page, '#standing-more', 'Last known at 10:00: you were not being recorded.');
    await shot(page, 'unsure-en-light');
    // Somebody else's sign-in page.
    await page.unroute('**/v1/me');
    await page.route('**/v1/me', (route) => route.fulfill({ status: 200, json: { recording: 'paused' } }));
    await pass(page, SLOW_POLL);
    await says(page, '#standing', 'Not known right now');
    await page.unroute('**/v1/me');
    await pass(page, SLOW_POLL);
    await says(page, '#standing', 'No, you have withdrawn');
    expect(await page.locator('#pauses').isVisible()).toBe(false);
  });

  it('says that a pause has not begun when it was refused', async () => {
    await serve();
    const page = await openAs(await enrolled());
    await page.route('**/v1/me/pause', (route) => route.fulfill({ status: 429, json: { error: 'rate' } }));
    await page.getByRole('button', { name: '15 minutes' }).click();
    await says(page, '#decide-error', 'The pause has not begun');
    await says(page, '#standing-more', 'The server cannot answer right now.');
    expect(await standing(page).textContent()).toBe('Not known right now');
    await page.route('**/v1/me', (route) => route.fulfill({ status: 403, json: { error: 'cross_site' } }));
    await pass(page, POLL);
    await says(page, '#standing-more', 'The server refuses to answer this page.');
  });

  it('keeps a no until the next press, or until it is about what is over', async () => {
    await serve();
    const page = await openAs(await enrolled());
    const error = page.locator('#decide-error');
    await page.route('**/v1/me/*', (route) =>
      route.request().method() === 'POST' ? route.fulfill({ status: 429, json: { error: 'rate' } }) : route.continue(),
    );
    await page.getByRole('button', { name: '15 minutes' }).click();
    await says(page, '#decide-error', 'The pause has not begun');
    for (let i = 0; i < 3; i++) {
      await pass(page, POLL);
      await says(page, '#standing', 'Recording is allowed');
    }
    expect(await error.textContent()).toContain('The pause has not begun');
    await page.locator('#withdraw').click();
    await page.locator('#withdraw-yes').click();
    await says(page, '#withdraw-error', 'You have not withdrawn');
    expect(await error.textContent()).toBe('');
    await pass(page, POLL);
    await says(page, '#standing', 'Recording is allowed');
    expect(await page.locator('#withdraw-error').textContent()).toContain('You have not withdrawn');
    await page.keyboard.press('Escape');
    await page.getByRole('button', { name: '15 minutes' }).click();
    await says(page, '#decide-error', 'The pause has not begun');
    await decide('withdraw');
    await pass(page, SLOW_POLL);
    await says(page, '#standing', 'No, you have withdrawn');
    expect(await error.textContent()).toBe('');
  });

  it('takes the focus on when what had it is hidden', async () => {
    await serve();
    const page = await openAs(await enrolled());
    const focused = (): Promise<string> => page.evaluate<string>('document.activeElement.id');
    await page.getByRole('button', { name: '5 minutes', exact: true }).click();
    await says(page, '#standing', 'No, recording is paused');
    await page.route('**/v1/me/resume', (route) => route.fulfill({ status: 429, json: { error: 'rate' } }));
    await page.locator('#resume').focus();
    await page.keyboard.press('Enter');
    await says(page, '#decide-error', 'The pause has not been ended');
    expect(await page.locator('#resume').isVisible()).toBe(false);
    expect(await focused()).toBe('decide-error');
    await pass(page, POLL);
    await says(page, '#standing', 'No, recording is paused');
    await page.locator('#resume').focus();
    await page.route('**/v1/me', (route) => route.fulfill({ status: 503, json: { error: 'busy' } }));
    await pass(page, POLL);
    await says(page, '#standing', 'Not known right now');
    expect(await focused()).toBe('decide-error');
    await page.unroute('**/v1/me');
    await page.unroute('**/v1/me/resume');
    await pass(page, SLOW_POLL);
    await says(page, '#standing', 'No, recording is paused');
    await page.locator('#resume').focus();
    await pass(page, 5 * MINUTE);
    await says(page, '#standing', 'Recording is allowed');
    expect(await focused()).toBe('standing');
  });

  it.each([
    ['no answer', async (route: Route) => route.abort()],
    ['an answer that is none', async (route: Route) => route.fulfill({ status: 200, body: '<html>' })],
    ['503', async (route: Route) => route.fulfill({ status: 503, json: { error: 'unavailable' } })],
  ])('says that it does not know what came of a decision after %s, until it knows', async (_, lose) => {
    await serve();
    const token = await enrolled();
    const page = await openAs(token);
    await page.route('**/v1/me/*', (route) => (route.request().method() === 'POST' ? lose(route) : route.continue()));
    await page.getByRole('button', { name: '15 minutes' }).click();
    await says(page, '#decide-error', 'It is not known whether the pause has begun');
    await says(page, '#standing', 'Not known right now');
    await pass(page, POLL);
    await says(page, '#standing', 'Recording is allowed');
    expect(await page.locator('#decide-error').textContent()).toBe('');

    await page.locator('#reason').fill('A reason');
    await page.getByRole('button', { name: 'Send' }).click();
    await says(page, '#reason-error', 'It is not known whether your request has arrived');
    await pass(page, SLOW_POLL);
    await page.locator('#reason-error:empty').waitFor({ state: 'attached' });

    await page.locator('#withdraw').click();
    await page.locator('#withdraw-yes').click();
    await says(page, '#withdraw-error', 'It is not known whether you have withdrawn');
    await decide('withdraw');
    await pass(page, SLOW_POLL);
    await says(page, '#standing', 'No, you have withdrawn');
    expect(await page.locator('#withdraw-dialog').isVisible()).toBe(false);

    await page.locator('#erase').click();
    await page.locator('#erase-word').fill('erase');
    await page.keyboard.press('Enter');
    await says(page, '#erase-error', 'It is not known whether the erasure has been asked for');
    expect((await ask(token, 'POST', '/v1/me/erasure', { confirm: 'erase' })).status).toBe(200);
    await pass(page, SLOW_POLL);
    await says(page, '#erasure', 'It is under way');
    expect(await page.locator('#erase-dialog').isVisible()).toBe(false);
    expect(await page.locator('#erase-error').textContent()).toBe('');
  });

  it('tells nobody what came of the decision of who has signed out', async () => {
    await serve();
    const page = await openAs(await enrolled());
    let answer: () => Promise<void> = async () => undefined;
    await page.route('**/v1/me/pause', (route) => {
      answer = async () => route.fulfill({ status: 503, json: { error: 'busy' } });
    });
    await page.getByRole('button', { name: '15 minutes' }).click();
    await says(page, '#decide-done', 'One moment');
    await page.locator('#sign-out').click();
    await answer();
    // By then it has come.
    await page.evaluate("fetch('v1/openapi.json').then((response) => response.text())");
    expect(await page.locator('#decide-done').textContent()).toBe('');
    expect(await page.locator('#decide-error').textContent()).toBe('');
  });

  it('asks nothing while nobody looks, and at once when somebody does', async () => {
    await serve();
    const token = await enrolled();
    const page = await openAs(token);
    await says(page, '#standing', 'Recording is allowed');
    let asked = 0;
    page.on('request', () => asked++);
    const show = (state: string): Promise<unknown> =>
      page.evaluate(
        `Object.defineProperty(document, 'visibilityState', { value: '${state}', configurable: true }); document.dispatchEvent(new Event('visibilitychange'))`,
      );
    await show('hidden');
    await pass(page, 10 * MINUTE);
    expect(asked).toBe(0);
    await decide('withdraw');
    await show('visible');
    await says(page, '#standing', 'No, you have withdrawn');
    expect(asked).toBeGreaterThan(0);
  });

  it('asks for an exemption, and shows the answer', async () => {
    await serve();
    const token = await enrolled();
    const page = await openAs(token);
    const send = page.getByRole('button', { name: 'Send' });
    await send.click();
    await says(page, '#reason-error', 'Write a reason first');
    expect(await page.evaluate('document.activeElement.id')).toBe('reason');
    await page.getByLabel('Your reason').fill('I handle <img src=x onerror=alert(1)> complaints.');
    await send.click();
    await says(page, '#requests', 'Not decided yet');
    await says(page, '#requests', '“I handle <img src=x onerror=alert(1)> complaints.”');
    await shot(page, 'exemption-asked-en-light');

    const requests = await openRequests(workspace);
    await requests.catchUp();
    const [request] = requests.all();
    if (request === undefined) throw new Error('the request was not kept');
    await answerRequest(workspace, request, {
      answer: 'granted',
      comment: 'Agreed with the works council.',
      now: clock,
    });
    await decide('exempt');
    await pass(page, SLOW_POLL);
    await says(page, '#requests', 'Granted on 25 November 2026');
    await says(page, '#requests', 'Agreed with the works council.');
    await says(page, '#standing', 'No, you are exempt from recording');
    expect(await page.locator('#exemption-done').textContent()).toBe('');
    await shot(page, 'exempt-en-light');
  });

  it('erases after a word that is typed, and tells when it is done', async () => {
    await serve();
    const token = await enrolled();
    const grant = await granted(token);
    const page = await openAs(token);
    await page.getByRole('button', { name: 'Erase', exact: true }).click();
    await page.keyboard.type('eras');
    await page.keyboard.press('Enter');
    await says(page, '#erase-error', 'Type the word erase');
    expect(await (await ask(token, 'GET', '/v1/me/erasure')).json()).toMatchObject({ state: 'none' });
    await shot(page, 'erase-dialog-en-light');
    await page.getByLabel('To confirm').fill('erase');
    await page.getByRole('button', { name: 'Erase it' }).click();
    await says(page, '#erasure', 'It is under way');
    expect(await put(token, grant, 0)).toBe(410);
    await shot(page, 'erasure-under-way-en-light');
    expect(await page.getByRole('button', { name: 'Erase', exact: true }).count()).toBe(0);

    const subjectKey = (await workspace.subjectKeys())('ana');
    const done = { subjectKey, erasureId: 'e', requestedAt: clock, by: 'person', doneAt: clock + 10_000 } as const;
    await appendErasure(workspace, { ...done, rows: 1_214, sessions: 37 });
    await pass(page, SLOW_POLL);
    await says(page, '#erasure', /Done on 25 November 2026(?: at|,) 10:00: 1,214 lines from 37 sessions removed\./u);
  });

  it('withdraws after asking again; the keyboard is enough', async () => {
    await serve();
    const token = await enrolled();
    const grant = await granted(token);
    const page = await openAs(token);
    /** To the next element of the order in which the keyboard goes, until it is this one. */
    const tabTo = async (name: string): Promise<void> => {
      for (let i = 0; i < 60; i++) {
        await page.keyboard.press('Tab');
        if ((await page.evaluate<string>('document.activeElement.textContent')) === name) return;
      }
      throw new Error(`the keyboard does not reach ${name}`);
    };
    await tabTo('Skip to the content');
    await page.keyboard.press('Enter');
    await tabTo('5 minutes');
    await page.keyboard.press('Space');
    await says(page, '#standing', 'No, recording is paused');
    await page.keyboard.press('Shift+Tab');
    expect(await page.evaluate('document.activeElement.textContent')).toBe('Go on recording now');
    await tabTo('Stop for good');
    await page.keyboard.press('Enter');
    await page.getByRole('dialog', { name: 'Stop recording for good?' }).waitFor();
    // Nothing is done by one press too many.
    expect(await page.evaluate('document.activeElement.textContent')).toBe('Cancel');
    await page.keyboard.press('Escape');
    expect(await page.evaluate('document.activeElement.textContent')).toBe('Stop for good');
    expect(await (await ask(token, 'GET', '/v1/me')).json()).toMatchObject({ recording: 'paused' });
    await page.keyboard.press('Enter');
    await shot(page, 'withdraw-dialog-en-light');
    await tabTo('Yes, stop for good');
    await page.keyboard.press('Enter');
    await says(page, '#standing', 'No, you have withdrawn');
    expect(await page.evaluate('document.activeElement.id')).toBe('standing');
    expect(await put(token, grant, 0)).toBe(410);
    expect(await page.getByRole('button', { name: 'Stop for good' }).count()).toBe(0);
  });

  it('shows what was kept in plain words, as text, beside what was dropped', async () => {
    await serve({}, await viewOfTwo());
    const page = await openAs(await enrolled());
    const day = page.locator('.day').first();
    await says(page, '.day >> nth=0', '214 lines kept, from 1,930 events. 8,214 events dropped.');
    await says(page, '.day >> nth=0', 'You clicked the button “Save” in Word');
    await says(page, '.day >> nth=0', 'You typed 4 to 15 characters into the text box “Subject” in Word');
    await says(page, '.day >> nth=0', 'Listed are the last 40 of 214.');
    await says(page, '.day >> nth=0', 'something that you had typed or pasted');
    expect(await day.locator('.actions li').count()).toBe(15);
    await day.getByRole('button', { name: 'Show all 40' }).click();
    expect(await day.locator('.actions li').count()).toBe(40);
    await says(page, '.day >> nth=0', '<b>Link 33</b>');
    const dropped = await day.locator('tbody tr').allTextContents();
    expect(dropped[0]).toContain('The path of the pointer');
    expect(dropped[0]).toContain('7,441');
    expect(await page.locator('.day').nth(1).getAttribute('open')).toBeNull();
    await says(page, '#readers', 'policy 12 keeps less of window titles');
    await says(page, '#sent', '0 bytes of 104.9 MB (0%)');
    await shot(page, 'kept-en-light');
  });

  it('goes on in the day whose whole list was asked for', async () => {
    const days = ['2026-11-25', '2026-11-24'].flatMap((day) =>
      KEPT_OF_ANA.days.slice(0, 1).map((one) => ({ ...one, day })),
    );
    await serve({}, { kept: async () => ({ days }), readers: async () => READERS });
    const page = await openAs(await enrolled());
    const day = page.locator('.day').nth(1);
    await day.locator('summary').click();
    await day.getByRole('button', { name: 'Show all 40' }).click();
    await day.locator('.actions li').nth(39).waitFor();
    expect(await page.evaluate("document.activeElement.closest('details').dataset.day")).toBe('2026-11-24');
  });

  it("never shows another person's data, not even in the same tab", async () => {
    await serve({}, await viewOfTwo());
    const [ana, ben] = [await enrolled(), await enrolled('ben')];
    const page = await openAs(ana);
    await says(page, '#kept', 'You clicked the button “Save” in Word');
    await page.getByLabel('Your reason').fill('only of Ana');
    await page.getByRole('button', { name: 'Sign out' }).click();
    const left = await page.evaluate<string>('document.documentElement.outerHTML');
    for (const word of ['“Save”', 'policy 12', '8,214']) expect(left).not.toContain(word);
    await page.getByLabel('Your token').fill(ben);
    await page.keyboard.press('Enter');
    await says(page, '#kept', 'Only of Ben');
    expect(await page.getByLabel('Your reason').inputValue()).toBe('');
    const shown = await page.evaluate<string>('document.documentElement.outerHTML');
    for (const word of ['“Save”', 'policy 12', '8,214', 'only of Ana']) expect(shown).not.toContain(word);
    // As an address that names another person's token, in the tab of the first.
    await page.evaluate(`location.hash = 'token=${ana}'`);
    await page.locator('#switch-yes').click();
    await says(page, '#kept', 'You clicked the button “Save” in Word');
    expect(await page.locator('#kept').textContent()).not.toContain('Only of Ben');
  });

  it.each(['en', 'de'] as const)(
    'asks before a link puts another token in the place of the one in use: %s',
    async (lang) => {
      await serve({}, await viewOfTwo());
      const [ana, ben] = [await enrolled(), await enrolled('ben')];
      // The checker itself is not of this server.
      const page = await openAs(ana, { locale: lang, bypassCSP: true });
      const [dialog, signedIn] = [page.locator('#switch-dialog'), page.locator('#signed-in-with')];
      const nameOf = (token: string): string => `${token.slice(0, 21)}…`;
      const saved = (): Promise<unknown> => page.evaluate('sessionStorage.getItem("redactory-token")');
      expect(await signedIn.textContent()).toBe(nameOf(ana));
      await page.evaluate(`location.hash = 'token=${ana}'`);
      expect(await dialog.isVisible()).toBe(false);
      for (const open of [
        () => page.evaluate(`location.hash = 'token=${ben}'`),
        async () => {
          await page.goto('about:blank');
          await page.goto(`${gateway.address}/me#token=${ben}`);
        },
      ]) {
        await open();
        await dialog.waitFor();
        expect(page.url()).toBe(`${gateway.address}/me`);
        expect(await page.locator('#switch-tokens').textContent()).toMatch(
          new RegExp(`${nameOf(ana)}[^]*${nameOf(ben)}`, 'u'),
        );
        expect(await page.evaluate('document.activeElement.className')).toBe('cancel');
        expect(await complaints(page)).toEqual([]);
        await shot(page, `switch-dialog-${lang}`);
        await page.keyboard.press('Enter');
        expect(await dialog.isVisible()).toBe(false);
        expect([await saved(), await signedIn.textContent()]).toEqual([ana, nameOf(ana)]);
      }
      await says(page, '#kept', 'Save');
      await page.evaluate(`location.hash = 'token=${ben}'`);
      await page.locator('#switch-yes').click();
      await says(page, '#kept', 'Only of Ben');
      expect([await saved(), await signedIn.textContent()]).toEqual([ben, nameOf(ben)]);
    },
  );

  it('asks for a new sign-in when the token has ended, and shows nothing more', async () => {
    await serve({}, await viewOfTwo());
    const page = await openAs(await enrolled());
    await says(page, '#kept', 'You clicked the button “Save” in Word');
    clock += 86_400_000;
    await page.clock.fastForward(POLL);
    await says(page, '#token-error', 'not valid, or no longer');
    expect(await page.locator('body').innerText()).not.toContain('Save');
  });

  it('speaks the language of the browser, and another when asked to', async () => {
    await serve({}, await viewOfTwo());
    const page = await openAs(await enrolled(), { locale: 'de-AT' });
    expect(await page.evaluate('document.documentElement.lang')).toBe('de');
    await says(page, '#standing', 'Die Aufzeichnung ist erlaubt');
    await says(page, '#kept', 'Sie haben in Word auf die Schaltfläche „Save“ geklickt');
    await says(page, '#kept', 'Mittwoch, 25. November 2026');
    await page.getByRole('button', { name: 'Löschen', exact: true }).click();
    await page.getByLabel('Zur Bestätigung').or(page.locator('#erase-word')).fill('erase');
    await page.keyboard.press('Enter');
    await says(page, '#erase-error', 'Geben Sie das Wort löschen ein.');
    await page.keyboard.press('Escape');
    await page.getByRole('button', { name: 'English' }).click();
    expect(await page.evaluate('document.documentElement.lang')).toBe('en');
    await says(page, '#kept', 'You clicked the button “Save” in Word');
    await page.reload();
    await says(page, '#standing', 'Recording is allowed');
  });

  const LOOKS = (['en', 'de'] as const).flatMap((lang) =>
    (['light', 'dark'] as const).map((scheme) => ({ lang, scheme })),
  );
  it.each(LOOKS)('has no fault that axe-core finds: $lang, $scheme', async ({ lang, scheme }) => {
    await serve({}, await viewOfTwo());
    const token = await enrolled();
    const grant = await granted(token);
    expect(await put(token, grant, 0)).toBe(200);
    // The checker itself is not of this server.
    const options = { locale: lang, colorScheme: scheme, bypassCSP: true };
    const page = await open('/me', options);
    await page.locator('#token').fill(' ');
    await page.keyboard.press('Enter');
    expect(await complaints(page)).toEqual([]);
    await shot(page, `sign-in-${lang}-${scheme}`);
    await page.locator('#token').fill(token);
    await page.keyboard.press('Enter');
    await page.locator('.day').first().waitFor();
    await page.locator('.day summary').nth(1).click();
    await page.locator('#reason').fill('x'.repeat(900));
    expect(await complaints(page)).toEqual([]);
    await shot(page, `all-${lang}-${scheme}`);
    await page.locator('#pauses button').first().click();
    await page.locator('#countdown').waitFor();
    expect(await complaints(page)).toEqual([]);
    await shot(page, `paused-${lang}-${scheme}`);
    for (const name of ['withdraw', 'erase']) {
      await page.locator(`#${name}`).click();
      if (name === 'erase') await page.keyboard.press('Enter');
      expect(await complaints(page)).toEqual([]);
      await shot(page, `${name}-dialog-${lang}-${scheme}`);
      await page.keyboard.press('Escape');
    }
    await page.route('**/v1/me', (route) => route.fulfill({ status: 503, json: { error: 'busy' } }));
    await pass(page, POLL);
    await page.locator('[data-kind=unsure]').waitFor();
    expect(await complaints(page)).toEqual([]);
    await page.unroute('**/v1/me');
  });

  it.each(['en', 'de'] as const)('fits on 320 pixels: %s', async (lang) => {
    await serve({}, await viewOfTwo());
    const page = await openAs(await enrolled(), { locale: lang, viewport: { width: 320, height: 640 } });
    await page.locator('.day').first().waitFor();
    expect(await overflow(page)).toBe(0);
    await page.locator('#pauses button').first().click();
    await page.locator('#countdown').waitFor();
    expect(await overflow(page)).toBe(0);
    await shot(page, `phone-${lang}`);
    await page.locator('#erase').click();
    expect(await overflow(page)).toBe(0);
    const box = await page.locator('#erase-dialog').boundingBox();
    expect([(box?.x ?? -1) >= 0, (box?.x ?? 0) + (box?.width ?? 999) <= 320]).toEqual([true, true]);
    await shot(page, `phone-dialog-${lang}`);
  });
});
