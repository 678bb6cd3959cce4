import { execFile, spawn, type ChildProcess } from 'node:child_process';
import { EventEmitter, once } from 'node:events';
import { cp, mkdtemp, rm, stat, writeFile } from 'node:fs/promises';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { promisify } from 'node:util';
import { Kafka, logLevel } from 'kafkajs';
import { afterAll, afterEach, beforeAll, expect, test } from 'vitest';
import { freePort } from '../../dev/broker.ts';
import { describeWithKafka } from './kafka.ts';

describeWithKafka('npm run kafka', () => {
  let dir: string;
  let port: number;
  let running: Running | undefined;
  beforeAll(async () => {
    [dir, port] = await Promise.all([mkdtemp(join(tmpdir(), 'run-kafka-')), freePort()]);
    await build(dir);
  });
  afterEach(async () => {
    running?.child.kill('SIGKILL');
    await running?.ended;
    running = undefined;
  });
  afterAll(async () => {
    await rm(dir, { recursive: true, force: true });
  });

  /** The command with its data in a folder of the test's own, and what else is given. */
  function start(args: readonly string[], env: Readonly<Record<string, string>> = {}): Running {
    const own = [join(dir, 'bin/run-kafka.js'), '--port', String(port), '--data', join(dir, 'data')];
    running = watch(spawn(process.execPath, [...own, ...args], { env: { ...process.env, ...env } }));
    return running;
  }

  test('says when it is ready and what to do next, and keeps its data until it is told to begin anew', async () => {
    const first = start([]);
    await first.said('is ready');
    expect(first.output()).toContain(`export REDACTORY_KAFKA_BROKERS=127.0.0.1:${port}\n  npx redactory topics apply`);
    expect((await stat(join(dir, 'data'))).mode & 0o777).toBe(0o700);
    expect(await topics(port, 'one')).toEqual(['one']);
    first.child.kill('SIGTERM');
    expect(await first.ended).toBe(0);
    expect(first.output()).toContain('stopped; its data stays');
    expect(await isServed(port)).toBe(false);

    const second = start([]);
    await second.said('is ready');
    expect(await topics(port)).toEqual(['one']);
    second.child.kill('SIGINT');
    expect(await second.ended).toBe(0);

    await start(['--clean']).said('is ready');
    expect(await topics(port)).toEqual([]);
  });

  test('refuses a port that is taken, and data that a broker works on', async () => {
    const first = start([]);
    await first.said('is ready');
    const taken = start([]);
    expect(await taken.ended).toBe(1);
    expect(taken.output()).toMatch(/port \d+ of 127\.0\.0\.1 is taken.*--port/u);
    const used = start(['--clean', '--port', String(await freePort())]);
    expect(await used.ended).toBe(1);
    expect(used.output()).toContain('a broker is working in');
    first.child.kill('SIGTERM');
    expect(await first.ended).toBe(0);
  });

  test('takes the broker along when it is killed', async () => {
    const killed = start([]);
    await killed.said('is ready');
    killed.child.kill('SIGKILL');
    await killed.ended;
    await expect.poll(() => isServed(port), { timeout: 10_000 }).toBe(false);
  });

  test('says so when the broker ends by itself, with its last lines', async () => {
    const own = start(['--verbose']);
    await own.said('is ready');
    const pid = /Kafka runs as process (\d+)/u.exec(own.output())?.[1];
    process.kill(Number(pid), 'SIGKILL');
    expect(await own.ended).toBe(1);
    expect(own.output()).toContain('Kafka ended by itself; its last lines:');
  });

  test('says what to install when Java or Maven are missing', async () => {
    const withoutJava = start([], { PATH: dir });
    expect(await withoutJava.ended).toBe(1);
    expect(withoutJava.output()).toContain('Kafka needs Java 17 or newer; there is none on the PATH. Install one');
  });
});

/** Compiles the command as it is now into a folder: `dist` may be older. */
async function build(folder: string): Promise<void> {
  const root = resolve(import.meta.dirname, '../..');
  const project = {
    extends: join(root, 'tsconfig.build.json'),
    include: [join(root, 'dev')],
    compilerOptions: {
      rootDir: root,
      outDir: join(folder, 'dist'),
      typeRoots: [join(root, 'node_modules/@types')],
    },
  };
  await writeFile(join(folder, 'tsconfig.json'), JSON.stringify(project));
  await writeFile(join(folder, 'package.json'), JSON.stringify({ type: 'module' }));
  await cp(join(root, 'bin'), join(folder, 'bin'), { recursive: true });
  await promisify(execFile)(process.execPath, [join(root, 'node_modules/typescript/bin/tsc'), '-p', folder]);
}

interface Running {
  readonly child: ChildProcess;
  readonly ended: Promise<number | null>;
  output(): string;
  /** Resolves when it has printed this; throws when it ends before. */
  said(text: string): Promise<void>;
}

function watch(child: ChildProcess): Running {
  let output = '';
  const printed = new EventEmitter();
  for (const stream of [child.stdout, child.stderr]) {
    stream?.on('data', (chunk: Buffer) => {
      output += chunk.toString();
      printed.emit('more');
    });
  }
  // The exit code, or null after a signal.
  const ended = once(child, 'close').then(([code]) => code as number | null);
  return {
    child,
    ended,
    output: () => output,
    async said(text) {
      while (!output.includes(text)) {
        if (child.exitCode !== null) throw new Error(`it ended before it said ${text}: ${output}`);
        await Promise.race([once(printed, 'more'), ended]);
      }
    },
  };
}

/** The names of the broker's topics, after creating one if a name is given. */
async function topics(port: number, create?: string): Promise<string[]> {
  const admin = new Kafka({ brokers: [`127.0.0.1:${port}`], logLevel: logLevel.NOTHING }).admin();
  await admin.connect();
  if (create !== undefined) await admin.createTopics({ topics: [{ topic: create }], waitForLeaders: true });
  const names = await admin.listTopics();
  await admin.disconnect();
  return names;
}

function isServed(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(port, '127.0.0.1');
    socket.once('connect', () => resolve(true)).once('error', () => resolve(false));
    socket.once('connect', () => socket.destroy());
  });
}
