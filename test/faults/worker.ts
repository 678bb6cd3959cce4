/** One worker process, as a user starts it: what it writes, what its metrics say, and signals by its own id. */
import type { CliProcess } from '../e2e/cli.ts';
import { until } from './until.ts';

export class Worker {
  readonly name: string;
  readonly #process: CliProcess;
  /** Every answer of its metrics that a test has seen: they are searched for personal texts. */
  readonly seen: string[] = [];

  constructor(name: string, process: CliProcess) {
    this.name = name;
    this.#process = process;
  }

  stderr(): string {
    return this.#process.stderr();
  }

  /** What it logged, without times, each message once, the last ones last. */
  told(): string {
    const lines = this.stderr().trim().split('\n');
    const messages = lines.map((line) => line.replace(/"time":"[^"]*",?/u, ''));
    return [...new Set(messages.reverse())].slice(0, LINES_TOLD).reverse().join('\n');
  }

  stdout(): string {
    return this.#process.stdout();
  }

  /** Exit code, or the name of the signal that ended it. */
  get ended(): Promise<number | string> {
    return this.#process.ended;
  }

  get isAlive(): boolean {
    return this.#process.child.exitCode === null && this.#process.child.signalCode === null;
  }

  signal(signal: 'SIGKILL' | 'SIGSTOP' | 'SIGCONT' | 'SIGTERM'): void {
    if (!this.#process.child.kill(signal)) throw new Error(`${this.name} has ended already: ${this.told()}`);
  }

  /** kill -9; @throws Error when it had ended by itself. */
  async kill(): Promise<void> {
    this.signal('SIGKILL');
    const end = await this.ended;
    if (end !== 'SIGKILL') throw new Error(`${this.name} ended by itself with ${end}: ${this.told()}`);
  }

  /** Asks it to stop; @throws Error when it does not end well. */
  async stop(): Promise<void> {
    this.signal('SIGTERM');
    const end = await this.ended;
    if (end !== 0) throw new Error(`${this.name} did not stop well but with ${end}: ${this.told()}`);
  }

  async log(pattern: RegExp): Promise<RegExpExecArray> {
    return until(`${this.name} to log ${pattern}`, async () => pattern.exec(this.stderr()) ?? undefined, {
      state: () => this.told(),
      isHopeless: () => !this.isAlive && pattern.exec(this.stderr()) === null,
    });
  }

  async logs(text: string): Promise<void> {
    await this.log(new RegExp(text.replaceAll(/[.*+?^${}()|[\]\\]/gu, '\\$&'), 'u'));
  }

  /** Waits until it answers on its metrics port. */
  async ready(): Promise<void> {
    await this.log(/"address":"/u);
  }

  /** Its metrics in Prometheus' text format. */
  async metrics(): Promise<string> {
    const [, address = ''] = await this.log(/"address":"([^"]+)"/u);
    const text = await (await fetch(`${address}/metrics`)).text();
    this.seen.push(text);
    return text;
  }

  /** The sum of a metric's series whose labels match. */
  async metric(name: string, labels = ''): Promise<number> {
    return metricOf(await this.metrics(), name, labels);
  }
}

const LINES_TOLD = 12;

export function metricOf(metrics: string, name: string, labels = ''): number {
  const series = [...metrics.matchAll(/^(\w+)(?:\{(.*)\})? (\S+)$/gmu)];
  return series
    .filter(([, metric, has = '']) => metric === name && labels.split(',').every((label) => has.includes(label)))
    .reduce((sum, [, , , value]) => sum + Number(value), 0);
}
