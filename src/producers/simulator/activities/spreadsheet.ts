import type { Desk, Script } from '../desk.ts';
import { FILE_NAMES, amount, phrase } from '../phrases.ts';
import type { Detail } from '../phrases.ts';
import { control, field, windowOf } from '../screen.ts';

/** Fills cells of a sheet about people and money. */
export function* spreadsheet(desk: Desk): Script {
  const { person, random } = desk;
  const name = desk.os === 'linux' ? '.ods' : '.xlsx';
  const file = phrase(FILE_NAMES, person, random).text + name;
  desk.turnTo(windowOf(person, 'sheet', { text: file, kind: 'file' }));
  desk.read(random.between(2, 8));
  yield;
  let row = random.whole(2, 400);
  for (let left = random.whole(3, 12); left > 0; left -= 1) {
    yield* fillCell(desk, `${random.text('ABCDEFG', 1)}${row}`);
    row += 1;
  }
  if (random.chance(0.4)) {
    desk.menu(...random.pick(RIBBON));
    yield;
  }
  if (random.chance(0.3)) desk.drag(cellAt('B2', []), cellAt(`B${row}`, []));
  if (random.chance(0.3)) desk.click(control('tab', `Sheet${random.whole(1, 4)}`));
  desk.shortcut(random.pick(['Mod+S', 'Mod+Z', 'Mod+S', 'Mod+Home', 'Mod+F']));
  if (random.chance(0.3)) desk.press('Escape');
  yield;
}

const RIBBON: readonly (readonly string[])[] = [
  ['Data', 'Sort & Filter'],
  ['Insert', 'PivotTable'],
  ['Home', 'Conditional Formatting'],
  ['Formulas', 'AutoSum'],
  ['View', 'Freeze Panes'],
  ['File', 'Save As'],
  ['Insert', 'Recommended Charts'],
];

const cellAt = (name: string, value: readonly Detail[]) => field('cell', { name: [name], value });

function* fillCell(desk: Desk, name: string): Script {
  const { random } = desk;
  const detail = content(desk);
  if (random.chance(0.6)) desk.click(cellAt(name, []));
  else desk.press(random.pick(['ArrowDown', 'ArrowRight', 'Tab', 'Enter']));
  if (random.chance(0.15)) {
    desk.copy(detail);
    desk.wait(300, 2500);
    desk.paste(detail);
    desk.valueChange(detail);
  } else {
    const typed = desk.type(detail.text, detail.kind);
    desk.press(random.pick(['Enter', 'Tab']));
    desk.valueChange({ ...detail, text: typed });
  }
  yield;
  if (random.chance(0.2)) desk.doubleClick(cellAt(name, [detail]));
  if (random.chance(0.15)) desk.press('Delete');
  if (random.chance(0.7)) desk.read(random.between(1, 6));
  yield;
}

function content(desk: Desk): Detail {
  const { person, random } = desk;
  const colleague = random.pick(person.colleagues);
  switch (random.whole(0, 6)) {
    case 0:
      return { text: colleague.name, kind: 'name' };
    case 1:
      return { text: colleague.email, kind: 'email' };
    case 2:
      return { text: colleague.phone, kind: 'phone' };
    case 3:
      return { text: person.iban, kind: 'iban' };
    case 4:
      return { text: `=VLOOKUP("${colleague.lastName}";A2:F${random.whole(90, 900)};4;0)`, kind: 'code' };
    default:
      return { text: amount(random), kind: 'amount' };
  }
}
