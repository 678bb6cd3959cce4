/** Makes a cluster as it is planned: creates and repairs, never deletes, never shrinks. */
import type { KafkaAdmin } from '../log/kafka/admin.ts';
import { aclOf, type AccessPlan } from './access.ts';
import type { Change, ClusterState } from './access-difference.ts';

/** @throws LogAccessError when this identity may not look, LogUnavailableError */
export async function readState(admin: KafkaAdmin, plan: AccessPlan): Promise<ClusterState> {
  return { topics: await admin.topics(plan.topics.map(({ name }) => name)), acls: await admin.acls() };
}

/** Whether a change is made only by who says so: the cluster would delete records because of it. */
export function needsConsent(change: Change): boolean {
  return change.kind === 'set' && change.losesRecords;
}

/**
 * Makes these changes, topics first. What was made before an error stays; applying again goes on there.
 *
 * @throws LogAccessError, LogUnavailableError, KafkaAdminError
 */
export async function applyChanges(admin: KafkaAdmin, changes: readonly Change[]): Promise<void> {
  const settings = new Map<string, Record<string, string>>();
  for (const change of changes) {
    if (change.kind === 'create-topic') await admin.createTopic(change.topic);
    if (change.kind === 'add-partitions') await admin.addPartitions(change.topic, change.to);
    if (change.kind !== 'set') continue;
    settings.set(change.topic, { ...settings.get(change.topic), [change.setting]: change.to });
  }
  for (const [topic, values] of settings) await admin.set(topic, values);
  const acls = changes.flatMap((change) => (change.kind === 'add-acl' ? [aclOf(change.grant)] : []));
  if (acls.length > 0) await admin.addAcls(acls);
}
