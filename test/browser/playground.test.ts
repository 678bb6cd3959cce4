/** The playground in a real browser: what is typed shows on the left, and nowhere else. */
import { mkdir, readFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import type { BrowserContextOptions, Page } from 'playwright-core';
import { afterAll, afterEach, beforeAll, beforeEach, expect, it } from 'vitest';
import { PLAYGROUND_POLICIES } from '../../src/runtime/playground/protocol.ts';
import { servePlayground, type Served } from '../runtime/playground/harness.ts';
import { describeWithChromium, launchChromium, type ChromiumBrowser, type TestPage } from '../servers/chromium.ts';

const SECRET = 'Xylophon quark';
const PASSWORD = 'wombat-hunter-2';
const REMARK = 'zebra-remark-9';
const TIMEOUT = { timeout: 30_000 };

describeWithChromium('the playground', () => {
  let browser: ChromiumBrowser;
  let served: Served;
  let tab: TestPage;
  let page: Page;
  /** What the playground's feed has answered. */
  let answers: string[];

  beforeAll(async () => {
    browser = await launchChromium();
  });
  afterAll(() => browser.close());
  beforeEach(async () => {
    answers = [];
    served = await servePlayground({ gateway: { playground: true, requestsPerMinute: 6_000 } });
  });
  afterEach(async () => {
    await tab.close();
    await served.close();
  });

  async function open(options: BrowserContextOptions = {}): Promise<void> {
    tab = await browser.newPage({ viewport: { width: 1440, height: 900 }, ...options });
    ({ page } = tab);
    page.on('response', (response) => {
      if (!response.url().includes('/playground/released/')) return;
      // Of an answer that was given up there is no text.
      response.text().then(
        (text) => answers.push(text),
        () => undefined,
      );
    });
    await page.goto(served.playground ?? '');
    await page.locator('#state[data-status=recording]').waitFor(TIMEOUT);
  }

  /** Types, pastes and saves; afterwards a click elsewhere ends what is held back. */
  async function work(): Promise<void> {
    await page.getByRole('button', { name: 'Priya Raman' }).click();
    await page.getByLabel('Name').click();
    await page.keyboard.type(SECRET);
    await page.getByLabel('Password').click();
    await page.keyboard.type(PASSWORD);
    await page.getByLabel('My own remark').click();
    await page.keyboard.type(REMARK);
    await page.getByLabel('Name').click();
    await page.keyboard.press('Control+A');
    await page.keyboard.press('Control+C');
    await page.getByLabel('Note').click();
    await page.keyboard.press('Control+V');
    await page.getByRole('button', { name: 'Save' }).click();
    await page.getByRole('link', { name: 'Orders' }).click();
    await page.getByRole('button', { name: 'Cancel' }).click();
  }

  /** Until every batch is processed, and the typing is told of as an action. */
  async function released(): Promise<void> {
    await page
      .locator('.released .does', { hasText: /^type$/u })
      .first()
      .waitFor(TIMEOUT);
    const isProcessed = async (): Promise<boolean> =>
      (await page.locator('.saw > .note').allTextContents()).every((note) => note.endsWith('processed'));
    await expect.poll(isProcessed, TIMEOUT).toBe(true);
  }

  const sideOf = async (name: 'saw' | 'released'): Promise<string> =>
    (await page.locator(`.${name}`).evaluateAll((sides) => sides.map((side) => String(side.outerHTML)))).join('\n');

  /** All lines of typing: the last batch is the first on the page. */
  async function typedInOrder(): Promise<string> {
    const sides = await page.locator('.saw').all();
    const typed = await Promise.all(sides.map((side) => side.locator('.piece.typed').allTextContents()));
    return typed.toReversed().flat().join('');
  }

  const choose = (policy: string): Promise<void> => page.locator('#policies label', { hasText: policy }).click();

  it('shows what is typed on the left, and under no policy on the right', async () => {
    await open();
    await work();
    await released();
    for (const policy of PLAYGROUND_POLICIES) {
      await choose(policy);
      await page.locator(`input[value=${policy}]:checked`).waitFor({ state: 'attached' });
      await released();
      await shot(page, `playground-${policy}`);
      const [left, right] = [await sideOf('saw'), await sideOf('released')];
      expect(left).toContain(SECRET);
      for (const part of [SECRET, 'Xylophon', 'quark']) expect(right.toLowerCase()).not.toContain(part.toLowerCase());
      for (const side of [left, right]) for (const never of [PASSWORD, REMARK]) expect(side).not.toContain(never);
    }
    expect(answers.join('')).toContain('"action":"type"');
    for (const never of ['Xylophon', 'quark', PASSWORD, REMARK]) expect(answers.join('')).not.toContain(never);
    // Nor letter by letter: what went into the two fields is in no line of typing.
    const typed = await typedInOrder();
    expect(typed).toContain(SECRET);
    expect(typed).not.toMatch(/wombat|zebra/u);
    expect(tab.console).toEqual([]);
    // The token is not in the address that the recorder tells of.
    expect(page.url()).not.toContain('token');
    expect(await sideOf('saw')).not.toContain(served.token);
  });

  it('tells why something is lost, on hover and on focus', async () => {
    await open();
    await work();
    await released();
    const why = page.getByRole('tooltip');
    const lost = page.locator('.released .lost', { hasText: 'what was typed' }).first();
    await lost.hover();
    await expect.poll(() => why.textContent()).toContain('What you type is content');
    await page.mouse.move(0, 0);
    await expect.poll(() => why.isVisible()).toBe(false);
    await lost.focus();
    await expect.poll(() => why.textContent()).toContain('What you type is content');
    expect(await lost.getAttribute('aria-describedby')).toBe('why');
    await shot(page, 'playground-why');
    await page.keyboard.press('Tab');
    await expect.poll(() => why.textContent()).not.toContain('no character');
    await page.keyboard.press('Escape');
    expect(await why.isVisible()).toBe(false);
    const struck = page.locator('.saw .line.lost .chip').first();
    await struck.hover();
    await expect.poll(() => why.textContent()).toMatch(/rhythm|handwriting/u);
  });

  it('shows typing that still goes on as waiting', async () => {
    await open();
    await page.getByLabel('Name').click();
    await page.keyboard.type('abc');
    const waiting = page.locator('.saw .piece.typed.waiting').first();
    await waiting.waitFor(TIMEOUT);
    await waiting.hover();
    await expect.poll(() => page.getByRole('tooltip').textContent()).toContain('Held back');
    await page.getByRole('button', { name: 'Save' }).click();
    await page.locator('.released .does', { hasText: /^type$/u }).waitFor(TIMEOUT);
    expect(tab.console).toEqual([]);
  });

  it.each([
    ['light', 1440],
    ['dark', 1440],
    ['light', 390],
  ] as const)('is accessible: %s, %i wide', async (colorScheme, width) => {
    await open({ colorScheme, viewport: { width, height: 900 } });
    await work();
    await released();
    await page.locator('.released .lost').first().focus();
    await shot(page, `playground-${colorScheme}-${width}`);
    const axe = await readFile(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8');
    // By the debugger: the page itself lets no other scripts in.
    await page.evaluate(axe);
    const found = await page.evaluate<{ violations: { id: string; nodes: { html: string }[] }[] }>('axe.run()');
    expect(found.violations.map(({ id, nodes }) => `${id}: ${nodes[0]?.html ?? ''}`)).toEqual([]);
    const scrolls = await page.evaluate('document.documentElement.scrollWidth > document.documentElement.clientWidth');
    expect(scrolls).toBe(false);
    expect(tab.console).toEqual([]);
  });
});

async function shot(page: Page, name: string): Promise<void> {
  const folder = process.env['REDACTORY_SCREENSHOTS'];
  if (folder === undefined) return;
  await mkdir(folder, { recursive: true });
  await page.screenshot({ path: join(folder, `${name}.png`) });
}
