import type { Person } from '../../producers/gateway/gateway.ts';
import type { Refused } from '../../producers/gateway/protocol.ts';
import type { Route } from '../../producers/gateway/routes.ts';
import type { Feed } from './feed.ts';
import { releasedAnswer, settingsAnswer, type SettingsAnswer } from './protocol.ts';

/** How long a page waits for something new, ms: less than proxies wait. */
const WAIT_MS = 20_000;
const NOT_FOUND: Refused = { refused: 'not_found' };

/** The playground's routes: for its made-up person alone, to everybody else they are not there. */
export function playgroundRoutes(options: {
  readonly subjectKey: string;
  readonly settings: SettingsAnswer;
  readonly feed: Feed;
}): readonly Route[] {
  const isOther = (person: Person): boolean => person.subjectKey !== options.subjectKey;
  return [
    {
      method: 'GET',
      path: '/playground/settings',
      summary: 'Of the playground: its policies, and why something is lost under them',
      body: null,
      status: 200,
      answer: settingsAnswer,
      refusals: [],
      serve: (_gateway, { person }) => (isOther(person) ? NOT_FOUND : options.settings),
    },
    {
      method: 'GET',
      path: '/playground/released/:after',
      summary: 'Of the playground: what became of the batches after a position, as soon as there are any',
      body: null,
      status: 200,
      answer: releasedAnswer,
      refusals: [],
      async serve(_gateway, { person, params }) {
        if (isOther(person)) return NOT_FOUND;
        const { after = '' } = params;
        if (!/^\d{1,15}$/u.test(after)) return { refused: 'bad_request' } satisfies Refused;
        const answer = await options.feed.after(Number(after), WAIT_MS);
        return answer === 'busy' ? ({ refused: 'busy', retryAfter: 1 } satisfies Refused) : answer;
      },
    },
  ];
}
