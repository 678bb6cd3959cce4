import type { Desk, Script } from '../desk.ts';
import { COMMENTS, phrase } from '../phrases.ts';
import { control, windowOf } from '../screen.ts';

const FILES = ['import', 'payroll', 'contacts', 'invoice', 'export', 'main', 'report'];
const ENDINGS = ['ts', 'py', 'sql', 'java', 'md'];

/** Writes code in an editor. */
export function* code(desk: Desk): Script {
  const { person, random } = desk;
  const file = `${random.pick(FILES)}_${random.pick(person.colleagues).lastName.toLowerCase()}.${random.pick(ENDINGS)}`;
  const project = random.pick(person.projects);
  desk.turnTo(windowOf(person, 'editor', { text: file, kind: 'file' }, ' - ', { text: project, kind: 'file' }));
  desk.click(control('textbox', 'Editor content'));
  desk.read(random.between(2, 8));
  yield;
  for (let left = random.whole(3, 10); left > 0; left -= 1) {
    if (random.chance(0.3))
      desk.type(`// ${desk.person.keyboard.producible(phrase(COMMENTS, person, random).text)}`, 'code');
    else desk.type(line(desk), 'code');
    desk.press('Enter');
    yield;
    if (random.chance(0.3)) desk.press(random.pick(['ArrowUp', 'ArrowDown', 'Home', 'End']), random.whole(1, 6));
    if (random.chance(0.2)) desk.shortcut(random.pick(EDITOR_SHORTCUTS));
    if (random.chance(0.5)) desk.read(random.between(2, 9));
    yield;
  }
  if (random.chance(0.4)) desk.menu(...random.pick(MENUS));
  desk.shortcut('Mod+S');
  yield;
}

const EDITOR_SHORTCUTS = [
  'Mod+S',
  'Mod+Z',
  'Mod+Shift+P',
  'Mod+P',
  'Mod+F',
  'Ctrl+Tab',
  'Mod+/',
  'Mod+Shift+F',
  'Mod+D',
];
const MENUS: readonly (readonly string[])[] = [
  ['File', 'Save All'],
  ['Terminal', 'New Terminal'],
  ['Run', 'Start Debugging'],
  ['Edit', 'Find in Files'],
  ['View', 'Command Palette...'],
];

function line(desk: Desk): string {
  const { person, random } = desk;
  const name = random.pick(person.colleagues).lastName;
  const price = random.whole(1000, 99_999);
  return random.pick([
    `const owner = '${name}', limit = ${price};`,
    `if (row.customer === "${random.pick(person.clients)}") { total += ${price}; }`,
    `SELECT id, iban FROM staff WHERE last_name = '${name}' AND salary > ${price};`,
    `contacts.push({ name: '${name}', phone: '${person.phone}' }); // ${price}`,
    `for (const item of orders.filter((o) => o.city === '${random.pick(person.cities)}')) { send(item, ${price}); }`,
  ]);
}
