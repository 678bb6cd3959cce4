/** The built recorder in a real browser, against a real gateway on an embedded log. */
import { mkdtemp, rm } from 'node:fs/promises';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it, vi } from 'vitest';
import { bundleRecorder } from '../../../dev/build-clients.ts';
import { loadConfig } from '../../../src/config.ts';
import type { CapturePayload } from '../../../src/events/raw.ts';
import { makeDecision } from '../../../src/privacy/decisions.ts';
import { loadPolicy } from '../../../src/privacy/policy.ts';
import { openBatch } from '../../../src/processors/openBatch.ts';
import { issueDevice } from '../../../src/runtime/devices.ts';
import { serveGateway, type RunningGateway } from '../../../src/runtime/gateway.ts';
import { appendDecision } from '../../../src/runtime/ingest.ts';
import { createLogger, createTelemetry } from '../../../src/runtime/telemetry.ts';
import { TOPICS } from '../../../src/runtime/topics.ts';
import { createUnseal } from '../../../src/runtime/unseal.ts';
import { openWorkspace, type Workspace } from '../../../src/runtime/workspace.ts';
import { describeWithChromium, launchChromium, type ChromiumBrowser } from '../../servers/chromium.ts';

const SECRET = 'hunter2-canary';
/** Of the one inline handler of the page. */
const HANDLER = "'sha256-CyETapXIBiD53WYdpOOOGnxsaoayR8NeWmUguiHsn60='";

const HTML = `<!doctype html><title>Form</title>
<label>Note <input id="note"></label>
<label>Password <input id="password" type="password"></label>
<button id="show" onclick="password.type = 'text'">Show</button>
<div data-redactory-exclude><input id="excluded"><b>${SECRET}-text</b></div>
<div id="editor" contenteditable>open <span data-redactory-exclude id="hidden">shut</span></div>
<x-field></x-field>
<div id="host"></div>
<script src="page.js" type="module"></script>`;
const PAGE = (gateway: string, token: string) => `
import { createRecorder } from './recorder.js';
document.querySelector('x-field').attachShadow({ mode: 'closed' }).innerHTML = '<input id="inner" type="password">';
document.querySelector('#host').attachShadow({ mode: 'open' }).innerHTML =
  '<div id="inner-editor" contenteditable>open <span data-redactory-exclude id="inner-hidden">shut</span></div>';
window.recorder = createRecorder({ gateway: '${gateway}', token: '${token}', subject: 'ana', device: 'browser',
  flushMs: 100, onState: ({ status }) => { document.title = 'Form ' + status; } });
window.recorder.start();`;

let dir: string;
let workspace: Workspace;
let gateway: RunningGateway;
let site: Server;
let origin: string;
let browser: ChromiumBrowser;

/** What has come to the log by now, in order. */
async function recorded(): Promise<readonly CapturePayload[]> {
  const other = await openWorkspace(workspace.config, {}, { role: 'sanitizer', now: Date.now });
  const tables = await other.controlTables(0);
  await tables.catchUp();
  const unseal = createUnseal({ codec: other.codec, keyring: tables.keyring, sealed: 'required' });
  const subjectKey = await workspace.subjectKeys();
  const found: CapturePayload[] = [];
  for (const [partition, end] of (await workspace.log.endOffsets(TOPICS.raw)).entries()) {
    if (end === 0) continue;
    const at = { topic: TOPICS.raw, partition, offset: 0, maxRecords: 1_000, maxBytes: 1 << 24, waitMs: 0 };
    for (const record of await unseal((await workspace.log.read(at)).records)) {
      const outcome = openBatch({ codec: other.codec, subjectKey })(record);
      if (outcome.kind === 'keep') found.push(outcome.batch);
    }
  }
  await other.close();
  return found;
}

