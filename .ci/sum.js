// Adds up the tests of several runs of one suite and prints the closing line. A test is skipped only if no run ran it: the
// native zstd of a current Node, say, does not exist on the oldest one. Exits 1 if a test failed or none ran it.
import { existsSync, readFileSync } from 'node:fs';

const RANK = { failed: 3, passed: 2, skipped: 1, pending: 1, todo: 1, disabled: 1 };
/** A title says why its test is skipped, its seed and the time: it is the same test in another run. */
const VARYING = / \(skipped: (?:[^()]|\([^()]*\))*\)|\(seed \d{4,}\)|\d{4}-\d\d-\d\dT[\d:.]+Z/gu;
const tests = new Map();
for (const path of process.argv.slice(2)) {
  if (!existsSync(path)) {
    // Whatever broke it off comes before it in the log.
    tests.set(`${path} (no tests were run)`, 'failed');
    continue;
  }
  const report = JSON.parse(readFileSync(path, 'utf8'));
  for (const file of report.testResults) {
    const name = file.name.split('/test/').at(-1);
    // A file that fails to load has no tests of its own to fail.
    const results =
      file.assertionResults.length === 0 && file.status === 'failed'
        ? [{ fullName: '(file)', status: 'failed' }]
        : file.assertionResults;
    for (const { fullName, status } of results) {
      const key = `${name} ${fullName.replaceAll(VARYING, '')}`;
      const before = tests.get(key);
      if (before === undefined || RANK[status] > RANK[before]) tests.set(key, status);
    }
  }
}
const count = (...statuses) => [...tests.values()].filter((status) => statuses.includes(status)).length;
const [passed, failed] = [count('passed'), count('failed')];
const skipped = tests.size - passed - failed;
for (const [name, status] of tests) if (status !== 'passed') process.stdout.write(`${status}: ${name}\n`);
process.stdout.write(`${passed} passed, ${failed} failed, ${skipped} skipped\n`);
process.exitCode = failed === 0 && skipped === 0 && passed > 0 ? 0 : 1;
