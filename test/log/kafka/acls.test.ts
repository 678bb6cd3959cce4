import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  covers,
  denies,
  EVERYBODY,
  includes,
  isAllowed,
  OPERATIONS,
  overlap,
  type Acl,
  type Operation,
  type Resource,
} from '../../../src/log/kafka/acls.ts';

const ANA = 'User:ana';
const topic = (name: string, pattern: Resource['pattern'] = 'literal'): Resource => ({ type: 'topic', name, pattern });
const allow = (operation: Operation, resource: Resource, more: Partial<Acl> = {}): Acl => ({
  principal: ANA,
  host: '*',
  permission: 'allow',
  operation,
  resource,
  ...more,
});
const may = (acls: readonly Acl[], operation: Operation, resource: Resource): boolean =>
  isAllowed(acls, { principal: ANA, operation, resource });

describe('an operation that is allowed', () => {
  // As Kafka's documentation lists what implies what.
  const implied: Readonly<Partial<Record<Operation, readonly Operation[]>>> = {
    describe: ['read', 'write', 'delete', 'alter'],
    describe_configs: ['alter_configs'],
  };
  const operations = Object.keys(OPERATIONS) as (keyof typeof OPERATIONS)[];

  it.each(operations)('%s: includes itself, and what comes with it, and nothing else', (given) => {
    for (const wanted of operations) {
      const expected = given === wanted || given === 'all' || (implied[wanted] ?? []).includes(given);
      expect(includes(given, wanted), `${given} for ${wanted}`).toBe(expected);
    }
  });
});

describe('a pattern of names', () => {
  it.each<[Resource, Resource, boolean]>([
    [topic('raw'), topic('raw'), true],
    [topic('raw'), topic('raw.a'), false],
    [topic('raw', 'prefixed'), topic('raw'), true],
    [topic('raw', 'prefixed'), topic('raw.a'), true],
    [topic('raw', 'prefixed'), topic('raw.', 'prefixed'), true],
    [topic('raw.', 'prefixed'), topic('raw', 'prefixed'), false],
    [topic('raw'), topic('raw', 'prefixed'), false],
    [topic('*'), topic('raw'), true],
    [topic('*'), topic('raw', 'prefixed'), true],
    [topic('*', 'prefixed'), topic('raw'), false],
    [{ ...topic('raw'), type: 'group' }, topic('raw'), false],
  ])('%o covers %o: %s', (pattern, resource, expected) => {
    expect(covers(pattern, resource)).toBe(expected);
  });

  it('has a name in common with another exactly if some name says so', () => {
    const part = fc.string({ unit: fc.constantFrom('a', 'b'), minLength: 1, maxLength: 3 });
    const resource = fc
      .tuple(part, fc.constantFrom<Resource['pattern'][]>('literal', 'prefixed'))
      .map((r) => topic(...r));
    fc.assert(
      fc.property(resource, resource, (a, b) => {
        const names = [a.name, b.name].map((name) => topic(name));
        expect(overlap(a, b)).toBe(names.some((name) => covers(a, name) && covers(b, name)));
      }),
    );
  });
});

describe('a user', () => {
  it('may do nothing without an entry', () => {
    expect(may([], 'describe', topic('raw'))).toBe(false);
  });

  it('may do what an entry for them or for everybody says, from anywhere', () => {
    expect(may([allow('read', topic('raw'))], 'read', topic('raw'))).toBe(true);
    expect(may([allow('read', topic('raw'), { principal: EVERYBODY })], 'read', topic('raw'))).toBe(true);
    expect(may([allow('read', topic('raw'), { principal: 'User:ben' })], 'read', topic('raw'))).toBe(false);
    expect(may([allow('read', topic('raw'), { host: '10.0.0.7' })], 'read', topic('raw'))).toBe(false);
  });

  it('may not do what is denied, whoever else allows it', () => {
    const deny: Acl = { ...allow('read', topic('r', 'prefixed')), permission: 'deny' };
    const acls = [allow('all', topic('*')), deny];
    expect(may(acls, 'read', topic('raw'))).toBe(false);
    expect(may(acls, 'write', topic('raw'))).toBe(true);
    expect(may(acls, 'read', topic('other'))).toBe(true);
    expect(may([allow('all', topic('*')), { ...deny, operation: 'all' }], 'write', topic('raw'))).toBe(false);
  });

  it('still sees what they may not read: a denial takes away no more than it names', () => {
    const deny: Acl = { ...allow('read', topic('raw')), permission: 'deny' };
    expect(denies(deny, { operation: 'describe', resource: topic('raw') })).toBe(false);
    expect(may([allow('read', topic('raw')), deny], 'describe', topic('raw'))).toBe(true);
  });
});
