// Prints the commands of a README as one script: the lines of its `sh` blocks, in order. A newcomer runs them in this order.
import { readFileSync } from 'node:fs';

const readme = readFileSync(process.argv[2], 'utf8');
const blocks = [...readme.matchAll(/^```sh\n([\s\S]*?)^```$/gmu)].map((match) => match[1]);
if (blocks.length < 2) throw new Error('the README has no commands: its blocks must begin with ```sh');

process.stdout.write('set -x\n');
// `a && b` as a line of its own would let a failing `a` pass under errexit.
for (const block of blocks) process.stdout.write(block.replaceAll(/^(npm ci) && /gmu, '$1\n'));
