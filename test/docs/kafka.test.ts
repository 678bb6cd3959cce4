import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { describeResource } from '../../src/runtime/access-difference.ts';
import { ROLES } from '../../src/config-kafka.ts';
import { accessPlan } from '../../src/runtime/access.ts';
import { loadConfig } from '../../src/config.ts';
import { ROOT, page } from './repository.ts';

/** docs/kafka.md has the plan of the default config: topics, and the rights of each part. */
describe('docs/kafka.md', async () => {
  const { text } = page('docs/kafka.md');
  const { topics, grants } = accessPlan(await loadConfig({ env: {}, cwd: join(ROOT, 'docs') }));

  it('names every topic with its partitions and how long records stay', () => {
    const planned = topics.map(({ name, partitions, cleanup }) => [
      `\`${name}\``,
      String(partitions),
      cleanup.kind === 'compact' ? 'last of each key' : `${cleanup.retentionMs / 86_400_000} days`,
    ]);
    expect(rowsUnder(text, '| topic ')).toEqual(planned);
  });

  it('has every right of every part, and no other', () => {
    const resources = new Set(grants.map(({ resource }) => describeResource(resource)));
    const planned = [...resources].map((on) => [
      on.replace(/(?<= )\S+$/u, (name) => (on === 'the cluster' ? name : `\`${name}\``)),
      ...ROLES.map((role) =>
        grants
          .filter((grant) => grant.role === role && describeResource(grant.resource) === on)
          .map(({ operation }) => operation)
          .join(', '),
      ),
    ]);
    expect(rowsUnder(text, '| on ')).toEqual(planned);
  });
});

/** Cells of the table whose head begins so. */
function rowsUnder(text: string, head: string): string[][] {
  const [, ...lines] = (text.split(`\n${head}`)[1] ?? '').split('\n');
  const end = lines.findIndex((line) => !line.startsWith('|'));
  return lines.slice(1, end).map((line) =>
    line
      .split('|')
      .slice(1, -1)
      .map((cell) => cell.trim()),
  );
}
