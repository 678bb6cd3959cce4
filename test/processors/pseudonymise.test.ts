import { describe, expect, it } from 'vitest';
import type { KeyPurpose } from '../../src/events/control.ts';
import { pseudonymise } from '../../src/processors/pseudonymise.ts';
import type { GeneralAction, GeneralBatch } from '../../src/processors/generalise.ts';
import { policyWith } from '../helpers/line.ts';
import { opened } from '../helpers/recording.ts';
import { action } from '../helpers/released.ts';

const { step: _step, ...BARE } = action(0);
const behind = (events: number): GeneralAction => ({ ...BARE, events });
const general = (partial: Partial<GeneralBatch> = {}): GeneralBatch => ({
  ...opened([]),
  actions: [behind(2), behind(3)],
  ...partial,
});

type State = 'active' | 'destroyed' | 'missing';
function processor(subject: 'none' | 'pseudonym', states: Partial<Record<KeyPurpose, State>> = {}, stretch = 0) {
  const asked: string[] = [];
  const state = (purpose: KeyPurpose): State => states[purpose] ?? 'active';
  const keyring = {
    state,
    pseudonym(purpose: KeyPurpose, epoch: string, value: string) {
      asked.push(`${purpose} ${epoch} ${value}`);
      return state(purpose) === 'active' ? `${purpose} pseudonym` : undefined;
    },
  };
  const process = pseudonymise({
    policy: policyWith({ columns: { subject } }),
    keyring,
    placeFor: () => ({ stretch, step: 41 }),
  });
  return { process, asked };
}

describe('pseudonymise', () => {
  it('numbers actions, counts their events, and takes both off', () => {
    expect(processor('none').process(general())).toMatchObject({
      kind: 'keep',
      batch: { fields: { actions: [action(41), action(42)] }, events: 5 },
    });
  });

  it('names the session under the key of its month, and the person only where the policy says so', () => {
    const batch = general({
      grantedAt: Date.UTC(2025, 1, 28, 23, 59, 59, 999),
      subject: 'Ann',
      key: 'k',
      session: 's',
    });
    const name = `session 2025-02 k/s/${batch.grantedAt}`;
    const [strict, balanced] = [processor('none'), processor('pseudonym')];
    expect(strict.process(batch)).toMatchObject({ batch: { fields: { session: 'session pseudonym', subject: null } } });
    expect(strict.asked).toEqual([name]);
    expect(balanced.process(batch)).toMatchObject({ batch: { fields: { subject: 'subject pseudonym' } } });
    expect(balanced.asked).toEqual([name, 'subject 2025-02 Ann']);
  });

  it('names a later stretch of the session by another name', () => {
    const later = processor('none', {}, 3);
    later.process(general({ grantedAt: 0, key: 'k', session: 's' }));
    expect(later.asked).toEqual(['session 1970-01 k/s/0/3']);
  });

  it.each([
    [Date.UTC(2025, 1, 28, 23, 59, 59, 999), 20_147],
    [Date.UTC(2025, 2, 1), 20_148],
    [0, 0],
  ])('tells of the time %i only the day', (grantedAt, day) => {
    expect(processor('none').process(general({ grantedAt }))).toMatchObject({ batch: { fields: { day } } });
  });

  it.each<[string, 'none' | 'pseudonym', Partial<Record<KeyPurpose, State>>, object]>([
    ['missing', 'none', { session: 'missing' }, { kind: 'quarantine', reason: 'key_missing' }],
    ['destroyed', 'none', { session: 'destroyed' }, { kind: 'drop', reason: 'key_destroyed' }],
    ['of the subject missing', 'pseudonym', { subject: 'missing' }, { kind: 'quarantine', reason: 'key_missing' }],
    ['of the subject destroyed', 'pseudonym', { subject: 'destroyed' }, { kind: 'drop', reason: 'key_destroyed' }],
  ])('releases nothing when a key is %s', (_what, subject, states, outcome) => {
    expect(processor(subject, states).process(general())).toEqual(outcome);
  });
});
