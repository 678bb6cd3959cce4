/** From the text of a policy file to a checked policy. Pure: no file, no digest of the vocabulary's content. */
import { LineCounter, type Document, type YAMLError, isMap, isScalar, parseDocument, visit } from 'yaml';
import * as z from 'zod';
import { PolicyError, type PolicyIssue } from './error.ts';
import { nearest } from './nearest.ts';
import { policySchema } from './schema.ts';

/** The policy as its file says it: checked, without the digest. */
export type PolicyFile = z.output<typeof policySchema>;

/** Where parts of the file are, for errors that are found after the check. */
export interface CheckedPolicy {
  readonly rules: PolicyFile;
  /** Position of the value at `path`. */
  readonly place: (path: readonly PropertyKey[]) => { readonly line: number; readonly column: number };
}

/**
 * Parses and checks the text of a policy file; `file` is its name in errors.
 *
 * @throws {PolicyError} listing everything that is wrong, each with line and column.
 */
export function checkPolicy(source: string, file: string): CheckedPolicy {
  const { value, place } = checkYaml(source, {
    schema: policySchema,
    whole: 'the policy',
    missing: 'missing rule',
    fail: (issues) => new PolicyError(file, issues),
  });
  return { rules: value, place };
}

/** What a YAML file must hold, and how its mistakes are reported. */
export interface YamlContract<S extends z.ZodObject> {
  readonly schema: S;
  /** What the file as a whole is called in messages. */
  readonly whole: string;
  /** How a value that must be there and is not is called. */
  readonly missing: string;
  /**
   * Which texts messages may repeat: all, or only what was meant as one of a closed list of words. A password may stand in any
   * other, such as an address. Unset: all.
   */
  readonly repeats?: 'all' | 'choices';
  readonly fail: (issues: readonly PolicyIssue[]) => Error;
}

/**
 * Parses a YAML file and checks it against a schema.
 *
 * @throws what `fail` makes of the list of everything that is wrong, each with line and column.
 */
export function checkYaml<S extends z.ZodObject>(
  source: string,
  contract: YamlContract<S>,
): { readonly value: z.output<S>; readonly place: CheckedPolicy['place'] } {
  const lines = new LineCounter();
  const document = parse(source, lines, contract.fail);
  const places = new Places(document, lines);
  const result = contract.schema.safeParse(document.toJS({ maxAliasCount: 0 }) ?? {}, { reportInput: true });
  if (!result.success) throw contract.fail(result.error.issues.flatMap((issue) => describe(issue, places, contract)));
  return { value: result.data, place: (path) => places.ofValue(path) };
}

function parse(source: string, lines: LineCounter, fail: (issues: readonly PolicyIssue[]) => Error): Document {
  let document: Document;
  try {
    document = parseDocument(source, {
      lineCounter: lines,
      uniqueKeys: true,
      strict: true,
      prettyErrors: false,
      stringKeys: true,
    });
  } catch {
    // The parser recurses: brackets nested thousands deep end here.
    throw fail([{ line: 1, column: 1, message: 'cannot be read as YAML: it is nested too deeply' }]);
  }
  const problems = [...document.errors, ...document.warnings];
  if (problems.length > 0) throw fail(problems.map((problem) => describeSyntax(problem, lines)));
  const aliases = findAliases(document, lines);
  if (aliases.length > 0) throw fail(aliases);
  return document;
}

function describeSyntax(problem: YAMLError, lines: LineCounter): PolicyIssue {
  const { line, col } = lines.linePos(problem.pos[0]);
  const reason =
    problem.code === 'DUPLICATE_KEY'
      ? 'this key is here twice: keep one of them'
      : `is not valid YAML (${syntaxReason(problem)})`;
  return { line, column: col, message: reason };
}

/** The parser's reason, without the excerpt of the file that some of them quote. */
const syntaxReason = (problem: YAMLError): string => problem.code.toLowerCase().replaceAll('_', ' ');

/** An alias lets a short file unfold into a huge one, and a reviewer would have to unfold it: none are accepted. */
function findAliases(document: Document, lines: LineCounter): PolicyIssue[] {
  const issues: PolicyIssue[] = [];
  visit(document, {
    Alias(_key, node) {
      const { line, col } = lines.linePos(node.range?.[0] ?? 0);
      issues.push({
        line,
        column: col,
        message: 'is an alias: write the value out, so that it can be reviewed in place',
      });
    },
  });
  return issues;
}

/** Turns paths into the document to positions in the file. */
class Places {
  readonly #document: Document;
  readonly #lines: LineCounter;

  constructor(document: Document, lines: LineCounter) {
    this.#document = document;
    this.#lines = lines;
  }

  /** Of the value at `path`, or of the nearest part around it that exists. */
  ofValue(path: readonly PropertyKey[]): { line: number; column: number } {
    for (let length = path.length; length > 0; length--) {
      const offset = rangeStart(this.#document.getIn(path.slice(0, length), true));
      if (offset !== undefined) return this.#at(offset);
    }
    return this.#at(rangeStart(this.#document.contents) ?? 0);
  }

  /** Of the key `key` in the map at `path`. */
  ofKey(path: readonly PropertyKey[], key: PropertyKey): { line: number; column: number } {
    const map = path.length === 0 ? this.#document.contents : this.#document.getIn(path, true);
    if (isMap(map)) {
      const pair = map.items.find((item) => isScalar(item.key) && item.key.value === key);
      const offset = rangeStart(pair?.key);
      if (offset !== undefined) return this.#at(offset);
    }
    return this.ofValue(path);
  }

  #at(offset: number): { line: number; column: number } {
    const { line, col } = this.#lines.linePos(offset);
    return { line, column: col };
  }
}

