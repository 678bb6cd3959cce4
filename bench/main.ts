import { availableParallelism } from 'node:os';
import { parseArgs } from 'node:util';
import { benchEndToEnd, type EndToEnd } from './end-to-end.ts';
import { benchGateway, gatewayTable, holds, type GatewayFigures } from './gateway.ts';
import { benchKafka, type KafkaFigures, type Spread } from './kafka.ts';
import { benchPipeline, type Throughput } from './pipeline.ts';
import { benchText, type TextCost } from './text.ts';
import { benchVocabulary, vocabularyTable } from './vocabulary.ts';

/**
 * `npm run bench [-- --json] [-- --events 100000,1000000]`: raw events a second on one core, for the codec, each processor,
 * the whole pipeline, the whole line on the embedded log at several sizes, and the line on a real Kafka broker if
 * `REDACTORY_KAFKA_LIB` names the folder of its jars (`npm run kafka` makes one in `.redactory-kafka/lib`).
 * `-- --only vocabulary [--people N] [--minutes M]`: instead, what vocabularies built from simulated people keep and let in.
 * `-- --only gateway [--recorders N] [--seconds S] [--kills K]`: instead, simulated recorders against a gateway on such a broker that is
 * killed meanwhile; a short run of it ends the others. It fails when the log lacks what was acknowledged.
 * `-- --only text`: instead, what a single text costs, as `redactory text` judges it.
 */
const { values } = parseArgs({
  options: {
    json: { type: 'boolean', default: false },
    events: { type: 'string', default: '100000,1000000' },
    runs: { type: 'string', default: '5' },
    only: { type: 'string' },
    people: { type: 'string', default: '200' },
    minutes: { type: 'string', default: '10' },
    recorders: { type: 'string', default: '2000' },
    seconds: { type: 'string', default: '60' },
    kills: { type: 'string', default: '3' },
  },
});

const sizes = values.events.split(',').map(Number);
const runs = Number(values.runs);
if (!sizes.every((n) => Number.isSafeInteger(n) && n >= 1_000) || !Number.isSafeInteger(runs) || runs < 1) {
  process.stderr.write('bench: --events takes numbers from 1000 with commas between, --runs a number from 1\n');
  process.exit(2);
}

if (values.only === 'vocabulary') {
  const rows = await benchVocabulary(Number(values.people), Number(values.minutes), 7);
  process.stdout.write(values.json ? `${JSON.stringify(rows, null, 2)}\n` : `${vocabularyTable(rows)}\n`);
  process.exit(0);
}
if (values.only === 'text') {
  const costs = await benchText(Math.min(...sizes));
  process.stdout.write(`${values.json ? JSON.stringify(costs, null, 2) : textTable(costs)}\n`);
  process.exit(0);
}

const lib = process.env['REDACTORY_KAFKA_LIB'];
if ((values.only === 'kafka' || values.only === 'gateway') && lib === undefined) {
  process.stderr.write("bench: set REDACTORY_KAFKA_LIB to a folder of Kafka's jars; npm run kafka makes one\n");
  process.exit(2);
}
if (values.only === 'gateway' && lib !== undefined) {
  const load = { recorders: Number(values.recorders), seconds: Number(values.seconds), kills: Number(values.kills) };
  if (!Object.values(load).every((count) => Number.isSafeInteger(count) && count >= 0)) {
    process.stderr.write('bench: --recorders, --seconds and --kills take whole numbers\n');
    process.exit(2);
  }
  finishGateway(await benchGateway({ lib, ...load, everyMs: 5_000 }));
}
const withoutKafka = values.only !== 'kafka';
const stages = withoutKafka ? await benchPipeline({ events: Math.min(...sizes), runs }) : [];
const line: EndToEnd[] = [];
if (withoutKafka) {
  // One run to warm up, as for the stages: what is measured is work, not compilation.
  await benchEndToEnd(Math.min(1_000_000, Math.max(...sizes)));
  for (const events of sizes) line.push(await benchEndToEnd(events));
}
const kafka = lib === undefined ? null : await benchKafka({ lib, events: Math.max(...sizes), runs });
const short = { recorders: 50, seconds: 6, kills: 1, everyMs: 500 };
const gateway = lib === undefined || !withoutKafka ? null : await benchGateway({ lib, ...short });

if (values.json) {
  const figures = { node: process.version, cores: availableParallelism(), stages, endToEnd: line, kafka, gateway };
  process.stdout.write(`${JSON.stringify(figures, null, 2)}\n`);
} else {
  const parts = [`Node ${process.version}, ${availableParallelism()} cores`];
  if (withoutKafka) parts.push(stageTable(stages), lineTable(line));
  parts.push(kafka === null ? 'Kafka: skipped, REDACTORY_KAFKA_LIB is not set' : kafkaTable(kafka));
  if (gateway !== null) parts.push(gatewayTable(gateway));
  process.stdout.write(`${parts.join('\n\n')}\n`);
}
if (gateway !== null && !holds(gateway.proof)) process.exitCode = 1;

function finishGateway(figures: GatewayFigures): never {
  process.stdout.write(`${values.json ? JSON.stringify(figures, null, 2) : gatewayTable(figures)}\n`);
  process.exit(holds(figures.proof) ? 0 : 1);
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

function kafkaTable(figures: KafkaFigures): string {
  const { events, batches, bytes, transactionMs, ratio } = figures;
  const row = (what: string, { median, min, max }: Spread): string =>
    what.padEnd(38) + rate(median).padStart(14) + rate(min).padStart(14) + rate(max).padStart(14);
  return [
    `a Kafka broker on this machine: ${rate(events)} events in ${rate(batches)} batches, ${rate(bytes)} bytes`,
    `${'events/s'.padEnd(38)}${'median'.padStart(14)}${'min'.padStart(14)}${'max'.padStart(14)}`,
    row('produce raw', figures.produce),
    row('consume raw', figures.consume),
    row('the processors alone', figures.bare),
    row('consume, process, produce: one worker', figures.transactions),
    `  of the processors alone: ${(ratio * 100).toFixed(0)} %`,
    `  a transaction: p50 ${transactionMs.p50.toFixed(1)} ms, p99 ${transactionMs.p99.toFixed(1)} ms (${transactionMs.count})`,
    ...figures.workers.map(
      (one) =>
        `worker processes: ${one.workers}`.padEnd(38) +
        (one.eventsPerSecond === undefined ? 'done too fast to tell' : rate(one.eventsPerSecond)).padStart(14),
    ),
    ...figures.latency.map(
      (one) =>
        `append to released at ${one.load * 100} % (${rate(one.eventsPerSecond)}/s)`.padEnd(46) +
        `p50 ${one.p50.toFixed(0)} ms, p99 ${one.p99.toFixed(0)} ms (${rate(one.samples)})`,
    ),
  ].join('\n');
}

function textTable(rows: readonly TextCost[]): string {
  const ms = (spread: TextCost['elapsed']): string =>
    [spread.p50, spread.p99, spread.max].map((n) => n.toFixed(3).padStart(9)).join('');
  const head =
    'ms a text: p50, p99, max'.padEnd(26) + 'texts/s'.padStart(9) + 'elapsed'.padStart(27) + 'worked'.padStart(27);
  const lines = rows.map(
    ({ policy, textsPerSecond, elapsed, worked }) =>
      policy.padEnd(26) + rate(textsPerSecond).padStart(9) + ms(elapsed) + ms(worked),
  );
  return [head, ...lines].join('\n');
}

function rate(n: number): string {
  return Math.round(n).toLocaleString('en');
}
