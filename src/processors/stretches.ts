/** Where in the released form of a session an action stands: in which stretch, and at which step of it. Both from 0. */
export interface Place {
  readonly stretch: number;
  readonly step: number;
}

export const BEGINNING: Place = { stretch: 0, step: 0 };

/**
 * Where the next batch of `actions` begins, if `place` is where the last one ended. A batch that does not fit into what
 * is left of a stretch begins another one, whose pseudonym nothing links to the one before: else the number of actions in
 * a session would tell how somebody works. A batch has one pseudonym, so one of more than `maxActions` is a stretch of
 * its own.
 */
export function placeFor(actions: number, place: Place, maxActions: number): Place {
  const fits = place.step === 0 || place.step + actions <= maxActions;
  return fits ? place : { stretch: place.stretch + 1, step: 0 };
}
