/** What goes wrong, by seed: everything that a worker does to the log and the table passes through its hands. */
import { setImmediate as turn } from 'node:timers/promises';
import type {
  EventLog,
  Fetched,
  Membership,
  ReadRequest,
  Transaction,
  TransactionalProducer,
} from '../../src/log/event-log.ts';
import type { Random } from '../../src/producers/simulator/random.ts';
import type { TableStore } from '../../src/sinks/training-table/store.ts';
import type { Crew } from './crew.ts';

/** The worker's process is gone: nothing that it does from here on has any effect. */
export class CrashError extends Error {
  override name = 'CrashError';
}

/** One operation failed, or was reported as failed. The names are those of a real log's and a real store's errors. */
class InjectedError extends Error {
  constructor(name: 'Error' | 'LogStorageError' | 'SinkStorageError') {
    super('injected by the simulation');
    this.name = name;
  }
}

/** What one run shares: how many faults are left, and how far its scheduler has come. */
export interface Weather {
  readonly random: Random;
  /** Chance of a fault, for each operation. */
  readonly rate: number;
  /** Faults left to happen; at 0 all is well from here on. */
  budget: number;
  /** Commits of the sanitizer that were carried out and reported as failed: their counts are known to nobody. */
  unacknowledged: number;
  /** Operations so far; a run that never ends is an error. */
  operations: number;
  readonly injected: Record<string, number>;
}

/** Operations that change something are few, and matter most. */
const WRITES = /^(?:append|begin|commit|commitOffset|sink commit|store put|store putIfAbsent) /u;
const MAX_OPERATIONS = 400_000;

/** Lets everything else have its turn, `count` times: the only way in which a simulated run waits. */
export async function turns(count: number): Promise<void> {
  for (let i = 0; i < count; i++) await turn();
}

/** One worker's hands. */
export class Hands {
  readonly #weather: Weather;
  /** Faults that this worker has met. */
  faults = 0;
  #dead = false;

  constructor(weather: Weather) {
    this.#weather = weather;
  }

  /** Carries out an operation, unless something goes wrong before or after it. */
  async do<T>(operation: string, run: () => Promise<T>): Promise<T> {
    const { random } = this.#weather;
    if (++this.#weather.operations > MAX_OPERATIONS) throw new Error('the simulated run does not come to an end');
    if (random.chance(0.3)) await turns(random.whole(1, 3));
    if (this.#dead) throw new CrashError('the worker has crashed');
    this.#mayFail(`${operation} before`);
    const result = await run();
    try {
      if (this.#dead) throw new CrashError('the worker has crashed');
      this.#mayFail(`${operation} after`);
    } catch (error) {
      if (operation === 'commit') this.#weather.unacknowledged++;
      throw error;
    }
    return result;
  }

  #mayFail(where: string): void {
    const { random } = this.#weather;
    const rate = this.#weather.rate * (WRITES.test(where) ? 8 : 1);
    if (this.#weather.budget === 0 || !random.chance(rate)) return;
    this.#weather.budget--;
    this.faults++;
    this.#dead = random.chance(0.5);
    const what = `${this.#dead ? 'crash' : 'failure'} ${where}`;
    this.#weather.injected[what] = (this.#weather.injected[what] ?? 0) + 1;
    if (this.#dead) throw new CrashError('the worker has crashed');
    throw new InjectedError(random.pick(['Error', 'Error', 'LogStorageError', 'SinkStorageError']));
  }
}

/** The log as a worker with these hands sees it. Waits for new records are turns of the scheduler. */
export function inHands(log: EventLog, hands: Hands, crews: ReadonlyMap<string, Crew>): EventLog {
  return {
    createTopics: (specs) => hands.do('createTopics', () => log.createTopics(specs)),
    partitions: (topic) => hands.do('partitions', () => log.partitions(topic)),
    append: (topic, records) => hands.do('append', () => log.append(topic, records)),
    read: (request) => hands.do('read', () => readWithoutClock(log, request)),
    beginOffsets: (topic) => hands.do('beginOffsets', () => log.beginOffsets(topic)),
    endOffsets: (topic) => hands.do('endOffsets', () => log.endOffsets(topic)),
    highWatermarks: (topic) => hands.do('highWatermarks', () => log.highWatermarks(topic)),
    offsetForTime: (at, timestamp) => hands.do('offsetForTime', () => log.offsetForTime(at, timestamp)),
    committed: (group, at) => hands.do('committed', () => log.committed(group, at)),
    transactional: (id) =>
      hands.do('transactional', async () => producerInHands(await log.transactional(id), hands, id)),
    join: async (group, topic): Promise<Membership> => {
      const crew = crews.get(group);
      if (crew === undefined) throw new Error(`no crew for the group ${group}`);
      const joined: Membership[] = [];
      try {
        return await hands.do('join', async () => {
          const membership = crew.join(topic, hands);
          joined.push(membership);
          return membership;
        });
      } catch (error) {
        // What a group does by itself with a member that never says a word.
        for (const membership of joined) await membership.leave();
        throw error;
      }
    },
    clean: (now) => log.clean(now),
    close: () => log.close(),
  };
}

async function readWithoutClock(log: EventLog, request: ReadRequest): Promise<Fetched> {
  const fetched = await log.read({ ...request, waitMs: 0 });
  if (fetched.records.length === 0 && request.waitMs > 0) await turns(4);
  return fetched;
}

function producerInHands(producer: TransactionalProducer, hands: Hands, id: string): TransactionalProducer {
  const commits = id.startsWith('sanitize/') ? 'commit' : 'sink commit';
  return {
    transactionalId: producer.transactionalId,
    begin: () => hands.do('begin', async () => transactionInHands(await producer.begin(), hands, commits)),
    close: () => producer.close(),
  };
}

function transactionInHands(transaction: Transaction, hands: Hands, commits: string): Transaction {
  return {
    append: (topic, records) => hands.do('append', () => transaction.append(topic, records)),
    commitOffset: (group, at, position) =>
      hands.do('commitOffset', () => transaction.commitOffset(group, at, position)),
    commit: () => hands.do(commits, () => transaction.commit()),
    abort: () => transaction.abort(),
  };
}

/** The table's files as a worker with these hands reaches them: a failing disk, or a crash between two writes. */
export function storeInHands(store: TableStore, hands: Hands): TableStore {
  return {
    location: store.location,
    read: (path) => hands.do('store read', () => store.read(path)),
    list: (folder, startAfter) => hands.do('store list', () => store.list(folder, startAfter)),
    folders: (folder) => hands.do('store list', () => store.folders(folder)),
    putIfAbsent: (path, data) => hands.do('store putIfAbsent', () => store.putIfAbsent(path, data)),
    put: (path, data) => hands.do('store put', () => store.put(path, data)),
    delete: (path) => hands.do('store delete', () => store.delete(path)),
  };
}
