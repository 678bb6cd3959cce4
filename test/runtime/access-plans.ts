/** Plans for tests, and what a plan lets each part do. */
import { kafkaSchema, type KafkaSettings, type Role } from '../../src/config-kafka.ts';
import { isAllowed, type Operation, type Resource, type ResourceType } from '../../src/log/kafka/acls.ts';
import { accessPlan, aclOf, type AccessPlan } from '../../src/runtime/access.ts';

/** A setting of the section `kafka`, as the config file has it. */
type Given = Readonly<Record<string, unknown>>;

export const TOPIC_SETTINGS = {
  partitions: 6,
  retentionDays: { raw: 7, sanitized: 90, quarantine: 30, audit: 3650 },
} as const;

export const kafkaSettings = (given: Given = {}): KafkaSettings =>
  kafkaSchema.parse({ brokers: ['127.0.0.1:9092'], ...given });

export const planOf = (given: Given = {}): AccessPlan =>
  accessPlan({ topics: TOPIC_SETTINGS, kafka: kafkaSettings(given) });

export const named = (type: ResourceType, name: string): Resource => ({ type, name, pattern: 'literal' });

/** Whether a cluster that denies by default and has the plan's entries lets a part do something. */
export function lets(plan: AccessPlan, role: Role, operation: Operation, resource: Resource): boolean {
  return isAllowed(plan.grants.map(aclOf), { principal: plan.principals[role], operation, resource });
}
