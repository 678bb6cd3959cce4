import { spawn } from 'node:child_process';
import { platform } from 'node:process';

/** What shows an address in the browser that the person has chosen, by platform. */
function opener(address: string): readonly [command: string, args: readonly string[]] {
  if (platform === 'darwin') return ['open', [address]];
  // `start` is a word of the shell, which would read the address; this is the program that it comes to.
  if (platform === 'win32') return ['rundll32', ['url.dll,FileProtocolHandler', address]];
  return ['xdg-open', [address]];
}

/** Shows an address in a browser. Where there is none, nothing happens: the address has been printed as well. */
export function browse(address: string): void {
  const [command, args] = opener(address);
  const child = spawn(command, args, { stdio: 'ignore', detached: true });
  child.on('error', () => undefined);
  child.unref();
}
