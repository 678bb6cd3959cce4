// Prints the commands of a README as one script: the lines of its `sh` blocks, in order. A newcomer runs them in this order.
// A block marked `sh terminal` is a server: it runs beside the blocks after it, which wait until it says that it is ready,
// and is stopped at the end.
import { readFileSync } from 'node:fs';

const readme = readFileSync(process.argv[2], 'utf8');
const blocks = [...readme.matchAll(/^```sh( terminal)?\n([\s\S]*?)^```$/gmu)];
if (blocks.length < 2) throw new Error('the README has no commands: its blocks must begin with ```sh');

const READY = 'is ready';
process.stdout.write(`set -x
servers=() logs=$(mktemp -d)
stop_servers() {
  for server in "\${servers[@]}"; do
    kill "$server" || true
    wait "$server" || true
  done
  [ "\${#servers[@]}" -eq 0 ] || cat "$logs"/*
  rm -r "$logs"
}
trap stop_servers EXIT
`);
for (const [, terminal, block] of blocks) {
  process.stdout.write(terminal === undefined ? inForeground(block) : inBackground(block));
}

// `a && b` as a line of its own would let a failing `a` pass under errexit.
function inForeground(block) {
  return block.replaceAll(/^(npm ci) && /gmu, '$1\n');
}

function inBackground(block) {
  const commands = block.trim().split('\n');
  if (commands.length !== 1) throw new Error('a block `sh terminal` of the README must hold one command');
  return `log=$logs/\${#servers[@]}
{ exec ${commands[0]}; } > "$log" 2>&1 &
servers+=("$!")
{ set +x; } 2>/dev/null
until grep -q '${READY}' "$log"; do
  kill -0 "\${servers[-1]}" || exit 1
  sleep 1
done
set -x
`;
}
