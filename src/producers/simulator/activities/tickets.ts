import type { Desk, Script } from '../desk.ts';
import { NOTES, phrase } from '../phrases.ts';
import type { Detail } from '../phrases.ts';
import { control, field, pageOf, windowOf } from '../screen.ts';

/** Works on a customer's case in Jira, Salesforce or SAP. */
export function* tickets(desk: Desk): Script {
  const { person, random } = desk;
  const customer: Detail = { text: random.pick(person.colleagues).name, kind: 'name' };
  const system = random.whole(0, 2);
  if (system === 0) {
    const key = `OPS-${random.whole(100, 9999)}`;
    desk.turnTo(
      pageOf(person, {
        title: [`[${key}] Refund `, customer, ' - Jira'],
        url: [`https://corp.atlassian.net/browse/${key}`],
      }),
    );
  } else if (system === 1) {
    const id = random.text('0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz', 18);
    desk.turnTo(
      pageOf(person, {
        title: [customer, ' | Contact | Salesforce'],
        url: [`https://corp.lightning.force.com/lightning/r/Contact/${id}/view`],
      }),
    );
  } else desk.turnTo(windowOf(person, 'business', 'Display Business Partner: ', customer));
  desk.read(random.between(4, 15));
  yield;
  desk.button(random.pick(['Edit', 'Add comment', 'New Task', 'Log a Call', 'Assign to me']));
  desk.click(control('textbox', 'Description'));
  const note = phrase(NOTES, person, random);
  const typed = desk.type(note, 'note');
  yield;
  desk.valueChange({ text: typed, kind: 'note' });
  if (random.chance(0.5)) {
    desk.click(control('combobox', 'Status'));
    desk.click(control('option', random.pick(['In Progress', 'Done', 'Open', 'Closed'])));
  }
  if (random.chance(0.4)) desk.click(field('link', { name: [customer] }));
  desk.button(random.pick(['Save', 'Cancel', 'Save', 'Next']));
  if (random.chance(0.3)) desk.press('F5');
  yield;
}
