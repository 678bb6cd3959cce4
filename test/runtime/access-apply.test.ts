import { describe, expect, it } from 'vitest';
import type { KafkaAdmin } from '../../src/log/kafka/admin.ts';
import { aclOf } from '../../src/runtime/access.ts';
import { applyChanges, needsConsent, readState } from '../../src/runtime/access-apply.ts';
import { difference, type Change } from '../../src/runtime/access-difference.ts';
import { planOf } from './access-plans.ts';

const plan = planOf();
const set = (topic: string, setting: string, to: string, losesRecords = false): Change => ({
  kind: 'set',
  topic,
  setting,
  from: '1',
  to,
  losesRecords,
});

/** An administration that writes down what it is asked to do. */
function recorder(): { readonly admin: KafkaAdmin; readonly done: unknown[] } {
  const done: unknown[] = [];
  const admin: KafkaAdmin = {
    topics: async () => [],
    createTopic: async ({ name, partitions }) => void done.push(['create', name, partitions]),
    addPartitions: async (topic, count) => void done.push(['partitions', topic, count]),
    set: async (topic, settings) => void done.push(['set', topic, settings]),
    acls: async () => [],
    addAcls: async (acls) => void done.push(['acls', acls]),
    close: () => {},
  };
  return { admin, done };
}

describe('applying changes', () => {
  it('makes topics first, then settings in one request a topic, then all ACLs in one', async () => {
    const { admin, done } = recorder();
    const [grant, other] = plan.grants;
    const [topic] = plan.topics;
    if (grant === undefined || other === undefined || topic === undefined) throw new Error('the plan is empty');
    await applyChanges(admin, [
      { kind: 'add-acl', grant },
      set('a', 'retention.ms', '5'),
      { kind: 'create-topic', topic },
      set('b', 'retention.ms', '6'),
      { kind: 'add-partitions', topic: 'a', from: 2, to: 4 },
      { kind: 'add-acl', grant: other },
      set('a', 'max.message.bytes', '7'),
    ]);
    expect(done).toEqual([
      ['create', topic.name, topic.partitions],
      ['partitions', 'a', 4],
      ['set', 'a', { 'retention.ms': '5', 'max.message.bytes': '7' }],
      ['set', 'b', { 'retention.ms': '6' }],
      ['acls', [aclOf(grant), aclOf(other)]],
    ]);
  });

  it('asks nothing of the cluster when there is nothing to do', async () => {
    const { admin, done } = recorder();
    await applyChanges(admin, []);
    expect(done).toEqual([]);
  });

  it('makes all of an empty cluster', async () => {
    const { admin, done } = recorder();
    await applyChanges(admin, difference(plan, await readState(admin, plan)).changes);
    expect(done).toHaveLength(plan.topics.length + 1);
  });

  it('needs a yes for what deletes records and for nothing else', () => {
    expect(needsConsent(set('a', 'retention.ms', '5', true))).toBe(true);
    expect(needsConsent(set('a', 'retention.ms', '5'))).toBe(false);
    for (const change of difference(plan, { topics: [], acls: [] }).changes) expect(needsConsent(change)).toBe(false);
  });
});
