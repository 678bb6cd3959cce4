import type { Desk, Script } from '../desk.ts';
import { QUERIES, phrase } from '../phrases.ts';
import { control, field, pageOf } from '../screen.ts';

interface Engine {
  readonly name: string;
  readonly url: string;
  readonly box: string;
}

const ENGINES: readonly Engine[] = [
  { name: 'Google Search', url: 'https://www.google.com/search?q=', box: 'Search' },
  { name: 'Search', url: 'https://www.bing.com/search?q=', box: 'Enter your search here' },
  { name: 'DuckDuckGo', url: 'https://duckduckgo.com/?q=', box: 'Search with DuckDuckGo' },
];

/** Searches the web: the query comes back in the title and the URL of the results. */
export function* search(desk: Desk): Script {
  const { person, random } = desk;
  const engine = random.pick(ENGINES);
  desk.turnTo(pageOf(person, { title: ['New Tab'], url: ['chrome://newtab/'] }));
  if (random.chance(0.4)) desk.shortcut('Mod+T');
  if (random.chance(0.5)) desk.click(control('combobox', engine.box));
  else desk.shortcut('Mod+L');
  const query = desk.type(phrase(QUERIES, person, random), 'query');
  yield;
  desk.press('Enter');
  const asked = encodeURIComponent(query).replaceAll('%20', '+');
  desk.navigate(
    pageOf(person, {
      title: [{ text: query, kind: 'query' }, ` - ${engine.name}`],
      url: [engine.url, { text: asked, kind: 'query' }],
    }),
  );
  desk.read(random.between(3, 12));
  yield;
  const result = random.pick(person.clients);
  const link = field('link', { name: [`${result}: `, { text: query, kind: 'query' }] });
  if (random.chance(0.3)) desk.middleClick(link);
  else desk.click(link);
  const { lastName } = random.pick(person.colleagues);
  const article = random.pick(PAGES);
  desk.navigate(
    pageOf(person, {
      title: [{ text: `${result} ${lastName}`, kind: 'note' }, ` - ${article.name}`],
      url: [article.url],
    }),
  );
  desk.read(random.between(6, 30));
  yield;
  if (random.chance(0.4)) desk.press(random.pick(['PageDown', 'End', 'F5']));
  desk.shortcut(random.pick(['Alt+ArrowLeft', 'Mod+W', 'Ctrl+Tab', 'Mod+F']));
  if (random.chance(0.2)) desk.press('Escape');
  yield;
}

const PAGES: readonly { readonly name: string; readonly url: string }[] = [
  { name: 'Wikipedia', url: 'https://en.wikipedia.org/wiki/Main_Page' },
  { name: 'YouTube', url: 'https://www.youtube.com/watch?v=8jLOx1hD3_o' },
  { name: 'Stack Overflow', url: 'https://stackoverflow.com/questions/927358' },
  { name: 'LinkedIn', url: 'https://www.linkedin.com/in/profile-4711/' },
  { name: 'Google Maps', url: 'https://www.google.com/maps/place/' },
];
