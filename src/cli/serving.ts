import { once } from 'node:events';
import type { Policy } from '../privacy/policy.ts';
import { redirect, type Page } from '../producers/gateway/pages.ts';
import type { PersonView } from '../producers/gateway/person-view.ts';
import { builtPages } from '../runtime/built-pages.ts';
import { serveGateway } from '../runtime/gateway.ts';
import { openPlayground, type Playground } from '../runtime/playground.ts';
import type { Telemetry } from '../runtime/telemetry.ts';
import type { Workspace } from '../runtime/workspace.ts';

export interface Served {
  /** `http://host:port` of the gateway. */
  readonly address: string;
  /** Of the playground with what its page signs in with; null where there is none. Whoever has it is its person. */
  readonly playground: string | null;
}

/**
 * Serves recorders, and the playground if the config has it, with the pages that are built, until `signal` aborts.
 *
 * @param onServed is told once all of it can be used.
 * @throws RunError when it cannot be served; what the playground's processors throw.
 */
export async function serveUntilStopped(options: {
  readonly workspace: Workspace;
  readonly policy: Policy;
  readonly telemetry: Telemetry;
  readonly signal: AbortSignal;
  /** Answers about what was kept, where this process is its own steward. */
  readonly view?: PersonView;
  /** Of the playground, in place of those that `npm run build` has built. */
  readonly playgroundPages?: readonly Page[];
  readonly onServed: (served: Served) => void;
}): Promise<void> {
  const { workspace, signal, playgroundPages: own } = options;
  const playground = workspace.config.gateway.playground
    ? await openPlayground({ ...options, ...(own === undefined ? {} : { pages: own }) })
    : null;
  try {
    const page = await builtPages('page', '/me');
    const pages = [...(page.length === 0 ? [] : [redirect('/', 'me')]), ...(playground?.pages ?? []), ...page];
    const gateway = await serveGateway({ ...options, pages, routes: playground?.routes ?? [] });
    try {
      const { address } = gateway;
      const at = playground === null ? null : `${address}/playground#token=${playground.token}`;
      options.onServed({ address, playground: at });
      await untilStopped(signal, playground);
    } finally {
      // First: it holds answers back, for which the gateway would wait.
      try {
        await playground?.close();
      } finally {
        await gateway.close();
      }
    }
  } catch (error) {
    await playground?.close();
    throw error;
  }
}

async function untilStopped(signal: AbortSignal, playground: Playground | null): Promise<void> {
  if (signal.aborted) return;
  await Promise.race([once(signal, 'abort'), ...(playground === null ? [] : [playground.done])]);
}
