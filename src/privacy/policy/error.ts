/** One thing wrong with a policy file, with its place in the file (line and column from 1). */
export interface PolicyIssue {
  readonly line: number;
  readonly column: number;
  readonly message: string;
}

/** A policy (or the vocabulary that it pins) cannot be used. The message names file, line, column and what to do. */
export class PolicyError extends Error {
  readonly file: string;
  readonly issues: readonly PolicyIssue[];

  constructor(file: string, issues: readonly PolicyIssue[]) {
    const sorted = issues.toSorted((a, b) => a.line - b.line || a.column - b.column);
    const shown = sorted.slice(0, MAX_SHOWN).map((issue) => `${file}:${issue.line}:${issue.column}: ${issue.message}`);
    if (sorted.length > MAX_SHOWN) shown.push(`and ${sorted.length - MAX_SHOWN} more`);
    super(shown.join('\n'));
    this.name = 'PolicyError';
    this.file = file;
    this.issues = sorted;
  }
}

const MAX_SHOWN = 20;
