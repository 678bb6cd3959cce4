import { describe, expect, it } from 'vitest';
import { inferSecrets, linkSources, singleOut, type Records } from '../../../src/proof/attacks/table-risks.ts';
import { recordOf, type Attributes } from '../../../src/proof/models/attributes.ts';
import { mean } from '../../../src/proof/statistics/intervals.ts';
import { Random } from '../../../src/producers/simulator/random.ts';
import { action } from '../../helpers/released.ts';

const random = new Random(1, 'records');

function record(): Attributes {
  const n = (): number => random.whole(0, 400);
  const word = (): string => random.pick(['alpha', 'beta', 'gamma', 'delta']);
  return {
    actions: n(),
    clicks: n(),
    typed: n(),
    scrolls: n(),
    shortcuts: n(),
    pressed: n(),
    clipboard: n(),
    edits: n(),
    away: random.whole(0, 3),
    apps: random.whole(1, 9),
    app: word(),
    second_app: word(),
    window: word(),
    role: word(),
    key: word(),
    modifier: word(),
    length: word(),
  };
}

const people = Array.from({ length: 40 }, record);
const others = Array.from({ length: 40 }, record);
const exact: Records = { released: people, originals: people, control: others };
const unrelated: Records = { released: Array.from({ length: 40 }, record), originals: people, control: others };

describe.each([
  ['singling out', singleOut, 0.3],
  ['linkability', linkSources, 0.9],
  ['inference', inferSecrets, 0.4],
])('%s', (_name, method, gap) => {
  it('succeeds where records are released as they are', () => {
    const { attack, control } = method.run(exact, new Random(2));
    expect(mean(attack) - mean(control)).toBeGreaterThan(gap);
  });

  it('succeeds no more often than on others where the release has nothing of the people', () => {
    const { attack, control } = method.run(unrelated, new Random(3));
    expect(Math.abs(mean(attack) - mean(control))).toBeLessThan(0.1);
  });

  it('gives shares', () => {
    const { attack, control } = method.run(exact, new Random(4));
    for (const share of [...attack, ...control]) {
      expect(share).toBeGreaterThanOrEqual(0);
      expect(share).toBeLessThanOrEqual(1);
    }
  });
});

it('a session’s record counts its actions and names the most frequent values', () => {
  const actions = [
    action(0, { action: 'focus', app: 'Excel', window: 'Home' }),
    action(1, { action: 'click', app: 'Excel', target_role: 'button' }),
    action(2, { action: 'type', app: 'Word', length: '<16' }),
    action(3, { action: 'shortcut', app: 'Excel', key: 'Ctrl+S' }),
    action(4, { action: 'drag', app: 'Word' }),
    action(5, { action: 'away' }),
  ];
  expect(recordOf(actions)).toEqual({
    actions: 6,
    clicks: 2,
    typed: 1,
    scrolls: 0,
    shortcuts: 1,
    pressed: 0,
    clipboard: 0,
    edits: 0,
    away: 1,
    apps: 2,
    app: 'Excel',
    second_app: 'Word',
    window: 'Home',
    role: 'button',
    key: 'Ctrl+S',
    modifier: 'Ctrl',
    length: '<16',
  });
});
