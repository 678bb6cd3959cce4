/** Access control lists as Kafka's standard authorizer judges them: who may do what with which resource. */

/** Codes of Kafka's protocol, by name. */
export const OPERATIONS = {
  all: 2,
  read: 3,
  write: 4,
  create: 5,
  delete: 6,
  alter: 7,
  describe: 8,
  cluster_action: 9,
  describe_configs: 10,
  alter_configs: 11,
  idempotent_write: 12,
} as const;
/** `other`: one that is newer than this program. */
export type Operation = keyof typeof OPERATIONS | 'other';

export const RESOURCE_TYPES = { topic: 2, group: 3, cluster: 4, transactional_id: 5 } as const;
export type ResourceType = keyof typeof RESOURCE_TYPES | 'other';

/** One resource, or with `prefixed` all whose names begin so. The literal name `*` stands for all of the type. */
export interface Resource {
  readonly type: ResourceType;
  readonly name: string;
  readonly pattern: 'literal' | 'prefixed';
}

export interface Acl {
  /** `User:name`; `User:*` is everybody. */
  readonly principal: string;
  /** An address, or `*`. */
  readonly host: string;
  readonly permission: 'allow' | 'deny';
  readonly operation: Operation;
  readonly resource: Resource;
}

/** The one resource of the type `cluster`. */
export const CLUSTER: Resource = { type: 'cluster', name: 'kafka-cluster', pattern: 'literal' };

/** Whether permission to do `given` permits `wanted` as well. Source: org.apache.kafka.metadata.authorizer.StandardAuthorizerData */
export function includes(given: Operation, wanted: Operation): boolean {
  if (given === wanted || given === 'all') return true;
  if (wanted === 'describe') return ['read', 'write', 'delete', 'alter'].includes(given);
  return wanted === 'describe_configs' && given === 'alter_configs';
}

/** Whether `pattern` holds for every name that `resource` stands for. */
export function covers(pattern: Resource, resource: Resource): boolean {
  if (pattern.type !== resource.type) return false;
  if (pattern.pattern === 'prefixed') return resource.name.startsWith(pattern.name);
  return pattern.name === '*' || (resource.pattern === 'literal' && pattern.name === resource.name);
}

/** Whether there is a name that both stand for. */
export function overlap(a: Resource, b: Resource): boolean {
  return covers(a, b) || covers(b, a);
}

/** Whether the lists let this principal do it with all of the resource, from any host: denied unless allowed, and a denial wins. */
export function isAllowed(
  acls: readonly Acl[],
  wanted: { readonly principal: string; readonly operation: Operation; readonly resource: Resource },
): boolean {
  const own = acls.filter(({ principal }) => principal === wanted.principal || principal === EVERYBODY);
  const denied = own.some((acl) => acl.permission === 'deny' && denies(acl, wanted));
  return (
    !denied &&
    own.some(
      (acl) =>
        acl.permission === 'allow' &&
        acl.host === '*' &&
        includes(acl.operation, wanted.operation) &&
        covers(acl.resource, wanted.resource),
    )
  );
}

/** Whether a denying entry takes some of the operation away. What is denied does not imply that more is. */
export function denies(acl: Acl, wanted: { readonly operation: Operation; readonly resource: Resource }): boolean {
  return (acl.operation === 'all' || acl.operation === wanted.operation) && overlap(acl.resource, wanted.resource);
}

export const EVERYBODY = 'User:*';
