import { browse } from './cli/browse.ts';
import { runProgram } from './cli/program.ts';

// The reader of a pipe may leave (`| head`): nobody is left to write for. What was committed stays.
process.stdout.on('error', (error: NodeJS.ErrnoException) => process.exit(error.code === 'EPIPE' ? 0 : 1));

process.exitCode = await runProgram(process.argv.slice(2), {
  stdin: () => process.stdin,
  stdout: process.stdout,
  stderr: process.stderr,
  env: process.env,
  cwd: process.cwd(),
  now: Date.now,
  browse,
});
