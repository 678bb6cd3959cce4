/** deploy/Dockerfile: valid, small in what it takes in, not root. */
import { validate } from 'dockerfile-utils';
import { execFile } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { promisify } from 'node:util';
import { describe, expect, it } from 'vitest';
import { serveHealth } from '../../src/runtime/health.ts';
import { ROOT } from '../docs/repository.ts';
import { readDeployed } from './manifests.ts';

const text = readDeployed('Dockerfile');
/** Instructions on one line each, without comments. */
const lines = text
  .replaceAll(/^#.*\n/gmu, '')
  .replaceAll(/\\\n\s*/gu, '')
  .split('\n')
  .filter((line) => line !== '');
const stages = lines
  .join('\n')
  .split(/^(?=FROM )/mu)
  .slice(1);
const last = stages.at(-1) ?? '';

describe('deploy/Dockerfile', () => {
  it('is a Dockerfile', () => {
    expect(validate(text).map(({ message }) => message)).toEqual([]);
    expect(validate('FROM a\nCOPPY b c\n')).toHaveLength(1);
  });

  it('builds on one image of a version, the Node of CI', () => {
    const image = /^ARG NODE_IMAGE=(.+)$/mu.exec(text)?.[1] ?? '';
    const version = /^CURRENT_NODE=(.+)$/mu.exec(readFileSync(`${ROOT}/.ci/run`, 'utf8'))?.[1];
    expect(image).toBe(`node:${version ?? ''}-bookworm-slim`);
    for (const stage of stages) expect(stage).toMatch(/^FROM \$\{NODE_IMAGE\} AS \w+\n/u);
  });

  it('installs what the lockfile says, and runs no script of a package', () => {
    const installs = lines.filter((line) => /\bnpm (?:ci|install|i|add)\b/u.test(line));
    expect(installs).toHaveLength(2);
    for (const line of installs) expect(line).toMatch(/^RUN npm ci (?:--omit=dev )?--ignore-scripts$/u);
    expect(text).not.toMatch(/^ADD |curl|wget|apt-get/mu);
  });

  it('runs as a user without rights on the code, with a check of its health', () => {
    expect(last).toMatch(/^USER 10001:10001$/mu);
    expect(last).not.toMatch(/^USER (?:0|root)/mu);
    expect(last.indexOf('USER ')).toBeLessThan(last.indexOf('ENTRYPOINT'));
    expect(last).not.toMatch(/COPY --chown/u);
    expect(last).toMatch(/^HEALTHCHECK .*\/livez/mu);
    expect(last).toMatch(/^STOPSIGNAL SIGTERM$/mu);
    // Development packages stay behind.
    expect(last).toContain('COPY --from=modules /app/node_modules');
  });

  it('has no secret in it', () => {
    expect(lines.filter((line) => /^(?:ENV|ARG) .*(?:KEY|PASSWORD|TOKEN|SECRET)/u.test(line))).toEqual([]);
  });

  it('takes in nothing but what is listed, and what it copies is listed', () => {
    const ignore = readDeployed('Dockerfile.dockerignore').split('\n');
    expect(ignore.find((line) => line !== '' && !line.startsWith('#'))).toBe('*');
    const listed = ignore.filter((line) => line.startsWith('!')).map((line) => line.slice(1));
    for (const name of listed) expect({ name, there: existsSync(`${ROOT}/${name}`) }).toEqual({ name, there: true });
    const copied = lines
      .filter((line) => line.startsWith('COPY ') && !line.includes('--from'))
      .flatMap((line) => line.split(' ').slice(1, -1));
    expect(copied.length).toBeGreaterThan(5);
    for (const path of copied) {
      expect(listed).toContain(path.replace(/^\.\//u, '').split('/')[0]);
      expect({ path, there: existsSync(`${ROOT}/${path}`) }).toEqual({ path, there: true });
    }
  });
});

describe('the health check of the image', () => {
  it('passes while the port answers, and fails when it does not', async () => {
    const source = /CMD \["node", "-e", "(.+)"\]/u.exec(text)?.[1] ?? '';
    const telemetry = { render: () => Promise.reject(new Error('not asked for')), measureProcess: () => {} };
    const server = await serveHealth({ host: '127.0.0.1', port: 0, telemetry, isReady: () => false });
    const check = (): Promise<unknown> =>
      promisify(execFile)(process.execPath, ['-e', source.replace('127.0.0.1:9464', new URL(server.address).host)]);
    try {
      await expect(check()).resolves.toBeDefined();
    } finally {
      await server.close();
    }
    await expect(check()).rejects.toMatchObject({ code: 1 });
  });
});