describeWithChromium('in Chromium', () => {
  beforeAll(async () => {
    dir = await mkdtemp(join(tmpdir(), 'redactory-web-'));
    let page = '';
    let address = '';
    const recorder = await bundleRecorder();
    site = createServer((request, response) => {
      const [type, body] =
        request.url === '/recorder.js' || request.url === '/page.js'
          ? ['text/javascript', request.url === '/page.js' ? page : recorder]
          : ['text/html', HTML];
      // Inline handlers are the page's own; nothing may be evaluated.
      response.setHeader(
        'content-security-policy',
        `default-src 'none'; script-src 'self' 'unsafe-hashes' ${HANDLER}; connect-src ${address}`,
      );
      response.setHeader('content-type', type ?? '');
      response.end(body);
    });
    await new Promise<void>((resolve) => {
      site.listen(0, '127.0.0.1', resolve);
    });
    origin = `http://127.0.0.1:${(site.address() as AddressInfo).port}`; // of TCP it is an object
    const config = await loadConfig({ env: {}, cwd: dir });
    workspace = await openWorkspace(
      { ...config, gateway: { ...config.gateway, port: 0, corsOrigins: [origin] } },
      {},
      { role: 'gateway', now: Date.now },
    );
    const { policy } = await loadPolicy(config.policy);
    const telemetry = createTelemetry(createLogger({ level: 'silent', pretty: false }));
    gateway = await serveGateway({ workspace, policy, telemetry });
    address = gateway.address;
    const subjectKey = (await workspace.subjectKeys())('ana');
    const enrol = makeDecision('enrol', { subjectKey, now: Date.now() - 3_600_000, randomId: () => 'enrol' });
    await appendDecision(workspace.log, workspace.codec, enrol);
    const issued = { subjectKey, device: null, issuedAt: Date.now(), expiresAt: Date.now() + 3_600_000 };
    page = PAGE(address, (await issueDevice(workspace, issued)).text);
    browser = await launchChromium();
  });
  afterAll(async () => {
    await browser?.close();
    await gateway?.close();
    await workspace?.close();
    site?.close();
    await rm(dir, { recursive: true });
  });

  it('records what is done, nothing of what is private, and stops with a pause', async () => {
    const { page, console } = await browser.newPage();
    await page.goto(`${origin}/form?of=x`);
    await page.waitForFunction("document.title === 'Form recording'");
    await page.locator('#note').pressSequentially('abc');
    await page.locator('#password').pressSequentially(SECRET);
    await page.locator('#show').click();
    await page.locator('#password').pressSequentially(SECRET);
    await page.locator('#excluded').pressSequentially(SECRET);
    await page.locator('x-field').click();
    await page.keyboard.type(SECRET);
    await page.locator('#hidden').click();
    await page.keyboard.type(SECRET);
    await page.locator('#inner-hidden').click();
    await page.keyboard.type(SECRET);
    await page.locator('#inner-editor').click({ position: { x: 5, y: 5 } });
    await page.keyboard.type('y');
    await page.locator('#note').pressSequentially('z');
    await page.locator('#show').focus();
    await vi.waitFor(async () => {
      const values = (await recorded()).flatMap(({ events }) => events.filter(({ kind }) => kind === 'value_change'));
      expect(values.map((event) => 'value' in event && event.value)).toEqual([
        'abc',
        expect.stringContaining('y'),
        'zabc',
      ]);
    }, WAIT);
    const all = await recorded();
    const events = all.flatMap(({ events }) => events);
    expect(events[0]).toMatchObject({ kind: 'navigate' });
    const keys = events.filter(({ kind }) => kind === 'key_down').map((event) => 'key' in event && event.key);
    expect(keys).toEqual(['a', 'b', 'c', 'y', 'z']);
    expect(all.flatMap(({ elements }) => elements)).toContainEqual(
      expect.objectContaining({ role: 'textbox', name: 'Note' }),
    );
    expect(JSON.stringify(all)).not.toMatch(/hunter2|canary|shut/u);

    expect(await page.evaluate('recorder.pause(5)')).toBe(true);
    expect(await page.title()).toBe('Form refused');
    const before = (await recorded()).length;
    await page.locator('#note').pressSequentially('later');
    await page.evaluate('recorder.stop()');
    expect(await recorded()).toHaveLength(before);
    const cost = await page.evaluate('recorder.cost()');
    expect(cost).toMatchObject({ dropped: 0, captured: events.length });
    // What the browser thinks of the page's form is no word of the recorder's.
    expect(console.filter((line) => !line.startsWith('verbose: [DOM]'))).toEqual([]);
  });

  it('tells in no later value what is entered in a pause', async () => {
    const { page } = await browser.newPage();
    await page.goto(`${origin}/form?of=y`);
    // As the last one left it.
    await page.waitForFunction("document.title === 'Form refused'");
    const [note, editor] = [page.locator('#note'), page.locator('#editor')];
    await note.pressSequentially(SECRET);
    await editor.click({ position: { x: 5, y: 5 } });
    await page.keyboard.type(SECRET);
    await page.locator('#show').focus();
    expect(await page.evaluate('recorder.resume()')).toBe(true);
    await vi.waitFor(async () => {
      await page.locator('#show').press('Shift');
      expect(await page.title()).toBe('Form recording');
    }, WAIT);
    await note.press('End');
    await note.pressSequentially('x');
    await editor.click({ position: { x: 5, y: 5 } });
    await page.keyboard.type('w');
    await page.locator('#show').focus();
    await page.evaluate('recorder.stop()');
    const all = await recorded();
    const keys = all.flatMap(({ events }) => events.flatMap((event) => (event.kind === 'key_down' ? [event.key] : [])));
    expect(keys.slice(-2)).toEqual(['x', 'w']);
    expect(JSON.stringify(all)).not.toMatch(/hunter2|canary/u);
  });
});

const WAIT = { timeout: 30_000, interval: 100 };
