export type { Policy } from './policy/schema.ts';
