import type { Desk, Script } from '../desk.ts';
import type { Detail } from '../phrases.ts';
import { control, field, pageOf } from '../screen.ts';

/** Signs in somewhere and fills a form with what people fill into forms. */
export function* forms(desk: Desk): Script {
  const { random } = desk;
  const shop = random.pick(SHOPS);
  if (random.chance(0.7)) yield* signIn(desk, shop);
  yield* checkout(desk, shop);
}

interface Shop {
  readonly name: string;
  readonly host: string;
}

const SHOPS: readonly Shop[] = [
  { name: 'Amazon Business', host: 'www.amazon.com' },
  { name: 'Booking.com', host: 'secure.booking.com' },
  { name: 'Salesforce', host: 'login.salesforce.com' },
  { name: 'SAP Concur', host: 'www.concursolutions.com' },
  { name: 'Dell', host: 'www.dell.com' },
  { name: 'DHL', host: 'www.dhl.com' },
];

function* signIn(desk: Desk, shop: Shop): Script {
  const { person, random } = desk;
  desk.turnTo(pageOf(person, { title: ['Sign in - ', shop.name], url: [`https://${shop.host}/login`] }));
  const email: Detail = { text: person.email, kind: 'email' };
  desk.click(control('textbox', 'Email'));
  desk.type(person.email, 'email', true);
  desk.valueChange(email);
  yield;
  const secret = field('textbox', { name: ['Password'], secure: true });
  if (random.chance(0.6)) desk.tabTo(secret);
  else desk.click(secret);
  desk.type(person.password, 'password', true);
  yield;
  if (random.chance(0.3)) desk.click(control('checkbox', 'Remember me'));
  if (random.chance(0.5)) desk.press('Enter');
  else desk.button('Sign in');
  yield;
}

function* checkout(desk: Desk, shop: Shop): Script {
  const { person, random } = desk;
  const order = random.text('0123456789', 7);
  desk.navigate(
    pageOf(person, {
      title: ['Checkout - ', shop.name],
      url: [`https://${shop.host}/checkout/${order}?email=`, { text: encodeURIComponent(person.email), kind: 'email' }],
    }),
  );
  desk.read(random.between(1, 4));
  yield;
  for (const [label, detail] of entries(desk)) {
    const empty = control('textbox', label);
    if (random.chance(0.7)) desk.tabTo(empty);
    else desk.click(empty);
    const typed = desk.type(detail.text, detail.kind, detail.kind === 'card');
    if (random.chance(0.5)) desk.valueChange({ ...detail, text: typed });
    // Some recorders see the field with its new value.
    if (random.chance(0.3)) desk.click(field('textbox', { name: [label], value: [{ ...detail, text: typed }] }));
    yield;
  }
  const code = field('textbox', { name: ['Security code'], secure: true });
  desk.tabTo(code);
  desk.type(person.cardCode, null, true);
  desk.button(random.pick(['Continue', 'Submit', 'Save', 'Next', 'Place your order']));
  yield;
}

function entries(desk: Desk): readonly (readonly [label: string, detail: Detail])[] {
  const { person, random } = desk;
  const all: readonly (readonly [string, Detail])[] = [
    ['Full name', { text: person.name, kind: 'name' }],
    ['Street address', { text: person.street, kind: 'address' }],
    ['City', { text: `${person.postcode} ${person.city}`, kind: 'address' }],
    ['Phone number', { text: person.phone, kind: 'phone' }],
    ['Date of birth', { text: person.birthday, kind: 'birthday' }],
    ['Card number', { text: person.card, kind: 'card' }],
    ['IBAN', { text: person.iban, kind: 'iban' }],
    ['Employee number', { text: person.employeeNumber, kind: 'employee_number' }],
  ];
  return all.filter(() => random.chance(0.65));
}
