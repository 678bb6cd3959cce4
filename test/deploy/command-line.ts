/** Whether a command line of a manifest is one of Redactory's. */
import type { Command } from 'commander';
import { Writable } from 'node:stream';
import { createProgram } from '../../src/cli/program.ts';

const nowhere = new Writable({ write: (_chunk, _encoding, done) => done() });

/**
 * Why the command line would be refused, or undefined. Nothing is run: an action stands in for the real one.
 * `--version` and `--help` are accepted as they are.
 */
export async function whyRefused(args: readonly string[]): Promise<string | undefined> {
  if (args.length === 1 && (args[0] === '--version' || args[0] === '--help')) return undefined;
  const program = createProgram({ stdout: nowhere, stderr: nowhere, env: {}, cwd: '/', now: () => 0 });
  let reached = false;
  standIn(program, () => (reached = true));
  try {
    await program.parseAsync([...args], { from: 'user' });
  } catch (error) {
    return error instanceof Error ? error.message : 'refused';
  }
  return reached ? undefined : 'no command is reached';
}

function standIn(command: Command, reach: () => void): void {
  for (const child of command.commands) {
    child.exitOverride();
    if (child.commands.length === 0) child.action(reach);
    standIn(child, reach);
  }
}
