import { describe, expect, it } from 'vitest';
import { FencedError, type EventLog, type Membership } from '../../src/log/event-log.ts';
import { workOnGroup } from '../../src/runtime/partition-group.ts';
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

function group(work: () => Promise<void>, maxRestarts?: number): Promise<void> {
  let ended = false;
  return workOnGroup({
    log: log() as EventLog, // only `join` is asked for
    group: 'sanitize',
    topic: AT.topic,
    work: async () => {
      await work();
      ended = true;
    },
    isDone: async () => ended,
    isFatal: (error) => error instanceof RangeError,
    maxRestarts,
    telemetry: createTelemetry(silentLogger),
    delay: async () => {},
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
});
