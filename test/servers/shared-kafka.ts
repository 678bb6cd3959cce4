/**
 * One plaintext broker for all test files of a run, started when the first of them asks. Those who stop it, change its
 * settings or count on its topics start one of their own.
 */
import type { TestProject } from 'vitest/node';
import { openDesk } from './desk.ts';
import { startKafka, whyNoKafka, type KafkaServer } from './kafka.ts';
import { whyNoOpenBao } from './openbao.ts';
import { whyNoPrometheus } from './prometheus.ts';
import { whyNoS3 } from './s3.ts';

declare module 'vitest' {
  interface ProvidedContext {
    /** Where a test process asks for the shared broker. */
    kafkaBroker: string;
  }
}

/** What tests of whole parts need; each is skipped without. */
const NEEDED: readonly (readonly [what: string, lacking: () => string | undefined])[] = [
  ['a Kafka broker', whyNoKafka],
  ['an S3 server', whyNoS3],
  ['a service that wraps keys', whyNoOpenBao],
  ['a schema registry of others', () => unset('REDACTORY_APICURIO', 'an unpacked apicurio-registry-app')],
  ['a Prometheus', whyNoPrometheus],
  ['a browser', () => unset('REDACTORY_CHROMIUM', 'the path of a chromium program')],
  ['real table readers', () => unset('REDACTORY_PYTHON', 'a Python that has test/clients/requirements.txt')],
  ['real recordings', () => unset('REDACTORY_DATA', 'a folder with recordings/ and pii/')],
];

/** Vitest's global setup: says what will be skipped, and offers the broker. */
export default async function setup(project: TestProject): Promise<() => Promise<void>> {
  for (const [what, lacking] of NEEDED) {
    const reason = lacking();
    if (reason !== undefined) process.stderr.write(`skipping tests with ${what}: ${reason}\n`);
  }
  let broker: Promise<KafkaServer> | undefined;
  const desk = await openDesk(async () => (await (broker ??= startKafka())).brokers);
  project.provide('kafkaBroker', desk.url);
  return async () => {
    desk.close();
    await broker?.then(
      (running) => running.close(),
      // That it did not start has been told to those who asked.
      () => {},
    );
  };
}

function unset(name: string, value: string): string | undefined {
  return (process.env[name] ?? '') === '' ? `set ${name} to ${value}` : undefined;
}
