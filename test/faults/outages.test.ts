import { expect, it, onTestFinished } from 'vitest';
import { startRegistry } from '../servers/registry.ts';
import { whyNoS3 } from '../servers/s3.ts';
import { describeFaults, s3Table } from './harness.ts';
import { partsOf } from './kills.ts';
import { told } from './told.ts';
import { untilTrue } from './until.ts';

const lacking = whyNoS3();

describeFaults('a server that is away for a while', (stage) => {
  it('(schema registry): records whose schema nobody knows yet wait for it, and nothing is lost', async () => {
    const registry = await startRegistry();
    onTestFinished(() => registry.close());
    const { line } = await stage({ settings: { registry: { url: registry.url } } });
    const { batches } = await line.simulate({ people: 8, minutes: 4 });
    const [early = [], late = []] = partsOf(batches, 2);
    const worker = line.start('sanitize');
    line.start('sink');
    await line.append(early);
    await line.worked(early.length);
    await registry.away();
    const [first] = early;
    const strange = Buffer.from(first?.value ?? []);
    strange.writeInt32BE(123_456, 1);
    await line.append([{ key: 'of nobody', value: strange, timestamp: Date.now() }, ...late]);
    await told(worker, 'registryAway');
    await registry.back();
    const { counts } = await line.finish('a schema registry away and back');
    expect(counts['batches quarantined once']).toBe(1);
  });

  it.skipIf(lacking !== undefined)(
    `(S3): the sink waits for it, sanitizers go on, and nothing is lost${lacking === undefined ? '' : ` (skipped: ${lacking})`}`,
    async () => {
      const { server, settings } = await s3Table();
      const { line } = await stage({ settings });
      const { batches } = await line.simulate({ people: 8, minutes: 4 });
      const [early = [], late = []] = partsOf(batches, 2);
      line.start('sanitize');
      const sink = line.start('sink');
      await line.append(early);
      await line.worked(early.length);
      await untilTrue('the sink to commit', async () => (await line.progress('sink')) > 0);
      await server.stop();
      await line.append(late);
      await line.worked(batches.length);
      await told(sink, 'storeAway');
      await server.start();
      await line.finish('an S3 server away and back');
      expect(sink.stderr()).not.toContain('"level":50');
    },
  );
});
