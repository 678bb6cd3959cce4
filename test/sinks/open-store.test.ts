import { readdirSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { expect, test } from 'vitest';

const SRC = fileURLToPath(new URL('../../src/', import.meta.url));

test('the AWS SDK is loaded by the S3 store only, and that only when a table is on S3', () => {
  const importers = (name: RegExp): string[] =>
    readdirSync(SRC, { recursive: true, encoding: 'utf8' })
      .filter((file) => file.endsWith('.ts') && name.test(readFileSync(`${SRC}${file}`, 'utf8')))
      .toSorted();
  const folder = 'sinks/training-table';
  expect(importers(/from '@(?:aws-sdk|smithy)\//u)).toEqual([`${folder}/s3-multipart.ts`, `${folder}/s3-store.ts`]);
  expect(importers(/from '.*\/s3-multipart\.ts'/u)).toEqual([`${folder}/s3-store.ts`]);
  expect(importers(/^import .*'.*\/s3-store\.ts'|from '.*\/s3-store\.ts'/mu)).toEqual([]);
  expect(importers(/import\('.*\/s3-store\.ts'\)/u)).toEqual([`${folder}/open-store.ts`]);
});
