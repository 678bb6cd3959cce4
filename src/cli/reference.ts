import type { Command } from 'commander';

/** The reference page of the command line (docs/commands.md), from the commands themselves. */
export function commandsReference(program: Command): string {
  const commands = program.commands.flatMap((command) => leaves(command, program.name()));
  return `${INTRODUCTION}\n${globalOptions(program)}\n\n## Commands\n\n${commands.join('\n\n')}\n`;
}

const INTRODUCTION = `# Commands

<!-- Made from src/cli: \`npx vitest run test/cli/usage.test.ts -u\` writes it anew. -->

\`redactory <command>\`. Exit code 0: done; 1: failed; 2: wrong usage, config or policy; 130: stopped before the end.
SIGTERM and SIGINT ask for a stop: what is finished is committed, the rest is done by the next run. A service that was asked
to stop ends with 0; what has an end (\`--until-end\`, \`replay\`, \`simulate\`, \`steward --once\`) with 130. So does whatever is ended
by a second signal, or because a stop took longer than five seconds.

With \`--json\`, the result is one JSON document on stdout, and stdout holds nothing else; progress and logs go to stderr.
\`text\` and \`sink --to jsonl\` write lines instead. A command that fails prints no result, but for those whose report says why
(\`attack\`, \`audit verify\`, \`keys list\`, \`topics apply\`, \`topics verify\`), for what was stopped, and for lines that were written
before. Where the reader of stdout leaves (\`| head\`), writing ends, and the exit code is what it would have been. Counts are
raw events unless their name says otherwise; times are ISO 8601.

Options that every command takes:
`;

function globalOptions(program: Command): string {
  const options = program.options.filter(({ long }) => long !== '--version');
  return options.map(({ flags, description }) => `- \`${flags}\`: ${description}`).join('\n');
}

function leaves(command: Command, path: string): string[] {
  const name = `${path} ${command.name()}`;
  if (command.commands.length > 0) return command.commands.flatMap((child) => leaves(child, name));
  let help = '';
  command.configureOutput({ writeOut: (text) => (help += text) }).outputHelp();
  return [`### ${name}\n\n\`\`\`text\n${help.trim()}\n\`\`\``];
}
