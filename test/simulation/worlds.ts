import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { onTestFinished } from 'vitest';
import { openEmbeddedLog } from '../../src/log/embedded.ts';
import type { EventLog } from '../../src/log/event-log.ts';
import { openLocalStore } from '../../src/sinks/training-table/local-store.ts';
import { MemoryStore } from '../helpers/memory-store.ts';
import type { World } from './harness.ts';
import { Broker } from './memory-log.ts';

export function inMemory(): World {
  const broker = new Broker();
  const files = new Map<string, Uint8Array>();
  return { connect: async () => broker.connect(), store: async () => new MemoryStore(files) };
}

/** The real log and real files, gone when the test is over. */
export async function onDisk(): Promise<World> {
  const dir = await mkdtemp(join(tmpdir(), 'redactory-line-'));
  const clients: EventLog[] = [];
  onTestFinished(async () => {
    await Promise.all(clients.map((client) => client.close()));
    await rm(dir, { recursive: true });
  });
  return {
    connect: async () => {
      const client = await openEmbeddedLog({ dir: join(dir, 'log') });
      clients.push(client);
      return client;
    },
    store: () => openLocalStore(join(dir, 'table'), 'write'),
  };
}
