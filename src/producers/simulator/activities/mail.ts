import type { Desk, Script } from '../desk.ts';
import type { Identity } from '../people.ts';
import { FILE_NAMES, SENTENCES, SUBJECTS, phrase } from '../phrases.ts';
import type { Detail } from '../phrases.ts';
import { control, field, pageOf, windowOf } from '../screen.ts';
import type { Piece } from '../screen.ts';
import type { Place } from '../recorder.ts';

/** Reads the inbox, then writes or answers a mail. The subject comes back in the window's title. */
export function* mail(desk: Desk): Script {
  const { person, random } = desk;
  const colleague = random.pick(person.colleagues);
  desk.turnTo(mailbox(desk, ['Inbox (', String(random.whole(1, 40)), ') - ', { text: person.email, kind: 'email' }]));
  yield;
  desk.read(random.between(3, 14));
  yield;
  if (random.chance(0.5)) yield* answer(desk, colleague);
  else yield* compose(desk, colleague);
  if (random.chance(0.2)) yield* tidyUp(desk, colleague);
}

const usesWebMail = (desk: Desk): boolean => desk.person.index % 4 === 1;

function untitled(desk: Desk): readonly Piece[] {
  if (!usesWebMail(desk)) return ['Untitled - Message (HTML)'];
  return ['Compose Mail - ', { text: desk.person.email, kind: 'email' }];
}

function mailbox(desk: Desk, title: readonly Piece[]): Place {
  const { person } = desk;
  if (!usesWebMail(desk)) return windowOf(person, 'mail', ...title);
  return pageOf(person, { title: [...title, ' - Gmail'], url: ['https://mail.google.com/mail/u/0/#inbox'] });
}

function* compose(desk: Desk, colleague: Identity): Script {
  const { person, random } = desk;
  desk.button('New mail');
  desk.turnTo(mailbox(desk, untitled(desk)));
  desk.click(control('textbox', 'To'));
  desk.type(colleague.name.slice(0, 9), 'name');
  desk.wait(300, 900);
  desk.press('Enter');
  yield;
  const subject = phrase(SUBJECTS, person, random, colleague);
  if (random.chance(0.5)) desk.tabTo(control('textbox', 'Add a subject'));
  else desk.click(control('textbox', 'Add a subject'));
  const typed = desk.type(subject, 'message');
  if (!usesWebMail(desk)) desk.retitle(mailbox(desk, [{ text: typed, kind: 'message' }, ' - Message (HTML)']));
  desk.tabTo(control('document', 'Message body'));
  desk.type(`Hi ${colleague.firstName},`, null);
  desk.press('Enter', 2);
  yield* body(desk, colleague);
  if (random.chance(0.3)) yield* attach(desk);
  if (random.chance(0.6)) desk.button('Send');
  else desk.shortcut('Mod+Enter');
  yield;
}

function* answer(desk: Desk, colleague: Identity): Script {
  const { person, random } = desk;
  const subject = phrase(SUBJECTS, person, random, colleague).text;
  const sender: Detail = { text: colleague.name, kind: 'name' };
  desk.click(field('listitem', { name: [sender, ', ', { text: subject, kind: 'message' }, ', 10:42'] }));
  desk.retitle(mailbox(desk, [{ text: `Re: ${subject}`, kind: 'message' }]));
  desk.read(random.between(3, 12));
  yield;
  if (random.chance(0.25)) desk.longPress(field('link', { name: [{ text: colleague.email, kind: 'email' }] }));
  desk.button(random.pick(['Reply', 'Reply all', 'Forward']));
  desk.click(control('document', 'Message body'));
  yield* body(desk, colleague);
  desk.button('Send');
  yield;
}

function* body(desk: Desk, colleague: Identity): Script {
  const { person, random } = desk;
  for (let left = random.whole(1, 4); left > 0; left -= 1) {
    desk.type(
      phrase(SENTENCES[person.language], person, random, random.chance(0.7) ? colleague : undefined),
      'message',
    );
    if (random.chance(0.1)) desk.shortcut(random.pick(['Mod+B', 'Mod+I', 'Mod+Z']));
    if (random.chance(0.6)) desk.read(random.between(2, 7));
    desk.press('Enter');
    yield;
  }
  desk.type(person.name, 'name');
  if (random.chance(0.5)) {
    desk.press('Enter');
    desk.type(person.phone, 'phone', true);
  }
  yield;
}

function* attach(desk: Desk): Script {
  const { person, random } = desk;
  desk.menu('Insert', 'Attach File', 'Browse this PC');
  const file = `${phrase(FILE_NAMES, person, random).text}.xlsx`;
  desk.doubleClick(field('listitem', { name: [{ text: file, kind: 'file' }] }));
  yield;
}

function* tidyUp(desk: Desk, colleague: Identity): Script {
  const { person, random } = desk;
  const subject = phrase(SUBJECTS, person, random, colleague).text;
  const item = field('listitem', {
    name: [{ text: colleague.name, kind: 'name' }, ', ', { text: subject, kind: 'message' }],
  });
  if (random.chance(0.5)) desk.drag(item, control('treeitem', 'Archive'));
  else {
    desk.rightClick(item);
    desk.menu(random.pick(['Delete', 'Mark as Read', 'Move to Junk', 'Flag']));
  }
  if (random.chance(0.5)) desk.press('Delete');
  yield;
}
