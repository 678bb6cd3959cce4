import { browse } from './cli/browse.ts';
import { runProgram } from './cli/program.ts';

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
  browse,
});
