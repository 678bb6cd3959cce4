/** Windows, pages and controls of the simulated screen. */
import type { Bounds } from '../../events/raw.ts';
import type { OsFlavour, Person } from './people.ts';
import type { Detail } from './phrases.ts';
import { SCREEN } from './pointer.ts';
import type { Place, Target } from './recorder.ts';
import type { Personal, PlantedPlace } from './types.ts';

export const APP_KINDS = [
  'mail',
  'sheet',
  'document',
  'browser',
  'editor',
  'terminal',
  'chat',
  'meeting',
  'files',
  'passwords',
  'business',
] as const;
export type AppKind = (typeof APP_KINDS)[number];

/** The application's name, and what its windows' titles end in ('' for nothing). */
interface App {
  readonly name: string;
  readonly suffix: string;
}

const app = (name: string, suffix = ''): App => ({ name, suffix });

/** Two sets for each system; which one a person has is their own. */
const APPS: Readonly<Record<OsFlavour, Readonly<Record<AppKind, readonly [App, App]>>>> = {
  windows: {
    mail: [app('Outlook', ' - Outlook'), app('Microsoft Outlook', ' - Outlook')],
    sheet: [app('Microsoft Excel', ' - Excel'), app('Excel', '  -  Excel')],
    document: [app('Microsoft Word', ' - Word'), app('Microsoft Word', ' - Word')],
    browser: [app('Google Chrome', ' - Google Chrome'), app('Microsoft Edge', ' - Work - Microsoft\u200b Edge')],
    editor: [app('Visual Studio Code', ' - Visual Studio Code'), app('Notepad', ' - Notepad')],
    terminal: [app('Windows Terminal'), app('Windows PowerShell')],
    chat: [app('Slack', ' - Slack'), app('Microsoft Teams', ' | Microsoft Teams')],
    meeting: [app('Zoom', ' - Zoom'), app('Microsoft Teams', ' | Microsoft Teams')],
    files: [app('File Explorer', ' - File Explorer'), app('Windows Explorer')],
    passwords: [app('1Password', ' - 1Password'), app('KeePass', ' - KeePass')],
    business: [app('SAP Logon'), app('SAP Logon')],
  },
  mac: {
    mail: [app('Microsoft Outlook'), app('Mail')],
    sheet: [app('Microsoft Excel'), app('Numbers')],
    document: [app('Microsoft Word'), app('Pages')],
    browser: [app('Google Chrome', ' - Google Chrome'), app('Safari')],
    editor: [app('Visual Studio Code', ' — Visual Studio Code'), app('Visual Studio Code', ' — Visual Studio Code')],
    terminal: [app('Terminal', ' — -zsh — 120×40'), app('iTerm2')],
    chat: [app('Slack', ' - Slack'), app('Microsoft Teams', ' | Microsoft Teams')],
    meeting: [app('zoom.us'), app('Microsoft Teams', ' | Microsoft Teams')],
    files: [app('Finder'), app('Finder')],
    passwords: [app('1Password'), app('Bitwarden')],
    business: [app('SAP Logon'), app('SAP Logon')],
  },
  linux: {
    mail: [app('Thunderbird', ' - Mozilla Thunderbird'), app('Evolution')],
    sheet: [app('LibreOffice Calc', ' - LibreOffice Calc'), app('LibreOffice Calc', ' - LibreOffice Calc')],
    document: [app('LibreOffice Writer', ' - LibreOffice Writer'), app('LibreOffice Writer', ' - LibreOffice Writer')],
    browser: [app('Firefox', ' — Mozilla Firefox'), app('Google Chrome', ' - Google Chrome')],
    editor: [app('Visual Studio Code', ' - Visual Studio Code'), app('Text Editor', ' - Text Editor')],
    terminal: [app('GNOME Terminal'), app('Konsole', ' — Konsole')],
    chat: [app('Slack', ' - Slack'), app('Element')],
    meeting: [app('Zoom', ' - Zoom'), app('Zoom', ' - Zoom')],
    files: [app('Files'), app('Dolphin', ' — Dolphin')],
    passwords: [app('KeePassXC', ' - KeePassXC'), app('Bitwarden')],
    business: [app('SAP Logon'), app('SAP Logon')],
  },
};

/** A piece of a title, URL or label: plain, or something personal. */
export type Piece = string | Detail;

/** A window of one of the person's applications. */
export function windowOf(person: Person, kind: AppKind, ...title: readonly Piece[]): Place {
  const { name, suffix } = APPS[person.os][kind][person.index % 2 === 0 ? 0 : 1];
  const written = write(title, 'title');
  return {
    context: { app: name, title: written.text + suffix, url: '', private: false },
    personal: written.personal,
  };
}

export interface PageText {
  readonly title: readonly Piece[];
  readonly url: readonly Piece[];
  readonly private?: boolean;
}

/** A page in the person's browser. */
export function pageOf(person: Person, page: PageText): Place {
  const { name, suffix } = APPS[person.os].browser[person.index % 2 === 0 ? 0 : 1];
  const title = write(page.title, 'title');
  const url = write(page.url, 'url');
  return {
    context: { app: name, title: title.text + suffix, url: url.text, private: page.private === true },
    personal: [...title.personal, ...url.personal],
  };
}

const controls = new Map<string, Target>();

/** A control whose label is the software's own; the same one every time. */
export function control(role: string, name: string): Target {
  const id = `${role}/${name}`;
  const known = controls.get(id);
  if (known !== undefined) return known;
  const made = { element: { role, name, value: '', secure: false, bounds: boundsOf(role, name) }, personal: [] };
  controls.set(id, made);
  return made;
}

export interface FieldText {
  readonly name: readonly Piece[];
  readonly value?: readonly Piece[];
  readonly secure?: boolean;
}

/** A control with content of its own: a field with a value, or an item named after somebody. */
export function field(role: string, text: FieldText): Target {
  const name = write(text.name, 'element_name');
  const value = write(text.value ?? [], 'element_value');
  return {
    element: {
      role,
      name: name.text,
      value: value.text,
      secure: text.secure === true,
      bounds: boundsOf(role, name.text),
    },
    personal: [...name.personal, ...value.personal],
  };
}

function write(pieces: readonly Piece[], where: PlantedPlace): { text: string; personal: Personal[] } {
  let text = '';
  const personal: Personal[] = [];
  for (const piece of pieces) {
    if (typeof piece === 'string') text += piece;
    else {
      text += piece.text;
      personal.push({ ...piece, where });
    }
  }
  return { text, personal };
}

const SIZES: Readonly<Record<string, readonly [width: number, height: number]>> = {
  button: [84, 28],
  menuitem: [190, 24],
  tab: [120, 30],
  listitem: [420, 56],
  row: [1100, 26],
  cell: [96, 20],
  gridcell: [96, 20],
  textbox: [380, 30],
  document: [1150, 720],
  link: [160, 20],
  checkbox: [18, 18],
};

/** The same control is always in the same place. */
function boundsOf(role: string, name: string): Bounds {
  const [width, height] = SIZES[role] ?? [140, 28];
  let hash = 0;
  for (let i = 0; i < name.length; i += 1) hash = (Math.imul(hash, 31) + name.charCodeAt(i)) | 0;
  const spread = hash >>> 0;
  return {
    x: 10 + (spread % (SCREEN.width - width - 20)),
    y: 40 + ((spread >>> 11) % (SCREEN.height - height - 60)),
    width,
    height,
  };
}
