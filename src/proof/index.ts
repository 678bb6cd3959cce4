export { loadPolicyUnderTest, OPTIONS, type PolicyUnderTest } from './policies.ts';
export { ATTACKS, runAttacks, type AttackReport, type ProofOptions, type ProofReport } from './run.ts';
export { describeReport, markdownSection, objections, reportJson } from './report.ts';
