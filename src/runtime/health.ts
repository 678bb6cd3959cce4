import fastify from 'fastify';
import type { Telemetry } from './telemetry.ts';
import { RunError } from './run-error.ts';

export interface HealthServer {
  /** `http://host:port` where it listens. */
  readonly address: string;
  close(): Promise<void>;
}

/**
 * Serves `/metrics` (Prometheus), `/livez` (the process answers) and `/readyz` (503 until `isReady` says so).
 *
 * @throws Error when the port is taken; the message names it and the key to change.
 */
export async function serveHealth(options: {
  readonly host: string;
  readonly port: number;
  readonly telemetry: Pick<Telemetry, 'render' | 'measureProcess'>;
  readonly isReady: () => boolean;
}): Promise<HealthServer> {
  options.telemetry.measureProcess();
  const server = fastify({ logger: false, bodyLimit: 1_024, requestTimeout: 10_000 });
  server.get('/livez', () => ({ status: 'ok' }));
  server.get('/readyz', (_request, reply) =>
    options.isReady() ? reply.send({ status: 'ready' }) : reply.code(503).send({ status: 'starting' }),
  );
  server.get('/metrics', async (_request, reply) => {
    const { contentType, body } = await options.telemetry.render();
    return reply.header('content-type', contentType).send(body);
  });
  try {
    const address = await server.listen({ host: options.host, port: options.port });
    return { address, close: () => server.close() };
  } catch (error) {
    const code = error instanceof Error && 'code' in error ? String(error.code) : 'unknown error';
    throw new RunError(
      `cannot serve metrics on ${options.host}:${options.port} (${code}): choose another telemetry.port, or null for none`,
      { cause: error },
    );
  }
}
