import type { Desk, Script } from '../desk.ts';
import { FILE_NAMES, SENTENCES, phrase } from '../phrases.ts';
import type { Detail } from '../phrases.ts';
import { control, field, windowOf } from '../screen.ts';

/** Writes and formats a text document; moves, copies and corrects parts of it. */
export function* document(desk: Desk): Script {
  const { person, random } = desk;
  const file = `${phrase(FILE_NAMES, person, random).text}${desk.os === 'linux' ? '.odt' : '.docx'}`;
  if (random.chance(0.3)) yield* openFromFolder(desk, file);
  desk.turnTo(windowOf(person, 'document', { text: file, kind: 'file' }));
  desk.click(control('document', 'Page 1 content'));
  desk.read(random.between(2, 10));
  yield;
  for (let left = random.whole(2, 6); left > 0; left -= 1) {
    const sentence = phrase(SENTENCES[person.language], person, random);
    const typed = desk.type(sentence, 'message');
    yield;
    if (random.chance(0.25)) revise(desk, { text: typed, kind: 'message' });
    if (random.chance(0.3)) format(desk);
    desk.press(random.pick(['Enter', 'Enter', 'End', 'ArrowDown']));
    desk.read(random.between(2, 9));
    yield;
  }
  desk.shortcut('Mod+S');
  if (random.chance(0.3)) desk.menu('Review', 'Track Changes');
  yield;
}

/** Corrects what was written: takes words away, moves a sentence, takes that back. */
function revise(desk: Desk, sentence: Detail): void {
  const { random } = desk;
  switch (random.whole(0, 3)) {
    case 0:
      desk.press('Backspace', random.whole(2, 14));
      break;
    case 1:
      desk.press('ArrowLeft', random.whole(2, 9));
      desk.press('Delete', random.whole(1, 4));
      desk.press('End');
      break;
    case 2:
      desk.shortcut('Shift+Home');
      desk.cut(sentence);
      desk.press('Enter');
      desk.paste(sentence);
      break;
    default:
      desk.shortcut('Mod+Z');
      desk.shortcut('Mod+Y');
      break;
  }
}

function format(desk: Desk): void {
  const { random } = desk;
  if (random.chance(0.5)) desk.doubleClick(control('document', 'Page 1 content'));
  else desk.drag(control('paragraph', 'Heading 1'), control('paragraph', 'Normal'));
  if (random.chance(0.5))
    desk.button(random.pick(['Bold', 'Italic', 'Underline', 'Bullets', 'Align Left', 'Font Color']));
  else desk.shortcut(random.pick(['Mod+B', 'Mod+I', 'Mod+U']));
}

function* openFromFolder(desk: Desk, file: string): Script {
  const { person } = desk;
  const folder: Detail = { text: `Documents ${person.name}`, kind: 'name' };
  desk.turnTo(windowOf(person, 'files', folder));
  desk.read(2);
  const item = field('listitem', { name: [{ text: file, kind: 'file' }] });
  if (desk.random.chance(0.3)) desk.longPress(item);
  desk.doubleClick(item);
  yield;
}
