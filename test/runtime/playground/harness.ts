/** A playground on a gateway of its own, on the loopback interface, with pages of the sources as they are now. */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { writePlayground } from '../../../dev/build-clients.ts';
import { serveUntilStopped } from '../../../src/cli/serving.ts';
import { loadConfig, type Config } from '../../../src/config.ts';
import { loadPolicy } from '../../../src/privacy/policy.ts';
import { pagesIn } from '../../../src/producers/gateway/pages.ts';
import { createLogger, createTelemetry } from '../../../src/runtime/telemetry.ts';
import { openWorkspace, type Workspace } from '../../../src/runtime/workspace.ts';

export interface Served {
  /** `http://host:port` */
  readonly address: string;
  /** With the token; null where there is no playground. */
  readonly playground: string | null;
  readonly token: string;
  readonly workspace: Workspace;
  /** All that was logged. */
  logged(): string;
  close(): Promise<void>;
}

/** @param change of the config's `gateway` section and of others. */
export async function servePlayground(change: {
  readonly gateway?: Partial<Config['gateway']>;
  readonly config?: Partial<Config>;
}): Promise<Served> {
  const dir = await mkdtemp(join(tmpdir(), 'redactory-playground-'));
  const folder = join(dir, 'pages');
  await writePlayground(folder);
  const pages = await pagesIn(folder, '/playground');
  const loaded = await loadConfig({ env: {}, cwd: dir });
  const gateway = { ...loaded.gateway, port: 0, ...change.gateway };
  const workspace = await openWorkspace({ ...loaded, gateway }, {}, { role: 'operator' });
  let logged = '';
  const log = createLogger({ level: 'info', pretty: false, to: { write: (line) => (logged += line) } });
  const stop = new AbortController();
  const close = async (): Promise<void> => {
    stop.abort();
    await Promise.allSettled([running]);
    await workspace.close();
    await rm(dir, { recursive: true });
  };
  let running: Promise<void> = Promise.resolve();
  try {
    const { policy } = await loadPolicy(loaded.policy);
    const served = await new Promise<{ address: string; playground: string | null }>((resolve, reject) => {
      running = serveUntilStopped({
        workspace: { ...workspace, config: { ...workspace.config, ...change.config } },
        policy,
        telemetry: createTelemetry(log),
        signal: stop.signal,
        playgroundPages: pages,
        onServed: resolve,
      });
      running.catch(reject);
    });
    const token = /#token=(.*)$/u.exec(served.playground ?? '')?.[1] ?? '';
    return { ...served, token, workspace, logged: () => logged, close };
  } catch (error) {
    await close();
    throw error;
  }
}
