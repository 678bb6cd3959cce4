/** The recorded worker's page: signs in, asks, shows. */
import { createApi } from './api.ts';
import { button, byId, fill, html, say } from './dom.ts';
import { createErasureSection } from './erasure-section.ts';
import { createExemptionSection } from './exemption-section.ts';
import { createFormats } from './formats.ts';
import { createKeptSection } from './kept-section.ts';
import { createPoll } from './poll.ts';
import { createReadersSection } from './readers-section.ts';
import { complain, type Speech } from './section.ts';
import { createStatusSection } from './status-section.ts';
import { forgetToken, nameOf, savedToken, saveToken, takeTokenFromAddress } from './token.ts';
import { languageOf, localeOf, WORDS, type Lang } from './words/index.ts';

const LANGUAGE_KEY = 'redactory-language';
/** Between questions about requests and erasure, which change by somebody's hand. */
const SLOW_MS = 20_000;
/** What was kept changes once in a while, and is much: asked again on coming back after so long. */
const STALE_MS = 120_000;

let speech: Speech = speechOf(languageOf([sessionStorage.getItem(LANGUAGE_KEY) ?? '', ...navigator.languages]));
/** When the rest was asked for; null when it has to be. */
let loadedAt: number | null = null;
let signInError: 'tokenMissing' | 'tokenWrong' | null = null;

const switchDialog = byId('switch-dialog', HTMLDialogElement);
/** What the address has named while another token was in use, until the person has decided. */
let otherToken: string | null = null;

const api = createApi(savedToken, () => signOut(savedToken() === null ? null : 'tokenWrong'));
const tools = { api, speech: () => speech };
const status = createStatusSection({ ...tools, onPauseOver: () => statusPoll.now() });
const kept = createKeptSection(tools);
const readers = createReadersSection(tools);
const exemption = createExemptionSection(tools);
const erasure = createErasureSection({ ...tools, onDone: () => void kept.load() });
const sections = [status, kept, readers, exemption, erasure];

const statusPoll = createPoll(async () => {
  const waitMs = await status.ask();
  if (html('sign-in').hidden) showMine();
  return waitMs;
});
const slowPoll = createPoll(async () => {
  await Promise.all([exemption.load(), erasure.load()]);
  return SLOW_MS;
});

function speechOf(lang: Lang): Speech {
  return { words: WORDS[lang], formats: createFormats(localeOf(lang, navigator.languages)) };
}

function speak(lang: Lang): void {
  speech = speechOf(lang);
  fill(speech.words);
  for (const choice of document.querySelectorAll<HTMLElement>('[data-lang]')) {
    choice.ariaPressed = String(choice.dataset['lang'] === lang);
  }
  sayWrong();
  for (const section of sections) section.render();
}

function sayWrong(): void {
  say(html('token-error'), signInError === null ? '' : speech.words.texts[signInError]);
  html('token').ariaInvalid = signInError === null ? null : 'true';
}

function showMine(): void {
  html('mine').hidden = false;
  sayToken();
  if (loadedAt !== null) return;
  loadedAt = Date.now();
  slowPoll.start();
  void kept.load();
  void readers.load();
}

function sayToken(): void {
  const token = savedToken();
  button('sign-out').hidden = token === null;
  html('signed-in').hidden = token === null;
  say(html('signed-in-with'), nameOf(token ?? ''));
}

/** Asks for a token, and forgets all that was shown. */
function signOut(why: typeof signInError): void {
  const isNew = html('sign-in').hidden;
  forgetToken();
  statusPoll.stop();
  slowPoll.stop();
  loadedAt = null;
  for (const section of sections) section.clear();
  html('mine').hidden = true;
  sayToken();
  html('sign-in').hidden = false;
  signInError = why;
  sayWrong();
  if (isNew || why !== null) html('token').focus();
}

function start(): void {
  html('sign-in').hidden = true;
  signInError = null;
  sayWrong();
  sayToken();
  if (savedToken() !== null) html('mine').hidden = false;
  statusPoll.start();
}

function signIn(): void {
  const field = byId('token', HTMLInputElement);
  const isToken = saveToken(field.value);
  field.value = '';
  signInError = isToken ? null : 'tokenMissing';
  if (!isToken) return complain(field, html('token-error'), speech.words.texts.tokenMissing);
  start();
  html('title').focus();
}

function startAs(token: string): void {
  saveToken(token);
  for (const section of sections) section.clear();
  loadedAt = null;
  start();
}

/** Signs in as the address says. Anybody can make a link: where it names another token than the one in use, the person decides. */
function followAddress(): void {
  const token = takeTokenFromAddress();
  const current = savedToken();
  if (token === null || token === current || switchDialog.open) return;
  if (current === null) return startAs(token);
  otherToken = token;
  say(html('switch-from'), nameOf(current));
  say(html('switch-to'), nameOf(token));
  switchDialog.showModal();
}

button('switch-yes').addEventListener('click', () => {
  const token = otherToken;
  switchDialog.close();
  if (token !== null) startAs(token);
  html('title').focus();
});
switchDialog.addEventListener('close', () => {
  otherToken = null;
});

byId('sign-in-form', HTMLFormElement).addEventListener('submit', (event) => {
  event.preventDefault();
  signIn();
});
button('sign-out').addEventListener('click', () => signOut(null));
for (const choice of document.querySelectorAll<HTMLElement>('[data-lang]')) {
  choice.addEventListener('click', () => {
    const lang = languageOf([choice.dataset['lang'] ?? '']);
    sessionStorage.setItem(LANGUAGE_KEY, lang);
    speak(lang);
  });
}
for (const dialog of document.querySelectorAll('dialog')) {
  dialog.querySelector('.cancel')?.addEventListener('click', () => dialog.close());
}
window.addEventListener('hashchange', followAddress);
setInterval(() => {
  if (document.visibilityState === 'visible') status.tick();
}, 1_000);
document.addEventListener('visibilitychange', () => {
  if (document.visibilityState !== 'visible') return;
  // What was known before may be long ago: tell before the answer comes.
  status.tick();
  if (loadedAt !== null && Date.now() - loadedAt > STALE_MS) loadedAt = null;
});

speak(speech.words.lang);
followAddress();
if (html('mine').hidden) start();
