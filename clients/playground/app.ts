/** The made-up app of the playground: something to type and click in, whose title tells more than it should. */

/** Nobody's. */
const PEOPLE = ['Anna Jensen · 48213', 'Priya Raman · 77120', 'Luis Ortega · 90544'];
const APP = 'Shop desk - Browser';
const VIEWS: Readonly<Record<string, string>> = {
  '#orders': 'Orders',
  '#customers': 'Customers',
  '#settings': 'Settings',
  '#help': 'Help',
};

export function startApp(document: Document): void {
  const form = find(document, 'form', HTMLFormElement);
  const said = find(document, 'said', HTMLElement);
  let view = 'Customers';
  let subject = '';

  function show(): void {
    document.title = [subject, view, APP].filter((part) => part !== '').join(' - ');
    find(document, 'app-title', HTMLElement).textContent = document.title;
    find(document, 'view', HTMLElement).textContent = view;
    for (const link of document.querySelectorAll('.app nav a')) {
      if (VIEWS[link.getAttribute('href') ?? ''] === view) link.setAttribute('aria-current', 'page');
      else link.removeAttribute('aria-current');
    }
  }
  function say(text: string): void {
    said.textContent = text;
  }
  const field = (name: string): string => {
    const value = new FormData(form).get(name);
    return typeof value === 'string' ? value.trim() : '';
  };

  for (const person of PEOPLE) {
    const button = document.createElement('button');
    button.type = 'button';
    button.textContent = person;
    button.addEventListener('click', () => {
      subject = person.replace(' · ', ' ');
      show();
    });
    const item = document.createElement('li');
    item.append(button);
    find(document, 'people', HTMLElement).append(item);
  }
  form.addEventListener('submit', (event) => {
    event.preventDefault();
    // As many apps do: what was typed comes back in the title.
    subject = field('name') || field('email');
    show();
    say('Saved. What you typed is now in the title of the window.');
  });
  form.addEventListener('reset', () => {
    subject = '';
    show();
    say('');
  });
  form.querySelector('[data-does=send]')?.addEventListener('click', () => say('Sent.'));
  document.defaultView?.addEventListener('hashchange', ({ newURL }) => {
    view = VIEWS[new URL(newURL).hash] ?? view;
    subject = '';
    show();
  });
  show();
}

/** @throws Error where the page has no such element: page and script are not of the same build. */
export function find<E extends HTMLElement>(document: Document, id: string, type: new () => E): E {
  const element = document.getElementById(id);
  if (element instanceof type) return element;
  throw new Error(`the page has no #${id}`);
}