function rangeStart(node: unknown): number | undefined {
  if (typeof node !== 'object' || node === null || !('range' in node) || !Array.isArray(node.range)) return undefined;
  const start: unknown = node.range[0];
  return typeof start === 'number' ? start : undefined;
}

/** A schema issue in words, at its place. Unknown keys come several to an issue. */
function describe(issue: z.core.$ZodIssue, places: Places, contract: YamlContract<z.ZodObject>): PolicyIssue[] {
  const path = issue.path;
  const name = path.length === 0 ? contract.whole : pathName(path);
  if (issue.code === 'unrecognized_keys') {
    const known = knownKeys(contract.schema, path);
    return issue.keys.map((key) => ({
      ...places.ofKey(path, key),
      message: `unknown key ${isRepeatable(key, contract) ? quoted(key) : '(not a name)'}${path.length === 0 ? '' : ` in ${name}`}${suggestion(key, known)}`,
    }));
  }
  // A missing value has no place of its own: say where its section starts.
  const last = path.at(-1);
  if (last !== undefined && issue.code !== 'custom' && valueAt(issue) === undefined) {
    const parent = path.slice(0, -1);
    const grandparent = parent.slice(0, -1);
    const section = parent.at(-1);
    const place = section === undefined ? places.ofValue([]) : places.ofKey(grandparent, section);
    return [{ ...place, message: `${contract.missing} ${name}: every rule must be stated, there are no defaults` }];
  }
  return [{ ...places.ofValue(path), message: describeValue(issue, name, contract) }];
}

/** A key may be repeated where it is a word; `{user:password}` is a key as well. */
const isRepeatable = (key: string, { repeats }: YamlContract<z.ZodObject>): boolean =>
  repeats !== 'choices' || /^[a-z][\w-]*$/iu.test(key);

function describeValue(issue: z.core.$ZodIssue, name: string, { repeats }: YamlContract<z.ZodObject>): string {
  const value = valueAt(issue);
  const mayRepeat = repeats !== 'choices' || issue.code === 'invalid_value';
  const text = typeof value === 'string' && mayRepeat ? quoted(value) : undefined;
  const given = typeof value === 'number' ? String(value) : text;
  if (issue.code === 'invalid_value') {
    const values = issue.values.map(String);
    const near = typeof value === 'string' && values.length > 1 ? suggestion(value, values) : '';
    const expected = values.length === 1 ? `must be ${values[0] ?? ''}` : `must be one of ${values.join(', ')}`;
    return `${name} ${expected}${given === undefined ? '' : `, not ${given}`}${near}`;
  }
  if (issue.code === 'invalid_type')
    return `${name} must be ${EXPECTED[issue.expected] ?? issue.expected}, not ${describeType(value)}`;
  if (issue.code === 'too_small' || issue.code === 'too_big') return `${name} ${describeBound(issue)}`;
  return `${name}${given === undefined ? '' : ` (${given})`} ${issue.message}`;
}

function describeBound(issue: z.core.$ZodIssueTooSmall | z.core.$ZodIssueTooBig): string {
  const bound = issue.code === 'too_small' ? `at least ${issue.minimum}` : `at most ${issue.maximum}`;
  if (issue.origin === 'string') return `must have ${bound} characters`;
  if (issue.origin === 'array') return `must have ${bound} entries`;
  return `must be ${bound}`;
}

/** Zod puts the offending value into issues when it is asked to report input; absent means that the key is missing. */
const valueAt = (issue: z.core.$ZodIssue): unknown => issue.input;

const EXPECTED: Readonly<Record<string, string>> = {
  string: 'a text',
  int: 'a whole number',
  number: 'a number',
  array: 'a list',
  object: 'a section of keys',
  boolean: 'true or false',
};

function describeType(value: unknown): string {
  if (value === null) return 'empty';
  if (Array.isArray(value)) return 'a list';
  if (typeof value === 'object') return 'a section of keys';
  if (typeof value === 'string') return 'a text';
  if (typeof value === 'number') return `the number ${value}`;
  return typeof value;
}

/** The keys that the schema knows in the section at `path`. */
function knownKeys(schema: z.ZodObject, path: readonly PropertyKey[]): readonly string[] {
  let shape: Readonly<Record<string, unknown>> = schema.shape;
  for (const key of path) {
    const section = unwrapped(shape[String(key)]);
    if (typeof section !== 'object' || section === null || !('shape' in section)) return [];
    if (typeof section.shape !== 'object' || section.shape === null) return [];
    shape = Object.fromEntries(Object.entries(section.shape));
  }
  return Object.keys(shape);
}

/** A section that may be left out is wrapped by what stands in for it. */
function unwrapped(schema: unknown): unknown {
  const isWrapped =
    schema instanceof z.ZodPrefault || schema instanceof z.ZodDefault || schema instanceof z.ZodOptional;
  return isWrapped ? unwrapped(schema.unwrap()) : schema;
}

function suggestion(name: string, known: readonly string[]): string {
  const near = nearest(name, known);
  if (near !== undefined) return `; did you mean ${near}?`;
  return known.length === 0 ? '' : `; known: ${known.join(', ')}`;
}

const quoted = (text: string): string => JSON.stringify(text.length > 60 ? `${text.slice(0, 60)}…` : text);

const pathName = (path: readonly PropertyKey[]): string =>
  path.reduce<string>(
    (name, key) => (typeof key === 'number' ? `${name}[${key}]` : name === '' ? String(key) : `${name}.${String(key)}`),
    '',
  );
