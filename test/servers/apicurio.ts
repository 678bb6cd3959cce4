/** Apicurio Registry, a registry product with Confluent's API, in memory, on a free port of the loopback interface. */
import { spawn } from 'node:child_process';
import { existsSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { describe } from 'vitest';

export interface ApicurioServer {
  /** Of its Confluent-compatible API. */
  readonly url: string;
  close(): Promise<void>;
}

/** The unpacked `io.apicurio:apicurio-registry-app:zip:all` of Maven Central; 2.5.11.Final is what was tried. */
function runnerJar(): string | undefined {
  const folder = process.env['REDACTORY_APICURIO'] ?? '';
  if (folder === '' || !existsSync(folder)) return undefined;
  const jar = readdirSync(folder).find((name) => name.endsWith('-runner.jar'));
  return jar === undefined ? undefined : join(folder, jar);
}

/** Tests that need it. Where it is missing they are skipped, and their title says why. */
export function describeWithApicurio(name: string, tests: () => void): void {
  const isMissing = runnerJar() === undefined;
  const why = ' (skipped: set REDACTORY_APICURIO to an unpacked apicurio-registry-app-*-all.zip)';
  describe.skipIf(isMissing)(`${name}${isMissing ? why : ''}`, () => {
    tests();
  });
}

export async function startApicurio(): Promise<ApicurioServer> {
  const jar = runnerJar();
  if (jar === undefined) throw new Error('REDACTORY_APICURIO names no folder with a runner jar');
  const settings = {
    'quarkus.http.host': '127.0.0.1',
    'quarkus.http.port': '0',
    'quarkus.datasource.jdbc.url': 'jdbc:h2:mem:registry_db',
    'quarkus.datasource.jdbc.min-size': '1',
    'quarkus.datasource.jdbc.initial-size': '1',
  };
  const flags = Object.entries(settings).map(([key, value]) => `-D${key}=${value}`);
  const java = spawn('java', ['-Xmx300m', '-XX:TieredStopAtLevel=1', ...flags, '-jar', jar], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const ended = new Promise<void>((resolve) => java.once('close', () => resolve()));
  const close = async (): Promise<void> => {
    java.kill();
    await ended;
  };
  const listening = new Promise<string>((resolve, reject) => {
    createInterface(java.stdout).on('line', (line) => {
      const url = /Listening on: (http:\/\/127\.0\.0\.1:\d+)/u.exec(line)?.[1];
      if (url !== undefined) resolve(url);
    });
    java.once('error', reject);
    java.once('close', () => reject(new Error('Apicurio Registry ended before it was ready')));
  });
  return { url: `${await listening}/apis/ccompat/v7`, close };
}
