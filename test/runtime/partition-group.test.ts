import { describe, expect, it } from 'vitest';
import { FencedError, OffsetOutOfRangeError, type EventLog, type Membership } from '../../src/log/event-log.ts';
import { workOnGroup } from '../../src/runtime/partition-group.ts';
import { RunError } from '../../src/runtime/run-error.ts';
import { createTelemetry, silentLogger } from '../../src/runtime/telemetry.ts';

const AT = { topic: 'interactions.raw', partition: 0 };

/** A group of one member that holds one partition for good. */
function log(): Pick<EventLog, 'join'> {
  const membership: Membership = {
    assignment: () => [AT],
    changed: () => new Promise((resolve) => setImmediate(resolve)),
    leave: async () => {},
  };
  return { join: async () => membership };
}

function group(
  work: (onProgress: () => void) => Promise<void>,
  maxRestarts?: number,
  telemetry = createTelemetry(silentLogger),
  onDelay: (ms: number) => void = () => {},
): Promise<void> {
  let ended = false;
  let asked = 0;
  return workOnGroup({
    log: log() as EventLog, // only `join` is asked for
    group: 'sanitize',
    role: 'sanitize',
    topic: AT.topic,
    work: async (_at, _signal, onProgress) => {
      await work(onProgress);
      ended = true;
    },
    isDone: async () => {
      // A log that is away now and then must not end the work.
      if (asked++ === 0) throw Object.assign(new Error('away'), { name: 'LogUnavailableError' });
      return ended;
    },
    isFatal: (error) =>
      error instanceof RangeError || error instanceof OffsetOutOfRangeError || error instanceof RunError,
    maxRestarts,
    telemetry,
    now: Date.now,
    delay: async (ms) => onDelay(ms),
    signal: new AbortController().signal,
  });
}

describe('work on a partition', () => {
  it('starts again after an error that another try may mend', async () => {
    let tries = 0;
    await group(async () => {
      if (++tries < 4) throw new FencedError('taken');
    });
    expect(tries).toBe(4);
  });

  it('ends everything after an error that it would only meet again', async () => {
    let tries = 0;
    const work = group(async () => {
      tries++;
      throw new RangeError('lost');
    });
    await expect(work).rejects.toThrow('lost');
    expect(tries).toBe(1);
  });

  it('ends everything after so many failures, if it is told how many', async () => {
    let tries = 0;
    const work = group(async () => {
      tries++;
      throw new FencedError('taken');
    }, 3);
    await expect(work).rejects.toThrow('work on interactions.raw/0 failed 4 times');
    expect(tries).toBe(4);
  });

  it('adds up only failures between which nothing was committed', async () => {
    let tries = 0;
    await group(async (onProgress) => {
      if (++tries % 3 === 0) onProgress();
      if (tries < 10) throw new FencedError('taken');
    }, 3);
    expect(tries).toBe(10);
  });

  it('waits less after a failure that follows a commit', async () => {
    const waits: number[] = [];
    let tries = 0;
    await group(
      async (onProgress) => {
        if (++tries === 4) onProgress();
        if (tries < 6) throw new FencedError('taken');
      },
      undefined,
      createTelemetry(silentLogger),
      (ms) => waits.push(ms),
    );
    expect(waits).toEqual([50, 100, 200, 50, 100]);
  });

  it.each([
    [new OffsetOutOfRangeError('gone'), 'offset_out_of_range'],
    [new RunError('a commit of another version'), 'contract'],
    [new RangeError('lost'), 'other'],
  ])('counts why it ended: %s', async (error, reason) => {
    const telemetry = createTelemetry(silentLogger);
    await expect(
      group(
        async () => {
          throw error;
        },
        undefined,
        telemetry,
      ),
    ).rejects.toThrow(error.message);
    const { body } = await telemetry.render();
    expect(body).toContain(`redactory_worker_failures_total{role="sanitize",reason="${reason}"} 1`);
  });

  it('counts restarts while the log is away as such', async () => {
    const telemetry = createTelemetry(silentLogger);
    let tries = 0;
    await group(
      async () => {
        if (++tries < 3) throw Object.assign(new Error('away'), { name: 'LogUnavailableError' });
      },
      undefined,
      telemetry,
    );
    const { body } = await telemetry.render();
    expect(body).toContain('redactory_partition_restarts_total{role="sanitize",reason="unavailable"} 2');
  });
});

