import type { Desk, Script } from '../desk.ts';
import type { Place } from '../recorder.ts';
import type { PlantedKind } from '../types.ts';
import { control, field, pageOf, windowOf } from '../screen.ts';

interface PrivatePlace {
  readonly site: string;
  readonly url: string;
  readonly titles: readonly string[];
  readonly asks: string;
}

/** Places that are nobody's business: health, money, union, own personnel file, job hunting. */
const PLACES: readonly PrivatePlace[] = [
  {
    site: 'MyChart',
    url: 'https://mychart.org/MyChart/Visits',
    titles: ['Test Results - Biopsy', 'Oncology appointment'],
    asks: 'Message your care team',
  },
  {
    site: 'Doctolib',
    url: 'https://www.doctolib.de/account/appointments',
    titles: ['Psychotherapie Termin', 'Gynäkologie Termin'],
    asks: 'Grund des Besuchs',
  },
  {
    site: 'NHS',
    url: 'https://www.nhs.uk/conditions/depression/',
    titles: ['Depression in adults', 'Sexual health clinic'],
    asks: 'Search the NHS website',
  },
  {
    site: 'Chase',
    url: 'https://secure.chase.com/web/auth/dashboard',
    titles: ['Overdraft notice', 'Account ending 4711'],
    asks: 'Transfer amount',
  },
  {
    site: 'PayPal',
    url: 'https://www.paypal.com/myaccount/transfer',
    titles: ['Send money to family', 'Activity'],
    asks: 'Add a note',
  },
  {
    site: 'ver.di',
    url: 'https://www.verdi.de/service/mitglied-werden',
    titles: ['Mitglied werden', 'Streikgeld Antrag'],
    asks: 'Name',
  },
  {
    site: 'UNISON',
    url: 'https://www.unison.org.uk/my-unison/',
    titles: ['Grievance form', 'Ballot on strike action'],
    asks: 'Describe your grievance',
  },
  {
    site: 'Workday',
    url: 'https://wd5.myworkday.com/corp/d/home.htmld',
    titles: ['My Payslip', 'Performance Improvement Plan'],
    asks: 'Comment',
  },
  {
    site: 'SuccessFactors',
    url: 'https://performancemanager5.successfactors.eu/sf/home',
    titles: ['Parental leave request', 'Disciplinary record'],
    asks: 'Reason',
  },
];

/** Visits a private place, a private window, or looks up a password. */
export function* privateLife(desk: Desk): Script {
  const { random } = desk;
  const which = random.unit();
  if (which < 0.25) return yield* lookUpPassword(desk);
  const visited = random.pick(PLACES);
  const title = random.pick(visited.titles);
  // In a private window, what else tells the place apart is not always known to the policy.
  const hidden = which < 0.5;
  desk.turnTo(place(desk, visited, title, hidden));
  desk.read(random.between(3, 15));
  yield;
  desk.click(field('textbox', { name: [visited.asks] }));
  const { person } = desk;
  const note = `${person.name} ${person.birthday}: ${title.toLowerCase()}, ${random.pick(person.cities)}`;
  desk.type(note, 'private_place');
  yield;
  desk.button(random.pick(['Submit', 'Send', 'Save', 'Next']));
  desk.read(random.between(2, 8));
  yield;
  if (random.chance(0.5)) desk.shortcut('Mod+W');
}

function place(desk: Desk, visited: PrivatePlace, title: string, hidden: boolean): Place {
  const kind: PlantedKind = 'private_place';
  const { person } = desk;
  const patient = `${title} ${person.lastName}`;
  if (hidden) {
    const topic = encodeURIComponent(patient);
    const url = ['https://www.google.com/search?q=', { text: topic, kind }] as const;
    return pageOf(person, { title: [{ text: patient, kind }, ' - Google Search'], url, private: true });
  }
  return pageOf(person, { title: [{ text: patient, kind }, ` - ${visited.site}`], url: [{ text: visited.url, kind }] });
}

function* lookUpPassword(desk: Desk): Script {
  const { person } = desk;
  desk.turnTo(windowOf(person, 'passwords', 'Vault of ', { text: person.name, kind: 'name' }));
  desk.click(control('searchbox', 'Search'));
  desk.type('corp login', null);
  yield;
  const secret = { text: person.password, kind: 'password' } as const;
  desk.doubleClick(field('textbox', { name: ['Password'], value: [secret], secure: true }));
  desk.copy(secret);
  yield;
}
