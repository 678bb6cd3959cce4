/** All of it together, as a newcomer starts it: the playground, the page of who is recorded, and an erasure to its end. */
import { join } from 'node:path';
import { mkdir } from 'node:fs/promises';
import { afterAll, beforeAll, expect, it, vi } from 'vitest';
import { buildCli, type Cli, type CliProcess } from '../e2e/cli.ts';
import { describeWithChromium, launchChromium, type ChromiumBrowser, type TestPage } from '../servers/chromium.ts';

const SECRET = 'Xylophon quark';
const TIMEOUT = { timeout: 60_000 };

describeWithChromium('the demo that opens', () => {
  let cli: Cli;
  let browser: ChromiumBrowser;
  let demo: CliProcess;
  let playground: string;
  let me: string;
  const tabs: TestPage[] = [];

  beforeAll(async () => {
    cli = await buildCli();
    browser = await launchChromium();
    // No folder with a program that shows pages.
    demo = cli.start(['demo', '--open'], { PATH: cli.folder });
    const printed = (): string[] => demo.stdout().match(/http:\S+/gu) ?? [];
    await vi.waitUntil(() => printed().length === 2, TIMEOUT);
    [playground = '', me = ''] = printed();
  }, 120_000);
  afterAll(async () => {
    for (const tab of tabs) await tab.close();
    await browser.close();
    demo.child.kill('SIGINT');
    await demo.ended;
    await cli.remove();
  });

  async function open(address: string): Promise<TestPage> {
    const tab = await browser.newPage({ viewport: { width: 1280, height: 900 }, locale: 'en' });
    tabs.push(tab);
    await tab.page.goto(address);
    return tab;
  }
  async function shot({ page }: TestPage, name: string): Promise<void> {
    const folder = process.env['REDACTORY_SCREENSHOTS'] ?? '';
    if (folder === '') return;
    await mkdir(folder, { recursive: true });
    await page.screenshot({ path: join(folder, `${name}.png`), fullPage: true });
  }

  it('records what is typed, shows its person what was kept of it, and not what was typed', async () => {
    const { page } = await open(playground);
    await page.locator('#state[data-status=recording]').waitFor(TIMEOUT);
    await page.getByLabel('Name').click();
    await page.keyboard.type(SECRET);
    await page.getByRole('button', { name: 'Save', exact: true }).click();
    await page.getByRole('link', { name: 'Orders' }).click();
    await page
      .locator('.released .does', { hasText: /^type$/u })
      .first()
      .waitFor(TIMEOUT);
    // Here it is, and it is gone where the person sees what was kept.
    expect((await page.locator('.saw').allTextContents()).join(' ')).toContain(SECRET);

    const mine = await open(me);
    // The sink writes a table each second here.
    await expect
      .poll(async () => {
        await mine.page.locator('#kept-reload').click();
        return mine.page.locator('#kept').textContent();
      }, TIMEOUT)
      .toMatch(/typed/iu);
    await mine.page.locator('#readers', { hasText: /\w/u }).waitFor(TIMEOUT);
    await shot(mine, 'demo-me-kept');
    const shown = (await mine.page.content()).toLowerCase();
    for (const part of SECRET.toLowerCase().split(' ')) expect(shown).not.toContain(part);
  }, 120_000);

  it('shows nothing to who is not that person', async () => {
    const stranger = await open(me.replace(/_[\w-]{43}$/u, `_${'A'.repeat(43)}`));
    await stranger.page.locator('#sign-in').waitFor(TIMEOUT);
    await shot(stranger, 'demo-stranger');
    expect(await stranger.page.locator('#mine').isVisible()).toBe(false);
    const [origin = ''] = me.split('/me');
    for (const path of ['/v1/me/kept', '/v1/me', '/playground/released/strict?after=0']) {
      expect((await fetch(`${origin}${path}`)).status).toBe(401);
    }
  });

  it('stops recording with a pause', async () => {
    const [{ page } = await open(playground), mine = await open(me)] = tabs;
    await mine.page.locator('#pauses button').first().click();
    await mine.page.locator('#status[data-kind=paused]').waitFor(TIMEOUT);
    await shot(mine, 'demo-me-paused');
    /** As it is when all that the recorder has seen by now is shown. */
    const seen = async (): Promise<string | null> => {
      await page.evaluate('new Promise((shown) => requestAnimationFrame(() => requestAnimationFrame(shown)))');
      return page.locator('#seen-count').textContent();
    };
    await page.getByLabel('Name').click();
    await page.keyboard.type('x');
    await page.locator('#state:not([data-status=recording])').waitFor(TIMEOUT);
    const before = await seen();
    expect(before).toMatch(/^[1-9]\d* events$/u);
    await page.keyboard.type('more of it');
    await page.getByRole('button', { name: 'Save', exact: true }).click();
    expect(await seen()).toBe(before);
  }, 120_000);

  it('erases, and the rows are gone', async () => {
    const mine = tabs[1] ?? (await open(me));
    await mine.page.locator('#erase').click();
    await mine.page.locator('#erase-word').fill('erase');
    await mine.page.locator('#erase-form button[type=submit]').click();
    await expect
      .poll(() => mine.page.locator('#erasure').textContent(), TIMEOUT)
      .toMatch(/^Done on .*: [1-9]\d* lines/u);
    await shot(mine, 'demo-me-erased');
    await mine.page.locator('#kept-reload').click();
    await expect.poll(() => mine.page.locator('#kept').textContent(), TIMEOUT).not.toMatch(/typed/iu);
    // Browsers tell of every refusal; a pause has some.
    const isRefusal = (line: string): boolean => /the server responded with a status of (?:401|403|410)/u.test(line);
    for (const tab of tabs) expect(tab.console.filter((line) => !isRefusal(line))).toEqual([]);
  }, 120_000);
});
