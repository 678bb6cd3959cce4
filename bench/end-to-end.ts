import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { PassThrough } from 'node:stream';
import { runBoth } from '../src/cli/run.ts';
import { loadConfig } from '../src/config.ts';
import { simulate } from '../src/producers/simulator/index.ts';
import { createIngest } from '../src/runtime/ingest.ts';
import { createTelemetry, silentLogger } from '../src/runtime/telemetry.ts';
import { openWorkspace } from '../src/runtime/workspace.ts';
import { EVERYBODY, sizeFor } from './workload.ts';

export interface EndToEnd {
  readonly events: number;
  /** Raw events a second from the raw topic to the committed table, processors and sink one after the other. */
  readonly eventsPerSecond: number;
  readonly sanitizePerSecond: number;
  /** Peak resident memory of the process from the end of the simulation on, MiB. */
  readonly peakMiB: number;
  readonly rawBytesPerEvent: number;
  /** Bytes of the same events as JSON lines for each byte on the raw topic. */
  readonly jsonRatio: number;
}

/** Simulated work onto an embedded log of its own, then `run --until-end`. */
export async function benchEndToEnd(events: number): Promise<EndToEnd> {
  const data = await mkdtemp(join(tmpdir(), 'redactory-bench-'));
  const config = await loadConfig({ data, env: {}, cwd: data });
  const workspace = await openWorkspace(config, {});
  try {
    const ingest = createIngest({ ...workspace, sealer: await workspace.sealer() });
    let jsonBytes = 0;
    let sampled = 0;
    for (const simulated of simulate({
      ...sizeFor(events),
      ...EVERYBODY,
      subjectKey: await workspace.subjectKeys(),
    })) {
      if (simulated.kind === 'consent') await ingest.decide(simulated.decision);
      else {
        if (ingest.batches % 50 === 0) {
          jsonBytes += jsonLines(simulated.record.payload.events);
          sampled += simulated.record.payload.events.length;
        }
        await ingest.capture(simulated.record);
        if (ingest.events >= events) break;
      }
    }
    await ingest.flush();
    const peak = watchMemory();
    const telemetry = createTelemetry(silentLogger);
    // Without a terminal there is no progress bar to pay for.
    const io = { stdout: new PassThrough(), stderr: new PassThrough(), env: {}, cwd: data, now: Date.now };
    const signal = new AbortController().signal;
    let sanitized = 0;
    const start = performance.now();
    await runBoth({ io, config, telemetry, signal }, workspace, { untilEnd: true }, () => {
      sanitized = performance.now();
    });
    const end = performance.now();
    const perSecond = (ms: number): number => (ingest.events / ms) * 1000;
    return {
      events: ingest.events,
      eventsPerSecond: perSecond(end - start),
      sanitizePerSecond: perSecond(sanitized - start),
      peakMiB: peak.stop() / 2 ** 20,
      rawBytesPerEvent: ingest.bytes / ingest.events,
      jsonRatio: jsonBytes / sampled / (ingest.bytes / ingest.events),
    };
  } finally {
    await workspace.close();
    await rm(data, { recursive: true, force: true });
  }
}

function jsonLines(events: readonly object[]): number {
  return events.reduce((sum, event) => sum + JSON.stringify(event).length + 1, 0);
}

function watchMemory(): { stop(): number } {
  let peak = process.memoryUsage().rss;
  const timer = setInterval(() => {
    peak = Math.max(peak, process.memoryUsage().rss);
  }, 50);
  return {
    stop() {
      clearInterval(timer);
      return Math.max(peak, process.memoryUsage().rss);
    },
  };
}
