import type { Amount } from '../events/released.ts';

/** The bucket of an amount: how much was typed, how often something was repeated. */
export function amountOf(n: number): Amount {
  if (n < 4) return '<4';
  if (n < 16) return '<16';
  if (n < 64) return '<64';
  if (n < 256) return '<256';
  return 'more';
}
