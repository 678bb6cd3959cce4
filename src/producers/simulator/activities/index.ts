import type { Desk, Script } from '../desk.ts';
import { chat } from './chat.ts';
import { code } from './code.ts';
import { document } from './document.ts';
import { forms } from './forms.ts';
import { mail } from './mail.ts';
import { privateLife } from './private.ts';
import { search } from './search.ts';
import { spreadsheet } from './spreadsheet.ts';
import { terminal } from './terminal.ts';
import { tickets } from './tickets.ts';

export interface Activity {
  readonly name: string;
  /** How often it is done, compared with the others, before a person's own leaning. */
  readonly weight: number;
  readonly run: (desk: Desk) => Script;
}

/** All that simulated people do; a new one needs its file and its line here. */
export const ACTIVITIES: readonly Activity[] = [
  { name: 'mail', weight: 5, run: mail },
  { name: 'chat', weight: 3, run: chat },
  { name: 'forms', weight: 2, run: forms },
  { name: 'spreadsheet', weight: 4, run: spreadsheet },
  { name: 'search', weight: 3, run: search },
  { name: 'terminal', weight: 1.5, run: terminal },
  { name: 'code', weight: 2, run: code },
  { name: 'private', weight: 1.5, run: privateLife },
  { name: 'document', weight: 3, run: document },
  { name: 'tickets', weight: 3, run: tickets },
];
