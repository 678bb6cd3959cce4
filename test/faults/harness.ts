/** A broker and a line of its own for each scenario; where there is no broker, scenarios are skipped aloud. */
import { afterAll, beforeAll, onTestFinished } from 'vitest';
import { buildCli, type Cli } from '../e2e/cli.ts';
import { s3Settings, useCredentials } from '../helpers/table-places.ts';
import { startMinio, type S3Server } from '../servers/s3.ts';
import { describeWithKafka, startKafka, type KafkaServer } from '../servers/kafka.ts';
import { Line, type LineOptions, type Settings } from './line.ts';

/** REDACTORY_SEED repeats a run: what is recorded, who is hit and when. */
export const SEED = Number(process.env['REDACTORY_SEED'] ?? Date.now() % 2 ** 31);

export interface Scene {
  readonly kafka: KafkaServer;
  readonly line: Line;
}

export interface SceneOptions extends Pick<LineOptions, 'settings'> {
  /** A proxy stands between the workers and the broker; the test itself goes past it. */
  readonly proxied?: boolean;
}

/** Scenarios of one kind. `stage` gives each a broker and a line, which end with it. */
export function describeFaults(
  name: string,
  scenarios: (stage: (options?: SceneOptions) => Promise<Scene>) => void,
): void {
  describeWithKafka(`${name} (seed ${SEED})`, () => {
    let cli: Cli;
    beforeAll(async () => {
      cli = await buildCli();
    });
    afterAll(() => cli.remove());
    scenarios(async ({ proxied = false, ...options } = {}) => {
      const kafka = await startKafka({ proxied });
      onTestFinished(() => kafka.close());
      const brokers = { brokers: kafka.brokers, directBrokers: kafka.direct };
      const line = await Line.open({ cli, seed: SEED, ...brokers, ...options });
      onTestFinished(() => line.close());
      return { kafka, line };
    });
  });
}

export const report = (told: string): void => void process.stdout.write(`  ${told}\n`);

/** An S3 server of its own for the table, and the settings that put the table there. */
export async function s3Table(): Promise<{ readonly server: S3Server; readonly settings: Settings }> {
  const server = await startMinio();
  onTestFinished(() => server.close());
  onTestFinished(useCredentials(server));
  return { server, settings: { table: `s3://${server.bucket}/training`, s3: s3Settings(server) } };
}
