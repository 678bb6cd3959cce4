import type { ServerResponse } from 'node:http';
import type { Socket } from 'node:net';

/** One request that is counted. */
export interface Flight {
  /** Counts it for this person as well; false, without counting it, when they have as many as one may have. */
  ofPerson(person: string): boolean;
  /** Does something for it. What was begun goes on when its sender hangs up, and counts until it has settled. */
  during<T>(work: () => Promise<T>): Promise<T>;
}

/** Requests that are under way: until the answer is sent or its connection is gone, and nothing works for them any more. */
export interface InFlight {
  /** Undefined when there are as many as there may be. */
  begin(response: ServerResponse): Flight | undefined;
  readonly count: number;
}

export function createInFlight(options: {
  readonly max: number;
  /** Of one person. */
  readonly maxOfOne: number;
  /** Called when the count has changed. */
  readonly changed: () => void;
}): InFlight {
  const { max, maxOfOne, changed } = options;
  const people = new Map<string, number>();
  let count = 0;

  function add(more: 1 | -1, person: string | undefined): void {
    count += more;
    if (person !== undefined) addOf(person, more);
    changed();
  }
  function addOf(person: string, more: 1 | -1): void {
    const own = (people.get(person) ?? 0) + more;
    if (own === 0) people.delete(person);
    else people.set(person, own);
  }

  return {
    get count() {
      return count;
    },
    begin(response) {
      if (count >= max) return undefined;
      let person: string | undefined;
      let isCounted = false;
      let isGone = false;
      let works = 0;
      /** Counts it as long as there is a reason to, also when one comes back: work may begin just after its sender is gone. */
      const recount = (): void => {
        const counts = !isGone || works > 0;
        if (counts === isCounted) return;
        isCounted = counts;
        add(counts ? 1 : -1, person);
      };
      recount();
      whenGone(response, () => {
        isGone = true;
        recount();
      });
      return {
        ofPerson(own) {
          if ((people.get(own) ?? 0) >= maxOfOne) return false;
          person = own;
          if (isCounted) addOf(own, 1);
          return true;
        },
        async during(work) {
          works++;
          recount();
          try {
            return await work();
          } finally {
            works--;
            recount();
          }
        },
      };
    },
  };
}

/** Of each connection, what to call once it is gone. */
const waiting = new WeakMap<Socket, Set<() => void>>();

/**
 * Calls once, when the response is sent or can't be any more. The connection is listened to as well, as a response that
 * waits behind another on it is told nothing when the connection ends.
 */
function whenGone(response: ServerResponse, call: () => void): void {
  const { socket } = response.req;
  const calls = waiting.get(socket) ?? listenTo(socket);
  const gone = (): void => {
    if (calls.delete(gone)) call();
  };
  calls.add(gone);
  response.once('close', gone);
  if (socket.closed) gone();
}

/** One listener for each connection, however many requests are on it. */
function listenTo(socket: Socket): Set<() => void> {
  const calls = new Set<() => void>();
  waiting.set(socket, calls);
  socket.once('close', () => {
    for (const call of calls) call();
  });
  return calls;
}
