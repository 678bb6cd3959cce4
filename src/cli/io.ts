import { Command, InvalidArgumentError } from 'commander';
import type { Readable, Writable } from 'node:stream';
import type { Role } from '../config-kafka.ts';
import { loadConfig, type Config } from '../config.ts';
import { listenForShutdown } from '../runtime/shutdown.ts';
import { createLogger, createTelemetry, type Telemetry } from '../runtime/telemetry.ts';
import { openWorkspace, type Workspace } from '../runtime/workspace.ts';

/** What a command may touch of the process; tests bring their own. */
export interface Io {
  /** Opens the input; nothing touches it before. Without it there is none. */
  readonly stdin?: () => Readable;
  readonly stdout: Writable & { readonly isTTY?: boolean };
  readonly stderr: Writable & { readonly isTTY?: boolean };
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly cwd: string;
  readonly now: () => number;
  /** Aborts when the reader of stdout has left (`| head`); without it, none ever leaves. */
  readonly outputEnded?: AbortSignal;
  /** Aborts when whoever started this as a worker wants it to stop, or has ended, however that was. */
  readonly letGo?: AbortSignal;
  /** Shows an address in the person's browser, if there is one; without it nothing is shown. */
  readonly browse?: (address: string) => void;
}

/** Options that every command has. */
export interface GlobalOptions {
  readonly config?: string;
  readonly data?: string;
  readonly policy?: string;
  readonly table?: string;
  readonly json?: boolean;
}

/** A command was used wrongly: exit code 2. The message says how to use it. */
export class UsageError extends Error {
  override name = 'UsageError';
}

/** What has an end was stopped before it by a signal: exit code 130. What was done of it may have been printed. */
export class StoppedError extends Error {
  override name = 'StoppedError';

  constructor(message = 'stopped before the end; what is finished is committed, and the same command does the rest') {
    super(message);
  }
}

/** For what has an end. A reader of stdout who has left has all that was wanted. @throws StoppedError */
export function refuseStopped({ signal, io }: Pick<CommandContext, 'signal' | 'io'>, message?: string): void {
  if (signal.aborted && io.outputEnded?.aborted !== true) throw new StoppedError(message);
}

/** What a command's action gets to work with. */
export interface CommandContext {
  readonly io: Io;
  readonly options: GlobalOptions;
  readonly config: Config;
  readonly telemetry: Telemetry;
  /** Aborts at SIGTERM and SIGINT, when a worker is let go, and when nobody reads stdout any more. */
  readonly signal: AbortSignal;
  /** Prints the result: `json` as one document with --json, else `text`. */
  print(text: string, json: unknown): void;
}

/** Makes a commander action of a function that gets config, telemetry and a stop signal. */
// oxlint-disable-next-line typescript/no-unnecessary-type-parameters -- commander's options are untyped: who declares them says what they are
export function action<Own extends object>(
  io: Io,
  work: (context: CommandContext, own: Own, args: readonly string[]) => Promise<void>,
): (...args: unknown[]) => Promise<void> {
  return async (...received) => {
    const command = received.at(-1);
    if (!(command instanceof Command)) throw new TypeError('commander did not pass the command last');
    const options = command.optsWithGlobals<GlobalOptions & Own>();
    const config = await loadConfig({
      file: options.config,
      data: options.data,
      policy: options.policy,
      table: options.table,
      env: io.env,
      cwd: io.cwd,
    });
    const logger = createLogger({
      level: config.telemetry.logLevel,
      pretty: io.stderr.isTTY === true,
      to: { write: (line) => void io.stderr.write(line) },
    });
    const shutdown = listenForShutdown(
      () => logger.info('stopping; a second signal ends the process at once'),
      io.letGo,
    );
    try {
      await work(
        {
          io,
          options,
          config,
          telemetry: createTelemetry(logger),
          signal: io.outputEnded === undefined ? shutdown.signal : AbortSignal.any([shutdown.signal, io.outputEnded]),
          print: (text, json) => {
            io.stdout.write(options.json === true ? `${JSON.stringify(json, null, 2)}\n` : `${text}\n`);
          },
        },
        options,
        command.args,
      );
    } finally {
      shutdown.dispose();
    }
  };
}

/** Opens the data folder and the log, with the rights of `role`, for the time of `work`. */
export async function withWorkspace<T>(
  context: CommandContext,
  role: Role,
  work: (workspace: Workspace) => Promise<T>,
): Promise<T> {
  const workspace = await openWorkspace(context.config, context.io.env, {
    role,
    now: context.io.now,
    telemetry: context.telemetry,
  });
  try {
    return await work(workspace);
  } finally {
    await workspace.close();
  }
}

/** Parser of an option that is a whole number within bounds. */
export function wholeNumber(min: number, max: number): (text: string) => number {
  return (text) => {
    const value = /^-?\d{1,15}$/u.test(text) ? Number(text) : NaN;
    if (value >= min && value <= max) return value;
    throw new InvalidArgumentError(`It must be a whole number from ${min} to ${max}.`);
  };
}

/** Parser of an option that is a number within bounds. */
export function decimal(min: number, max: number): (text: string) => number {
  return (text) => {
    const value = /^\d{1,12}(?:\.\d{1,6})?$/u.test(text) ? Number(text) : NaN;
    if (value >= min && value <= max) return value;
    throw new InvalidArgumentError(`It must be a number from ${min} to ${max}.`);
  };
}
