import { expect, it } from 'vitest';
import { API } from '../servers/proxy.ts';
import { describeFaults, report } from './harness.ts';
import { partsOf } from './kills.ts';
import { told } from './told.ts';

describeFaults('a broker that is away', (stage) => {
  it.each(['stopped', 'killed'] as const)(
    '%s in the middle of transactions and started again loses nothing',
    async (how) => {
      const { line, kafka } = await stage();
      const { batches } = await line.simulate({ people: 12, minutes: 4 });
      const [first = [], second = []] = partsOf(batches, 2);
      const workers = [line.start('sanitize'), line.start('sanitize'), line.start('sink')];
      for (const worker of workers) await worker.logs('The member of group');
      const appending = line.append(first);
      await line.worked(Math.ceil(first.length * (0.2 + 0.6 * line.random())));
      await appending;
      await (how === 'stopped' ? kafka.stop() : kafka.kill());
      for (const worker of workers) await told(worker, 'brokerAway');
      await kafka.start();
      await line.append(second);
      await line.finish(`a broker ${how} and started again`);
      expect(workers.every((worker) => worker.seen.length > 0)).toBe(true);
    },
  );

  it('cut off between a commit and its answer: every commit counts once', async () => {
    const { line, kafka } = await stage({ proxied: true });
    const { proxy } = kafka;
    if (proxy === undefined) throw new Error('there is no proxy');
    const cuts = 6;
    const { batches } = await line.simulate({ people: 12, minutes: 4 });
    const parts = partsOf(batches, cuts + 1);
    const worker = line.start('sanitize');
    let appended = 0;
    for (const [i, part] of parts.slice(0, cuts).entries()) {
      // The last cuts may also hit the sink.
      if (i === cuts - 2) line.start('sink');
      const calm = Math.floor(line.random() * part.length);
      await line.append(part.slice(0, calm));
      await line.worked(appended + calm);
      const cut = proxy.cutAfterRequest(API.endTxn);
      await line.append(part.slice(calm));
      await cut;
      appended += part.length;
      report(`an answer to a commit was lost before ${appended} raw batches were done`);
      await line.worked(appended);
    }
    await line.append(parts[cuts] ?? []);
    await told(worker, 'lostAnswer');
    await line.finish('answers to commits lost');
    expect(proxy.counts.droppedAnswers).toBe(cuts);
  });
});
