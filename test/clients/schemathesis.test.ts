/** A tester of APIs that knows nothing of this project makes requests out of the OpenAPI document that the gateway serves. */
import { execFile, execFileSync } from 'node:child_process';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { describe, expect, it } from 'vitest';
import { useGateway } from '../helpers/gateway.ts';

/** An interpreter that has what requirements.txt lists. */
const PYTHON = process.env['REDACTORY_PYTHON'] ?? '';
const SEED = Number(process.env['REDACTORY_SEED'] ?? 7);
/** Of each operation; stateful sequences of them come on top. */
const EXAMPLES = 40;

/**
 * All of its checks are made. 410 is a refusal as good as the others. 422 can meet what the document allows: two of the three
 * bodies are bytes to it, and the third has places in its own lists. 503 is `not_served`, what needs a service that is not set up
 * here; that it is no other, the gateway's own counters say.
 */
const SETTINGS = `
[checks]
not_a_server_error.expected-statuses = ["2xx", "3xx", "4xx", 503]
negative_data_rejection.expected-statuses = [400, 401, 403, 404, 405, 409, 410, 413, 415, 422, 429]
positive_data_acceptance.expected-statuses = ["2xx", 401, 403, 404, 409, 410, 422, 429, 503]
`;

function whyNot(): string | undefined {
  if (PYTHON === '') return 'REDACTORY_PYTHON is not set';
  try {
    execFileSync(PYTHON, ['-c', 'import schemathesis'], { stdio: 'ignore' });
    return undefined;
  } catch {
    return 'REDACTORY_PYTHON lacks schemathesis';
  }
}
const reason = whyNot();
const world = useGateway();

/** What it found, in its own words. */
async function run(token: string, operations: readonly string[]): Promise<string> {
  await writeFile(join(world.dir, 'schemathesis.toml'), SETTINGS);
  const args = [
    '-m',
    'schemathesis.cli',
    'run',
    `${world.address}/v1/openapi.json`,
    `--header=Authorization: Bearer ${token}`,
    '--checks=all',
    `--max-examples=${EXAMPLES}`,
    `--seed=${SEED}`,
    '--generation-database=none',
    '--warnings=off',
    '--no-color',
    ...operations,
  ];
  const { stdout } = await promisify(execFile)(PYTHON, args, { cwd: world.dir, maxBuffer: 1 << 26 }).catch(
    (error: unknown) => ({
      stdout: error instanceof Error && 'stdout' in error ? String(error.stdout) : String(error),
    }),
  );
  return stdout;
}

describe.skipIf(reason !== undefined)(`schemathesis${reason === undefined ? '' : ` (skipped: ${reason})`}`, () => {
  // Who has paused or withdrawn gets no session any more.
  it.each([
    ['in the life of a session', ['--exclude-path-regex', '/me/(pause|withdraw)']],
    ['in the decisions of a person', ['--include-path-regex', '/me']],
  ])(
    'finds nothing %s',
    async (_, operations) => {
      await world.serve({ requestsPerMinute: 100_000, dataBudgetBytes: 2 ** 40 });
      const found = await run(await world.enrolled(), operations);
      expect(found).toMatch(/No issues found/u);
      // It has been let in, and has been through all of its phases.
      expect(found).toMatch(/✅ Coverage[^]*✅ Fuzzing/u);
      expect(world.logged).toBe('');
      const { body } = await world.telemetry.render();
      expect(body).toMatch(/^redactory_gateway_refusals_total\{reason="not_served"\} [1-9]/mu);
      expect(body).not.toMatch(/^redactory_gateway_\w+_total\{.*reason="(?:busy|unavailable|internal)"\} [1-9]/mu);
    },
    300_000,
  );
});
