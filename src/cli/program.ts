import { Command, CommanderError } from 'commander';
import { readFileSync } from 'node:fs';
import { ConfigError } from '../config.ts';
import { packagePath } from '../package-path.ts';
import { PolicyError } from '../privacy/policy.ts';
import { attackCommand } from './attack.ts';
import { auditCommand } from './audit.ts';
import { consentCommand } from './consent.ts';
import { demoCommand } from './demo.ts';
import { devicesCommand } from './devices.ts';
import { eraseCommand } from './erase.ts';
import { gatewayCommand } from './gateway.ts';
import { importCommand } from './import.ts';
import { inspectCommand } from './inspect.ts';
import { StoppedError, UsageError, type Io } from './io.ts';
import { keysCommand } from './keys.ts';
import { policyCommand } from './policy.ts';
import { replayCommand } from './replay.ts';
import { requestsCommand } from './requests.ts';
import { runCommand, sanitizeCommand, sinkCommand } from './run.ts';
import { simulateCommand } from './simulate.ts';
import { stewardCommand } from './steward.ts';
import { textCommand } from './text.ts';
import { topicsCommand } from './topics.ts';
import { vocabularyCommand } from './vocabulary.ts';

/** Every command of `redactory`, one file each. */
const COMMANDS = [
  demoCommand,
  simulateCommand,
  importCommand,
  sanitizeCommand,
  sinkCommand,
  runCommand,
  replayCommand,
  gatewayCommand,
  devicesCommand,
  stewardCommand,
  requestsCommand,
  eraseCommand,
  consentCommand,
  keysCommand,
  topicsCommand,
  policyCommand,
  vocabularyCommand,
  textCommand,
  attackCommand,
  auditCommand,
  inspectCommand,
];

/** The whole command line, not yet parsed. */
export function createProgram(io: Io): Command {
  const program = new Command('redactory')
    .description(
      'Turns raw interaction events into training data for computer-use agents; lets nothing personal through.',
    )
    .version(version())
    .option('--config <file>', 'config file (default: redactory.yaml in the working folder, if there is one)')
    .option('--data <dir>', 'data folder: log, keys and table (default: .redactory)')
    .option('--table <path>', 'the training table: a folder or s3://bucket/path (default: table in the data folder)')
    .option('--json', 'print the result as one JSON document on stdout; progress and logs go to stderr')
    .showHelpAfterError('(add --help for usage and examples)')
    .exitOverride()
    .configureOutput({
      writeOut: (text) => void io.stdout.write(text),
      writeErr: (text) => void io.stderr.write(text),
    });
  for (const add of COMMANDS) add(program, io);
  return program;
}

/**
 * Runs one command line (without `node` and the script).
 *
 * @returns the exit code: 0 done, 1 failed, 2 wrong usage or config, 130 stopped before its end.
 */
export async function runProgram(argv: readonly string[], io: Io): Promise<number> {
  try {
    await createProgram(io).parseAsync(argv, { from: 'user' });
    return 0;
  } catch (error) {
    if (error instanceof CommanderError) return error.exitCode === 0 ? 0 : 2;
    // Messages of our own errors name what to do and hold no payload; of others only the kind is safe to show.
    io.stderr.write(`redactory: ${describe(error)}\n`);
    if (error instanceof StoppedError) return 130;
    return error instanceof UsageError || error instanceof ConfigError || error instanceof PolicyError ? 2 : 1;
  }
}

const OWN_ERRORS = new Set([
  'UsageError',
  'StoppedError',
  'ConfigError',
  'PolicyError',
  'VocabularyError',
  'KeyError',
  'WrappingUnavailableError',
  'ImportError',
  'DecisionError',
  'LogStorageError',
  'OffsetOutOfRangeError',
  'UnknownTopicError',
  'FencedError',
  'SchemaRegistryError',
  'ForeignRecordError',
  'LogClosedError',
  'LogUnavailableError',
  'LogAccessError',
  'BrokerError',
  'CorruptBatchError',
  'CompressionError',
  'KafkaSecurityError',
  'GroupRefusedError',
  'KafkaAdminError',
  'InstanceFencedError',
  'RegistryUnavailableError',
  'ContractError',
  'FencedSinkError',
  'SinkStorageError',
  'TableFormatError',
  'NoTableError',
  'FilesErasedError',
  'RunError',
  'ReplayEndedError',
  'NotComparableError',
  'TableBehindError',
  'TableAheadError',
  'TableError',
  'LineError',
]);

function describe(error: unknown): string {
  if (!(error instanceof Error)) return 'failed for a reason that it did not say';
  if (OWN_ERRORS.has(error.name) && !('code' in error)) return error.message;
  const code = 'code' in error ? ` (${String(error.code)})` : '';
  return [
    `failed with ${error.name}${code}; if that does not say why, report it with where it was:`,
    ...placesOf(error),
  ].join('\n');
}

/** Where an error comes from: functions and lines of the program. Its message, which may hold anything, is left out. */
function placesOf({ stack = '', message }: Error): string[] {
  const at = stack.indexOf(message);
  const lines = at < 0 ? [] : stack.slice(at + message.length).split('\n');
  return lines.filter((line) => /^ {4}at /u.test(line));
}

function version(): string {
  const parsed: unknown = JSON.parse(readFileSync(packagePath('package.json'), 'utf8'));
  return typeof parsed === 'object' && parsed !== null && 'version' in parsed ? String(parsed.version) : 'unknown';
}
