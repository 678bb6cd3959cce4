/** Pages that the gateway serves to anybody. */
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { loadConfig } from '../../src/config.ts';
import { loadPolicy } from '../../src/privacy/policy.ts';
import { pagesIn, redirect } from '../../src/producers/gateway/pages.ts';
import { serveGateway, type RunningGateway } from '../../src/runtime/gateway.ts';
import { createLogger, createTelemetry } from '../../src/runtime/telemetry.ts';
import { openWorkspace, type Workspace } from '../../src/runtime/workspace.ts';

let dir: string;
let workspace: Workspace;
let gateway: RunningGateway;

beforeAll(async () => {
  dir = await mkdtemp(join(tmpdir(), 'redactory-pages-'));
  const folder = await mkdtemp(join(dir, 'page-'));
  for (const name of ['index.html', 'page.js', 'page.css', 'icon.svg', 'notes.txt', 'page.js.map']) {
    await writeFile(join(folder, name), `content of ${name}`);
  }
  const config = await loadConfig({ env: {}, cwd: dir });
  workspace = await openWorkspace({ ...config, gateway: { ...config.gateway, port: 0 } }, {}, { role: 'gateway' });
  const { policy } = await loadPolicy(config.policy);
  const telemetry = createTelemetry(createLogger({ level: 'info', pretty: false, to: { write: () => undefined } }));
  const pages = [redirect('/', 'me'), ...(await pagesIn(folder, '/me'))];
  gateway = await serveGateway({ workspace, policy, telemetry, pages });
});
afterAll(async () => {
  await gateway.close();
  await workspace.close();
  await rm(dir, { recursive: true });
});

const get = (path: string, method = 'GET'): Promise<Response> =>
  fetch(`${gateway.address}${path}`, { method, redirect: 'manual' });

it.each([
  ['/me', 'text/html; charset=utf-8', 'index.html'],
  ['/me/page.js', 'text/javascript; charset=utf-8', 'page.js'],
  ['/me/page.css', 'text/css; charset=utf-8', 'page.css'],
  ['/me/icon.svg', 'image/svg+xml', 'icon.svg'],
])('%s is served to anybody, and may load and send nothing elsewhere', async (path, type, name) => {
  const answer = await get(path);
  expect([answer.status, answer.headers.get('content-type'), await answer.text()]).toEqual([
    200,
    type,
    `content of ${name}`,
  ]);
  const rules = (answer.headers.get('content-security-policy') ?? '').split('; ');
  expect(rules).toEqual([
    "default-src 'none'",
    "script-src 'self'",
    "style-src 'self'",
    "img-src 'self'",
    "connect-src 'self'",
    "base-uri 'none'",
    "form-action 'none'",
    "frame-ancestors 'none'",
    "require-trusted-types-for 'script'",
    "trusted-types 'none'",
  ]);
  expect(answer.headers.get('x-content-type-options')).toBe('nosniff');
  expect(answer.headers.get('referrer-policy')).toBe('no-referrer');
  expect(answer.headers.get('cache-control')).toBe('no-store');
});

it('the root leads to the page, by a relative address, so that it does so below the path of a proxy', async () => {
  const answer = await get('/');
  expect([answer.status, answer.headers.get('location')]).toEqual([302, 'me']);
});

it('files of other kinds are not served, and nobody is let in beside the pages', async () => {
  const statuses = ['/me/notes.txt', '/me/page.js.map', '/me/../package.json', '/v1/me'].map(
    async (path) => (await get(path)).status,
  );
  expect(await Promise.all(statuses)).toEqual([401, 401, 401, 401]);
});
