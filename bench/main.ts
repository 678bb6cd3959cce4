import { parseArgs } from 'node:util';
import { benchEndToEnd, type EndToEnd } from './end-to-end.ts';
import { benchPipeline, type Throughput } from './pipeline.ts';

/**
 * `npm run bench [-- --json] [-- --events 100000,1000000]`: raw events a second on one core, for the codec, each processor,
 * the whole pipeline, and the whole line on the embedded log at several sizes.
 */
const { values } = parseArgs({
  options: {
    json: { type: 'boolean', default: false },
    events: { type: 'string', default: '100000,1000000' },
    runs: { type: 'string', default: '5' },
  },
});

const sizes = values.events.split(',').map(Number);
const runs = Number(values.runs);
if (!sizes.every((n) => Number.isSafeInteger(n) && n >= 1_000) || !Number.isSafeInteger(runs) || runs < 1) {
  process.stderr.write('bench: --events takes numbers from 1000 with commas between, --runs a number from 1\n');
  process.exit(2);
}

const stages = await benchPipeline({ events: Math.min(...sizes), runs });
const line: EndToEnd[] = [];
// One run to warm up, as for the stages: what is measured is work, not compilation.
await benchEndToEnd(Math.min(1_000_000, Math.max(...sizes)));
for (const events of sizes) line.push(await benchEndToEnd(events));

if (values.json) {
  process.stdout.write(`${JSON.stringify({ node: process.version, stages, endToEnd: line }, null, 2)}\n`);
} else {
  process.stdout.write(`Node ${process.version}\n\n${stageTable(stages)}\n\n${lineTable(line)}\n`);
}

function stageTable(rows: readonly Throughput[]): string {
  const head = `${'stage'.padEnd(30)}${'events/s median'.padStart(18)}${'min'.padStart(14)}${'max'.padStart(14)}${'ns/event'.padStart(10)}`;
  const lines = rows.map(
    ({ stage, median, min, max }) =>
      stage.padEnd(30) +
      rate(median).padStart(18) +
      rate(min).padStart(14) +
      rate(max).padStart(14) +
      (1e9 / median).toFixed(0).padStart(10),
  );
  return [head, ...lines].join('\n');
}

function lineTable(rows: readonly EndToEnd[]): string {
  const head =
    'raw events'.padEnd(14) +
    'raw topic to table, events/s'.padStart(30) +
    'sanitize only'.padStart(16) +
    'peak MiB'.padStart(10) +
    'raw B/event'.padStart(13) +
    'JSON lines / raw'.padStart(18);
  const lines = rows.map(
    (row) =>
      rate(row.events).padEnd(14) +
      rate(row.eventsPerSecond).padStart(30) +
      rate(row.sanitizePerSecond).padStart(16) +
      row.peakMiB.toFixed(0).padStart(10) +
      row.rawBytesPerEvent.toFixed(2).padStart(13) +
      row.jsonRatio.toFixed(1).padStart(18),
  );
  return [head, ...lines].join('\n');
}

function rate(n: number): string {
  return Math.round(n).toLocaleString('en');
}
