import { mkdtemp, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { buildCli, type Cli, type CliProcess } from './cli.ts';

describe.skipIf(process.platform === 'win32')('demo --open (signals: not on Windows)', () => {
  let cli: Cli;
  let temporary: string;
  beforeAll(async () => {
    cli = await buildCli();
    temporary = await mkdtemp(join(tmpdir(), 'redactory-e2e-'));
  });
  afterAll(async () => {
    await cli.remove();
    await rm(temporary, { recursive: true, force: true });
  });

  const start = (args: readonly string[]): CliProcess =>
    // No folder with a program that shows pages.
    cli.start(args, { TMPDIR: temporary, PATH: temporary });

  async function addressOf(running: CliProcess): Promise<string> {
    const printed = async (): Promise<string> => {
      for (;;) {
        const [found] = /http:\/\/\S+/u.exec(running.stdout()) ?? [];
        if (found !== undefined) return found;
        await new Promise((resolve) => running.child.stdout?.once('data', resolve));
      }
    };
    return Promise.race([
      printed(),
      running.ended.then((code) => {
        throw new Error(`it ended with ${code}: ${running.stderr()}`);
      }),
    ]);
  }

  it('serves the page on this machine, opens to its token, and leaves nothing behind', async () => {
    const running = start(['demo', '--open']);
    const address = new URL(await addressOf(running));
    expect(address.hostname).toBe('127.0.0.1');
    const token = address.hash.replace('#token=', '');
    const page = await fetch(address);
    expect([page.status, page.headers.get('content-security-policy')]).toEqual([
      200,
      expect.stringContaining("'self'"),
    ]);
    for (const [, path] of (await page.text()).matchAll(/(?:src|href)="(\/[^"]+)"/gu)) {
      // Not there in every build.
      if (path === '/me') continue;
      expect([path, (await fetch(new URL(path ?? '', address))).status]).toEqual([path, 200]);
    }
    const settings = await fetch(new URL('/playground/settings', address), {
      headers: { authorization: `Bearer ${token}` },
    });
    expect(settings.status).toBe(200);
    expect(await readdir(temporary)).toHaveLength(1);
    running.child.kill('SIGINT');
    expect(await running.ended).toBe(0);
    expect(await readdir(temporary)).toEqual([]);
    expect(running.stderr()).not.toContain(token);
  });

  it.each([
    ['SIGINT', 130],
    ['SIGHUP', 129],
  ] as const)('leaves nothing behind when %s ends it without a stop', async (signal, code) => {
    const running = start(['demo', '--open']);
    await addressOf(running);
    expect(await readdir(temporary)).toHaveLength(1);
    const again = setInterval(() => running.child.kill(signal), 1);
    expect(await running.ended).toBe(code);
    clearInterval(again);
    expect(await readdir(temporary)).toEqual([]);
  });

  it('is refused a folder: it keeps nothing', async () => {
    const running = start(['demo', '--open', '--data', 'kept']);
    expect(await running.ended).toBe(2);
    expect(running.stderr()).toContain('leave out --data');
  });
});
