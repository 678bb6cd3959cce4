import { execFileSync, spawn } from 'node:child_process';
import * as fs from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import { pathToFileURL } from 'node:url';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { loadContracts, openSchemaRegistry, SchemaRegistryError } from '../../src/events/schemas.ts';
import type { RecordSchema } from '../../src/events/schemas.ts';

let folder: string;
let file: string;
beforeEach(async () => {
  folder = await fs.mkdtemp(path.join(os.tmpdir(), 'redactory-schemas-'));
  file = path.join(folder, 'data', 'schemas.json');
});
afterEach(async () => {
  await fs.rm(folder, { recursive: true });
});

/** Version `n` of a record: it has n fields. */
function version(n: number): RecordSchema {
  const fields = Array.from({ length: n }, (_, i) => ({ name: `f${i}`, type: 'int', default: 0 }));
  return { type: 'record', name: 'Thing', namespace: 'test', fields };
}

interface Written {
  readonly schemas: readonly { readonly id: number; readonly name: string }[];
}
async function written(): Promise<Written> {
  return JSON.parse(await fs.readFile(file, 'utf8'));
}

describe('contracts', () => {
  it('are those of the topics, each with doc strings', () => {
    const contracts = loadContracts();
    expect(contracts.map((schema) => schema.name)).toStrictEqual([
      'CaptureBatch',
      'CapturePayload',
      'ReleasedBatch',
      'ConsentDecision',
      'KeyringEntry',
      'SealingKey',
      'DeviceToken',
      'Erasure',
      'PersonRequest',
      'SessionOwner',
      'AuditRecord',
      'QuarantineRecord',
    ]);
    for (const schema of contracts) expect(schema).toHaveProperty('doc');
  });
});

describe('the registry file', () => {
  it('is made for its owner only, and leaves nothing beside it', async () => {
    const ids = openSchemaRegistry(file);
    expect((await fs.stat(file)).mode & 0o777).toBe(0o600);
    expect((await fs.stat(path.dirname(file))).mode & 0o777).toBe(0o700);
    expect(await fs.readdir(path.dirname(file))).toStrictEqual(['schemas.json']);
    expect(ids.schemaOf(ids.idOf('Erasure'))).toMatchObject({ name: 'Erasure' });
    expect(ids.schemaOf(1)).toBeUndefined();
    expect(() => ids.idOf('Nothing')).toThrow(SchemaRegistryError);
  });

  it('is not written again when nothing is new', async () => {
    openSchemaRegistry(file);
    const before = await fs.stat(file);
    openSchemaRegistry(file);
    expect((await fs.stat(file)).ino).toBe(before.ino);
  });

  it('keeps every version, also the ones that another process adds later', async () => {
    const one = openSchemaRegistry(file, [version(1)]);
    const two = openSchemaRegistry(file, [version(2)]);
    expect(one.idOf('Thing')).not.toBe(two.idOf('Thing'));
    expect(two.schemaOf(one.idOf('Thing'))).toStrictEqual(version(1));
    expect(one.schemaOf(two.idOf('Thing'))).toStrictEqual(version(2));
    expect((await written()).schemas).toHaveLength(2);
  });

  it('gives the same schema the same id in every folder', () => {
    const elsewhere = path.join(folder, 'elsewhere.json');
    openSchemaRegistry(elsewhere, [version(3)]);
    expect(openSchemaRegistry(elsewhere, [version(1)]).idOf('Thing')).toBe(
      openSchemaRegistry(file, [version(1)]).idOf('Thing'),
    );
  });

  it('that is damaged is an error that names it and says what to do', async () => {
    openSchemaRegistry(file, [version(1)]);
    const good = await fs.readFile(file, 'utf8');
    for (const bad of [
      '',
      '{',
      '{"version":2,"schemas":[]}',
      good.replace('"f0"', '"g0"'),
      good.replace(/"id": \d+/, '"id": 5'),
    ]) {
      await fs.writeFile(file, bad);
      expect(() => openSchemaRegistry(file, [version(1)])).toThrow(SchemaRegistryError);
      expect(() => openSchemaRegistry(file, [version(1)])).toThrow(`${file}: cannot be used`);
    }
  });

  it('is not kept from anyone by the lock of a process that died', async () => {
    await fs.mkdir(path.dirname(file));
    await fs.writeFile(`${file}.lock`, '');
    const longAgo = new Date(Date.now() - 60_000);
    await fs.utimes(`${file}.lock`, longAgo, longAgo);
    expect(openSchemaRegistry(file, [version(1)]).idOf('Thing')).toBeGreaterThan(0);
  });

  it('loses nothing when processes of many versions open it at once', async () => {
    const module = await compiled();
    const opened = Array.from({ length: 4 }, (_, process) => openVersions(module, process * 8 + 1, process * 8 + 8));
    const ids = (await Promise.all(opened)).flat();
    expect(new Set(ids).size).toBe(32);
    expect(new Set((await written()).schemas.map(({ id }) => id))).toStrictEqual(new Set(ids));
  });
});

/** The registry as plain JavaScript, for other processes: Node 20 runs no TypeScript. */
async function compiled(): Promise<string> {
  const root = path.resolve(import.meta.dirname, '../..');
  const out = path.join(folder, 'dist');
  const tsc = path.join(root, 'node_modules/typescript/bin/tsc');
  const flags = ['--ignoreConfig', '--module', 'nodenext', '--target', 'es2023', '--types', 'node', '--skipLibCheck'];
  const source = path.join(root, 'src/events/schemas.ts');
  execFileSync(process.execPath, [tsc, ...flags, '--rewriteRelativeImportExtensions', '--outDir', out, source], {
    cwd: root,
  });
  await fs.symlink(path.join(root, 'node_modules'), path.join(folder, 'node_modules'));
  await fs.writeFile(path.join(folder, 'package.json'), '{"type":"module"}');
  return pathToFileURL(path.join(out, 'events', 'schemas.js')).href;
}

/** A process that opens the registry with one version after another, and says their ids. */
async function openVersions(module: string, from: number, to: number): Promise<readonly number[]> {
  const code = `
    const { openSchemaRegistry } = await import(${JSON.stringify(module)});
    const ids = [];
    for (let n = ${from}; n <= ${to}; n++) {
      const fields = Array.from({ length: n }, (_, i) => ({ name: 'f' + i, type: 'int', default: 0 }));
      const schema = { type: 'record', name: 'Thing', namespace: 'test', fields };
      ids.push(openSchemaRegistry(${JSON.stringify(file)}, [schema]).idOf('Thing'));
    }
    process.stdout.write(JSON.stringify(ids));`;
  const child = spawn(process.execPath, ['--input-type=module', '-e', code], { stdio: ['ignore', 'pipe', 'inherit'] });
  let output = '';
  for await (const chunk of child.stdout) output += String(chunk);
  return JSON.parse(output);
}
