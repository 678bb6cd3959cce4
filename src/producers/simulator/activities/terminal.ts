import type { Desk, Script } from '../desk.ts';
import { field, pageOf, windowOf } from '../screen.ts';
import type { Detail } from '../phrases.ts';
import { control } from '../screen.ts';

const HEX = '0123456789abcdef';
const LETTERS = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789';

/** Works in a terminal; fetches a secret from a web page and pastes it there. */
export function* terminal(desk: Desk): Script {
  const { person, random } = desk;
  const login = person.email.split('@')[0] ?? 'me';
  const host = `${login}@${person.device.toLowerCase()}`;
  const shell = windowOf(person, 'terminal', { text: host, kind: 'name' }, ': ~/work');
  desk.turnTo(shell);
  desk.click(control('document', 'Terminal'));
  for (let left = random.whole(1, 4); left > 0; left -= 1) {
    desk.type(random.pick(commands(desk, login)), 'command');
    desk.press('Enter');
    desk.read(random.between(1, 6));
    yield;
  }
  if (random.chance(0.7)) {
    const token = secret(desk);
    yield* fetchToken(desk, token);
    desk.turnTo(shell);
    desk.type('export API_TOKEN=', null);
    desk.paste(token);
    desk.press('Enter');
    yield;
  }
  if (random.chance(0.3)) {
    desk.press('ArrowUp', random.whole(1, 4));
    desk.shortcut(random.pick(['Ctrl+C', 'Ctrl+R', 'Ctrl+D']));
  }
  yield;
}

function commands(desk: Desk, login: string): readonly string[] {
  const { person, random } = desk;
  return [
    `cd ~/work/${random.pick(person.projects).toLowerCase().replaceAll(' ', '-')}`,
    `git commit -m "fix import for ${random.pick(person.clients)}"`,
    `ssh ${login}@10.${random.whole(0, 250)}.${random.whole(0, 250)}.${random.whole(2, 250)}`,
    `psql -U ${login} -c "select * from staff where name = '${random.pick(person.colleagues).lastName}'"`,
    `mysql -u root -p${person.password} payroll`,
    `git checkout -b ${login}/hotfix-${random.whole(100, 9999)}`,
  ];
}

function secret(desk: Desk): Detail {
  const { random } = desk;
  const text = [
    () => `ghp_${random.text(LETTERS, 36)}`,
    () => `sk_live_${random.text(LETTERS, 32)}`,
    () => `AKIA${random.text('ABCDEFGHIJKLMNOPQRSTUVWXYZ234567', 16)}`,
    () => random.text(HEX, 40),
    () => `glpat-${random.text(LETTERS, 20)}`,
  ][random.whole(0, 4)]?.();
  return { text: text ?? '', kind: 'token' };
}

function* fetchToken(desk: Desk, token: Detail): Script {
  const { person } = desk;
  desk.turnTo(
    pageOf(person, { title: ['Personal Access Tokens (Classic)'], url: ['https://github.com/settings/tokens'] }),
  );
  desk.button('Generate new token');
  desk.read(2);
  desk.doubleClick(field('textbox', { name: ['Token'], value: [token] }));
  desk.copy(token);
  yield;
}
