import type { AttackContext } from '../attack.ts';
import { roundsOf } from '../attacks/identification.ts';
import { partOf, TOKEN_PARTS, type OfficeSession } from '../data/office.ts';
import { MissingDataError } from '../data/tables.ts';
import type { Measure } from '../measure.ts';
import { nextActionAccuracy } from './next-action.ts';
import { keptTexts, type KeptTexts } from './texts.ts';

/** What the data are still good for. */
export interface Utility {
  readonly nextAction: { readonly raw: Measure; readonly released: readonly Measure[] };
  /** By policy; undefined, with the reason, when there are no real recordings. */
  readonly texts: readonly (readonly KeptTexts[])[] | undefined;
  readonly missing: string | undefined;
}

export async function measureUtility(context: AttackContext): Promise<Utility> {
  const office = await context.office();
  await context.tell('utility: next action');
  const rounds = roundsOf(context);
  const predicted = (tokensOf: (session: OfficeSession) => readonly string[]): Measure => {
    // More columns make rarer runs: whoever trains a model takes what serves best.
    const measured = TOKEN_PARTS.map((parts) => {
      const people = office.map(({ sessions }) =>
        sessions.map((session) => tokensOf(session).map((token) => partOf(token, parts))),
      );
      return nextActionAccuracy(people, context.seed, rounds);
    });
    return measured.reduce((best, one) => (one.value > best.value ? one : best));
  };
  const raw = predicted((session) => session.raw.tokens);
  const released = context.policies.map((_, i) => predicted((session) => session.released[i]?.tokens ?? []));
  await context.tell('utility: kept texts');
  try {
    return { nextAction: { raw, released }, texts: await keptTexts(context, context.policies), missing: undefined };
  } catch (error) {
    if (!(error instanceof MissingDataError)) throw error;
    return { nextAction: { raw, released }, texts: undefined, missing: error.message };
  }
}
