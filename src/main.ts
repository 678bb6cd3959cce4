import { browse } from './cli/browse.ts';
import { runProgram } from './cli/program.ts';
import { IS_WORKER } from './cli/workers.ts';

// The reader of a pipe may leave (`| head`): what only writes for it ends, and all else with the code that it would have had.
const outputEnded = new AbortController();
process.stdout.on('error', (error: NodeJS.ErrnoException) => {
  if (error.code !== 'EPIPE') {
    process.stderr.write(`redactory: the output cannot be written (${error.code ?? error.name}): check the disk\n`);
    process.exit(1);
  }
  outputEnded.abort();
});
// What is told beside the work must not end it: nobody may read it any more, or its disk be full.
process.stderr.on('error', () => undefined);

process.exitCode = await runProgram(process.argv.slice(2), {
  stdin: () => process.stdin,
  stdout: process.stdout,
  stderr: process.stderr,
  env: process.env,
  cwd: process.cwd(),
  now: Date.now,
  outputEnded: outputEnded.signal,
  ...(process.env[IS_WORKER] === undefined ? {} : { letGo: endOfInput() }),
  browse,
});

/** Whoever started a worker holds its input open, and writes nothing. */
function endOfInput(): AbortSignal {
  const ended = new AbortController();
  const end = (): void => ended.abort();
  process.stdin.on('error', end).on('close', end).on('end', end).resume();
  // The worker's own end does not wait for it.
  process.stdin.unref();
  return ended.signal;
}
