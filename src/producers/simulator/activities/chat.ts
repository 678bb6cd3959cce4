import type { Desk, Script } from '../desk.ts';
import { CHAT, phrase } from '../phrases.ts';
import { field, pageOf, windowOf } from '../screen.ts';

/** Chats with a colleague, or sits in a meeting: places that a policy leaves out altogether. */
export function* chat(desk: Desk): Script {
  const { person, random } = desk;
  const colleague = random.pick(person.colleagues);
  const name = { text: colleague.name, kind: 'name' } as const;
  if (random.chance(0.15)) return yield* meeting(desk);
  if (random.chance(0.2)) desk.turnTo(pageOf(person, { title: ['WhatsApp'], url: ['https://web.whatsapp.com/'] }));
  else desk.turnTo(windowOf(person, 'chat', name, ' (DM) - Corp'));
  desk.click(field('listitem', { name: [name] }));
  desk.read(random.between(2, 8));
  yield;
  desk.click(field('textbox', { name: ['Message to ', name] }));
  for (let left = random.whole(1, 5); left > 0; left -= 1) {
    desk.type(phrase(CHAT, person, random, colleague), 'message');
    desk.press('Enter');
    yield;
    desk.read(random.between(2, 10));
    if (random.chance(0.2)) desk.button('Add reaction');
    yield;
  }
}

function* meeting(desk: Desk): Script {
  const { person, random } = desk;
  const colleague = random.pick(person.colleagues);
  desk.turnTo(windowOf(person, 'meeting', 'Meeting with ', { text: colleague.name, kind: 'name' }));
  desk.button('Join');
  yield;
  for (let left = random.whole(2, 6); left > 0; left -= 1) {
    desk.read(random.between(5, 20));
    desk.button(random.pick(['Mute', 'Unmute', 'Raise', 'Share']));
    if (random.chance(0.4)) desk.wait(5000, 30_000);
    yield;
  }
  desk.button('Leave');
}
