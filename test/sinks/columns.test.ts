import { readFile } from 'node:fs/promises';
import { expect, test } from 'vitest';
import { COLUMNS, tableReference } from '../../src/sinks/columns.ts';
import { newMetaData } from '../../src/sinks/training-table/layout.ts';

/** The formatter pads the cells of tables. */
const unpadded = (page: string): string => page.replaceAll(/ +/gu, ' ').replaceAll(/-{3,}/gu, '---');

test('docs/table.md is what the column declaration says', async () => {
  const page = await readFile(new URL('../../docs/table.md', import.meta.url), 'utf8');
  expect(unpadded(page)).toBe(unpadded(tableReference()));
});

test('the columns are those of the design, in its order', () => {
  expect(COLUMNS.map((c) => c.name)).toEqual(
    (
      'date session subject step action app window url target_role target key button direction cell pause length count ' +
      'policy schema'
    ).split(' '),
  );
});

test('the Delta schema is a Spark struct of these columns', () => {
  const schema: unknown = JSON.parse(newMetaData('training', 0).schemaString);
  expect(schema).toMatchObject({ type: 'struct', fields: COLUMNS.map(({ name, type }) => ({ name, type })) });
});
