import { availableParallelism } from 'node:os';
import { defineConfig } from 'vitest/config';
import { recorderDefines } from './dev/build-clients.ts';

/** Where to write what each test came to, as JSON. */
const report = process.env['REDACTORY_TEST_REPORT'];

export default defineConfig({
  define: recorderDefines(),
  test: {
    include: ['test/**/*.test.ts'],
    testTimeout: 300_000,
    hookTimeout: 180_000,
    globalSetup: ['test/servers/shared-kafka.ts', 'test/servers/shared-cli.ts'],
    pool: 'forks',
    // Many files wait for servers and sessions: Vitest's own choice leaves one core to that.
    maxWorkers: availableParallelism(),
    reporters: report === undefined ? ['default'] : ['default', ['json', { outputFile: report }]],
    coverage: { provider: 'v8', include: ['src/**'], reporter: ['text-summary'] },
  },
});
