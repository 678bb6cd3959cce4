/** Where test processes ask the run's main process for what they share. */
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';

export interface Desk {
  /** Each request is answered with what `make` gives, as JSON. */
  readonly url: string;
  close(): void;
}

export async function openDesk(make: () => Promise<unknown>): Promise<Desk> {
  const desk = createServer((_request, response) => {
    make().then(
      (made) => response.end(JSON.stringify(made)),
      (error: unknown) => response.writeHead(500).end(error instanceof Error ? error.message : 'not made'),
    );
  });
  await new Promise<void>((resolve) => {
    desk.listen(0, '127.0.0.1', resolve);
  });
  return {
    // The address of a TCP server is an object.
    url: `http://127.0.0.1:${(desk.address() as AddressInfo).port}/`,
    close() {
      desk.close();
      desk.closeAllConnections();
    },
  };
}

/** @throws Error with why it could not be made. */
export async function askDesk(url: string): Promise<unknown> {
  const answer = await fetch(url);
  if (!answer.ok) throw new Error(await answer.text());
  return answer.json();
}
