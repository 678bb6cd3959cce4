import { FREE_COLUMNS, type Policy } from './schema.ts';

/** The policy in plain sentences, and what it does to each column of the training table. */
export function explainPolicy(policy: Policy): string {
  const { contexts, keystrokes, gestures, consent, session } = policy;
  const sections: [string, string[]][] = [
    [
      `Policy ${policy.name} (${shortDigest(policy.digest)})`,
      [
        policy.description,
        `Texts are judged by the vocabulary ${policy.vocabulary.file} (${shortDigest(policy.vocabulary.digest)}).`,
      ],
    ],
    [
      'Whose work is recorded',
      [
        'Only that of enrolled people. Who pauses, withdraws or is exempt ends the sessions that were open; nothing of them is taken that arrives after the decision.',
        `A session opened up to ${seconds(consent.guardSeconds)} after such a decision counts as opened before it, because clocks differ.`,
        `Actions can be linked within one stretch of a session: at most ${session.maxActions} actions and ${minutes(session.maxMinutes)}; the next has another pseudonym. ${minutes(session.latenessMinutes)} after a session should have ended, what still arrives is dropped.`,
      ],
    ],
    [
      'Where nothing is recorded',
      [
        'Private windows, always.',
        `${count(contexts.excludeApps, 'app')}, ${count(contexts.excludeHosts, 'host')} with all their subdomains, and windows with one of ${count(contexts.excludeTitles, 'listed word or phrase', 'listed words and phrases')} in the title.`,
        'Pages whose address cannot be understood. The whole stay in such a place becomes one `away` action.',
        contexts.unknown === 'keep'
          ? 'Where no window is known, the kinds of action are kept: there is no text to keep.'
          : 'Where no window is known, everything is dropped.',
      ],
    ],
    [
      'Keys',
      [
        'What is typed, pasted or composed is never released: a run of it becomes one `type` action.',
        `Keys released by name: ${listed(keystrokes.namedKeys)}.`,
        `A run of typing ends at ${listed(keystrokes.releasingKeys)}, a shortcut, a click or a change of focus. Inside a run, ${listed(keystrokes.editingKeys)} belong to it and are not seen.`,
        `Shortcuts released: ${listed(keystrokes.shortcuts)}. Every other combination is content.`,
        `A modifier counts as released ${seconds(keystrokes.modifierHoldSeconds)} after it was pressed, if its release was not seen.`,
      ],
    ],
    [
      'Pointer',
      [
        `A click is shorter than ${gestures.clickMs} ms and moves less than ${gestures.clickPx} px; a drag moves more than ${gestures.dragPx} px; a long press lasts more than ${gestures.longPressMs} ms.`,
        `Two clicks within ${gestures.doubleClickMs} ms and ${gestures.doubleClickPx} px are a double click. Wheel events in one direction are one scroll, whatever the time between them. Paths and positions on the screen are never released.`,
      ],
    ],
    ['Texts', explainTexts(policy)],
  ];
  const text = sections.map(([title, sentences]) =>
    [title, ...sentences.map((sentence) => `  ${sentence}`)].join('\n'),
  );
  const columns = explainColumns(policy);
  const width = Math.max(...columns.map(([name]) => name.length));
  const table = columns.map(([name, meaning]) => `  ${name.padEnd(width)}  ${meaning}`);
  return [...text, ['Columns of the training table', ...table].join('\n')].join('\n\n') + '\n';
}

function explainTexts({ text, columns }: Policy): string[] {
  const free = FREE_COLUMNS.filter((column) => columns[column] === 'recognizers');
  const reviewed =
    'are cut into segments, digits become {n}, and a segment is kept only as the entry of the vocabulary that it matches; else a placeholder stands for it.';
  const counted =
    text.keepKinds.length === 0
      ? `Whatever recognisers find with a score from ${text.minScore} on is cut.`
      : `What recognisers find with a score from ${text.minScore} on is cut, but for these kinds: ${text.keepKinds.join(', ')}.`;
  return [
    ...(text.mode === 'vocabulary'
      ? [`Window titles, names of elements and addresses ${reviewed}`]
      : [
          `DETECTION ONLY in the columns ${listed(free)}: any text is kept there in which recognisers find nothing. What they miss is released: names above all. Numbers become {n}, addresses what the url column would hold.`,
          `Addresses and the texts of other columns ${reviewed}`,
        ]),
    counted,
    'What was typed or pasted in the session is cut from every later text, even where the vocabulary holds it. Values of elements and the clipboard are never released.',
  ];
}

/** Each column of the training table, in its order, with what this policy lets it hold. */
export function explainColumns(policy: Policy): (readonly [column: string, meaning: string])[] {
  const { columns } = policy;
  const unless = (off: boolean, meaning: string): string => (off ? 'empty: this policy does not release it' : meaning);
  const textBy = (rule: Policy['columns']['window'], reviewed: string): string =>
    unless(
      rule === 'none',
      rule === 'recognizers' ? 'ANY text but what recognisers find, numbers, addresses' : reviewed,
    );
  return [
    ['date', 'the UTC day of the session; nothing finer'],
    ['session', "the session's pseudonym: a keyed hash whose key is destroyed with its month"],
    ['subject', unless(columns.subject === 'none', "the person's pseudonym: a keyed hash, another one each month")],
    ['step', 'the order in the session, from 0; no times'],
    ['action', 'the kind of action'],
    ['app', textBy(columns.app, "the app's name, if the vocabulary holds it")],
    ['window', textBy(columns.window, 'the segments of the title that the vocabulary holds')],
    [
      'url',
      unless(columns.url === 'none', 'scheme, host and path template, if the vocabulary holds the host; never a query'),
    ],
    ['target_role', unless(columns.target_role === 'none', "the element's role, if the vocabulary holds it")],
    ['target', textBy(columns.target, "the segments of the element's name that the vocabulary holds")],
    ['key', unless(columns.key === 'none', 'a named key or shortcut that this policy lists')],
    ['button', unless(columns.button === 'none', 'the pointer button')],
    ['direction', unless(columns.direction === 'none', 'the direction of a scroll')],
    ['cell', unless(columns.cell === 'none', 'one of nine cells of the element; never a position on the screen')],
    [
      'pause',
      unless(columns.pause === 'none', 'how long the person waited, in four buckets: timing can re-identify people'),
    ],
    ['length', unless(columns.length === 'none', 'how much was typed, in five buckets; never for a protected field')],
    ['count', unless(columns.count === 'none', 'how often a key repeated or how far a scroll went, in five buckets')],
    ['policy', 'the digest of this policy'],
    ['schema', 'the version of these columns'],
  ];
}

/** The first 16 hex characters of a digest: enough to tell policies apart on a screen. */
export function shortDigest(digest: string): string {
  return digest.slice(0, 'sha256:'.length + 16);
}

const seconds = (n: number): string => (n === 1 ? '1 second' : `${n} seconds`);
const minutes = (n: number): string => (n === 1 ? '1 minute' : `${n} minutes`);
const listed = (names: readonly string[]): string => (names.length === 0 ? 'none' : names.join(', '));
const count = (names: readonly string[], one: string, many = `${one}s`): string =>
  names.length === 1 ? `1 ${one}` : `${names.length} ${many}`;
