import { expect, it, onTestFinished } from 'vitest';
import { FencedError } from '../../src/log/event-log.ts';
import { GROUPS, TOPICS } from '../../src/runtime/topics.ts';
import { openWorkspace } from '../../src/runtime/workspace.ts';
import { describeFaults } from './harness.ts';
import { partsOf } from './kills.ts';
import { PARTITIONS } from './line.ts';
import { told } from './told.ts';

describeFaults('a worker that is not the owner any more', (stage) => {
  it('stopped for longer than its session and woken up again writes nothing that was given to others', async () => {
    const { line } = await stage();
    const { batches } = await line.simulate({ people: 12, minutes: 5 });
    const [first = [], second = [], third = []] = partsOf(batches, 3);
    const [zombie, heir] = [line.start('sanitize'), line.start('sanitize')];
    for (const worker of [zombie, heir]) await worker.logs('has 2 partitions');
    line.start('sink');
    const appending = line.append(first);
    await line.worked(Math.ceil(first.length * (0.2 + 0.5 * line.random())));
    zombie.signal('SIGSTOP');
    await appending;
    await line.append(second);
    // The zombie's partitions go over to the other: all is done only when that one has done it.
    await line.worked(first.length + second.length);
    zombie.signal('SIGCONT');
    await line.append(third);
    await line.worked(batches.length);
    await told(zombie, 'zombie');
    expect(heir.stderr()).not.toContain('FencedError');
    await line.finish('a zombie');
  });

  it('of a transactional id that another has taken commits nothing and starts again', async () => {
    const { line } = await stage();
    const { batches } = await line.simulate({ people: 12, minutes: 4 });
    const [first = [], second = []] = partsOf(batches, 2);
    const worker = line.start('run');
    await line.append(first);
    await line.worked(Math.ceil(first.length * 0.5 * line.random()));
    const other = await openWorkspace(line.workspace.config, {}, { role: 'sanitizer' });
    onTestFinished(() => other.close());
    let appended = first.length;
    for (let partition = 0; partition < PARTITIONS; partition++) {
      // As of a second worker that was given the same partition: it takes over, begins and is overtaken in turn.
      const intruder = await other.log.transactional(`${GROUPS.sanitize}/${TOPICS.raw}/${partition}`);
      const open = await intruder.begin();
      await open.append(TOPICS.sanitized, [{ key: 'k', value: Buffer.from('never read'), timestamp: 0, partition }]);
      // Something for this partition, so that its owner has something to commit.
      const noBatch = { key: 'of nobody', value: Buffer.from('no batch'), timestamp: Date.now(), partition };
      const part = [noBatch, ...second.splice(0, 20)];
      await line.append(part);
      appended += part.length;
      await worker.logs(`"partition":${partition},"reason":"FencedError"`);
      await line.worked(appended);
      await expect(open.commit()).rejects.toThrow(FencedError);
    }
    await told(worker, 'twoOwners');
    await line.append(second);
    await line.finish('two owners of one transactional id');
  });

  it('of an instance name that another has taken ends with an error that says so', async () => {
    const { line } = await stage();
    const { batches } = await line.simulate({ people: 4, minutes: 2 });
    const named = { REDACTORY_KAFKA_INSTANCE: 'the-same' };
    const first = line.start('sanitize', named);
    line.start('sink');
    const [early = [], late = []] = partsOf(batches, 2);
    await line.append(early);
    await line.worked(early.length);
    const second = line.start('sanitize', named);
    await line.append(late);
    expect(await first.ended).toBe(1);
    await told(first, 'instance');
    expect(second.isAlive).toBe(true);
    await line.finish('two processes with one instance name');
  });
});