describe('members of a group', () => {
  /** A member that is asked for changes so often; what it is told to hold comes from `holds`. */
  function member(holds: (asked: number) => number[]): {
    readonly log: EventLog;
    readonly left: () => boolean;
    readonly asked: () => number;
  } {
    let asked = 0;
    let left = false;
    const membership: Membership = {
      assignment: () => holds(asked).map((partition) => ({ ...AT, partition })),
      changed: () => {
        asked++;
        return new Promise((resolve) => setImmediate(resolve));
      },
      leave: async () => {
        left = true;
      },
    };
    const joined: Pick<EventLog, 'join'> = { join: async () => membership };
    // Only `join` is asked for.
    return { log: joined as EventLog, left: () => left, asked: () => asked };
  }

  const common = {
    group: 'sanitize',
    role: 'sanitize',
    topic: AT.topic,
    isFatal: () => false,
    telemetry: createTelemetry(silentLogger),
    now: Date.now,
    delay: async () => {},
  } as const;

  it('say that work has stopped only when it has', async () => {
    const { log, asked } = member((n) => (n < 3 ? [0] : []));
    let stoppedAt = -1;
    let isDone = false;
    await workOnGroup({
      ...common,
      log,
      work: async (_at, signal) => {
        await new Promise<void>((resolve) => signal.addEventListener('abort', () => resolve(), { once: true }));
        // Finishing takes a while, in which nobody may be told that it is over.
        for (let turn = 0; turn < 5; turn++) await new Promise((resolve) => setImmediate(resolve));
        stoppedAt = asked();
        isDone = true;
      },
      isDone: async () => isDone,
      signal: new AbortController().signal,
    });
    expect(stoppedAt).toBe(3);
  });

  it('ask one question at a time, so that nobody is told that work has stopped which goes on', async () => {
    let [open, most] = [0, 0];
    let answer = (): void => undefined;
    const membership: Membership = {
      assignment: () => [AT, { ...AT, partition: 1 }, { ...AT, partition: 2 }],
      changed: () => {
        most = Math.max(most, ++open);
        return new Promise((resolve) => {
          answer = () => {
            open--;
            resolve();
          };
        });
      },
      leave: async () => {},
    };
    const joined: Pick<EventLog, 'join'> = { join: async () => membership };
    let ended = 0;
    await workOnGroup({
      ...common,
      // Only `join` is asked for.
      log: joined as EventLog,
      // Work that ends by itself, one after the other, while the group has nothing to say.
      work: async ({ partition }) => {
        for (let turn = 0; turn < 5 * (partition + 1); turn++) await new Promise((resolve) => setImmediate(resolve));
        if (++ended === 3) answer();
      },
      isDone: async () => ended === 3,
      signal: new AbortController().signal,
    });
    expect(most).toBe(1);
  });

  it.each([
    { stopped: true, keepsSeat: true, leaves: false },
    { stopped: true, keepsSeat: false, leaves: true },
    { stopped: false, keepsSeat: true, leaves: true },
  ])('$leaves: leave the group (stopped: $stopped, with an instance name: $keepsSeat)', async (given) => {
    const { log, left } = member(() => [0]);
    const stop = new AbortController();
    await workOnGroup({
      ...common,
      log,
      keepsSeat: given.keepsSeat,
      work: async () => {
        if (given.stopped) stop.abort();
      },
      isDone: async () => !given.stopped,
      signal: stop.signal,
    });
    expect(left()).toBe(given.leaves);
  });
});
