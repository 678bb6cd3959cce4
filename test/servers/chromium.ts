/** A real Chromium for tests: headless, with an empty profile, on pages that tests serve on the loopback interface. */
import { chromium } from 'playwright-core';
import type { Browser, BrowserContextOptions, Page } from 'playwright-core';
import { describe } from 'vitest';

export interface ChromiumBrowser {
  /** A page in a profile of its own, as of another person: without cookies, storage or permissions. */
  newPage(options?: BrowserContextOptions): Promise<TestPage>;
  close(): Promise<void>;
}

export interface TestPage {
  readonly page: Page;
  /** What the page wrote to its console, and what it threw, in order. */
  readonly console: readonly string[];
  /** Closes it with its profile. */
  close(): Promise<void>;
}

/** Why there can be no Chromium here; undefined if there can. */
export function whyNoChromium(): string | undefined {
  if ((process.env['REDACTORY_CHROMIUM'] ?? '') !== '') return undefined;
  return 'set REDACTORY_CHROMIUM to the path of a chromium program (Debian: chromium)';
}

/** Tests that need it. Where there can be none they are skipped, and their title says why. */
export function describeWithChromium(name: string, tests: () => void): void {
  const lacking = whyNoChromium();
  const suffix = lacking === undefined ? '' : ` (skipped: ${lacking})`;
  describe.skipIf(lacking !== undefined)(`${name}${suffix}`, () => {
    tests();
  });
}

/** Starts one for the caller, who closes it. It can reach nothing but the loopback interface. */
export async function launchChromium(): Promise<ChromiumBrowser> {
  const executablePath = process.env['REDACTORY_CHROMIUM'] ?? '';
  if (executablePath === '') throw new Error(`no Chromium: ${whyNoChromium() ?? ''}`);
  const browser: Browser = await chromium.launch({
    executablePath,
    headless: true,
    args: [
      // A container's /dev/shm is small, and its root has no user namespaces to make a sandbox with.
      '--disable-dev-shm-usage',
      '--no-sandbox',
      '--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE 127.0.0.1, EXCLUDE localhost',
    ],
  });
  return {
    async newPage(options = {}) {
      const context = await browser.newContext({ serviceWorkers: 'block', ...options });
      const page = await context.newPage();
      const console: string[] = [];
      page.on('console', (message) => console.push(`${message.type()}: ${message.text()}`));
      page.on('pageerror', (error) => console.push(`thrown: ${error.message}`));
      return { page, console, close: () => context.close() };
    },
    close: () => browser.close(),
  };
}
