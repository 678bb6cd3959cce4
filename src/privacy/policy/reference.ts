import * as z from 'zod';
import { policySchema } from './schema.ts';

/** The reference page of a policy's keys (docs/policy.md), from the schema that checks them. */
export function policyReference(): string {
  const root: unknown = z.toJSONSchema(policySchema);
  return `${INTRODUCTION}\n${describeKeys(root, '').join('\n')}\n`;
}

const INTRODUCTION = `# Policy keys

<!-- Made from src/privacy/policy/schema.ts: \`npx vitest run test/privacy/policy.test.ts -u\` writes it anew. -->

A policy is one YAML file. Every key below must be there: a rule that is not stated is an error, as are unknown keys,
keys that are there twice, aliases, and files above 256 KiB. \`redactory policy check FILE\` names file, line and column;
\`redactory policy explain FILE\` says in sentences what the policy does.

The policy's digest is the SHA-256 of its checked content, not of its comments or layout. Every released row carries it.

How contexts are judged: app names match with or without case, accents, \`.exe\`, a path in front or a version behind, and
also as a segment of the window title, as web apps show theirs. Hosts match however the address is written. An address that cannot be
understood is excluded, and so are extensions, data and script addresses and a browser's own pages except the few that
hold nothing of the person; a file on disk is judged by its app and title alone.
`;

/** The keys of a JSON schema of an object, as Markdown: a heading a section, a list entry a key. */
export function describeKeys(schema: unknown, prefix: string): string[] {
  const lines: string[] = [];
  const sections: string[] = [];
  for (const [name, rule] of Object.entries(part(schema, 'properties'))) {
    const path = prefix === '' ? name : `${prefix}.${name}`;
    if (Object.keys(part(rule, 'properties')).length > 0) {
      const keys = describeKeys(rule, path);
      // A section that holds sections only begins with the blank line before the first of them.
      sections.push('', `## ${path}`, '', text(rule, 'description'), ...(keys[0] === '' ? keys : ['', ...keys]));
    } else {
      lines.push(`- \`${path}\` (${describeType(rule)}): ${text(rule, 'description')}${describeDefault(rule)}`);
    }
  }
  // A key after a section's heading would read as one of that section.
  return [...lines, ...sections];
}

function describeDefault(rule: unknown): string {
  const value = get(rule, 'default');
  return value === undefined ? '' : ` Default: \`${typeof value === 'string' ? value : JSON.stringify(value)}\`.`;
}

function describeType(rule: unknown): string {
  const choices = get(rule, 'anyOf');
  if (Array.isArray(choices)) return choices.map(describeType).join(' or ');
  const values = get(rule, 'enum');
  if (Array.isArray(values)) return values.map((value) => `\`${String(value)}\``).join(' or ');
  const constant = get(rule, 'const');
  if (typeof constant === 'string') return `\`${constant}\``;
  switch (get(rule, 'type')) {
    case 'integer':
      return `whole number from ${String(get(rule, 'minimum'))} to ${String(get(rule, 'maximum'))}`;
    case 'number':
      return `number from ${String(get(rule, 'minimum'))} to ${String(get(rule, 'maximum'))}`;
    case 'null':
      return '`null`';
    case 'boolean':
      return '`true` or `false`';
    case 'array':
      return `list, at most ${String(get(rule, 'maxItems'))} entries`;
    default:
      return 'text';
  }
}

const get = (schema: unknown, key: string): unknown =>
  typeof schema === 'object' && schema !== null
    ? Object.entries(schema).find(([name]) => name === key)?.[1]
    : undefined;

function text(schema: unknown, key: string): string {
  const value = get(schema, key);
  return typeof value === 'string' ? value : '';
}

function part(schema: unknown, key: string): object {
  const value = get(schema, key);
  return typeof value === 'object' && value !== null ? value : {};
}
