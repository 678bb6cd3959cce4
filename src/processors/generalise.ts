import { keep, type Processor } from '../events/outcome.ts';
import type { Bounds, PointerButton } from '../events/raw.ts';
import { CELLS, type Cell, type Pause, type ReleasedAction, type ReleasedButton } from '../events/released.ts';
import type { Policy } from '../privacy/policy.ts';
import { amountOf } from './amounts.ts';
import type { TextAction, TextBatch } from './stages.ts';

/** An action as it may be released, before it gets its place in the session. */
export type GeneralAction = Omit<ReleasedAction, 'step'> & {
  /** Raw events behind the action; for the counts only. */
  readonly events: number;
};

export interface GeneralBatch extends Omit<TextBatch, 'actions'> {
  readonly actions: readonly GeneralAction[];
}

export interface Generaliser {
  readonly process: Processor<TextBatch, GeneralBatch>;
}

/**
 * Replaces what is exact by what is coarse: positions by a cell of the element, amounts by buckets, time by nothing (or,
 * if the policy says so, by a bucket of the pause before). One instance a session, fed with its batches in order.
 */
export function generalise(tools: { readonly policy: Policy['columns'] }): Generaliser {
  const { policy } = tools;
  let lastAt: number | null = null;

  function generaliseAction(action: TextAction): GeneralAction {
    const pause = policy.pause === 'coarse' && lastAt !== null ? pauseOf(action.at - lastAt) : null;
    lastAt = action.at;
    const countable = action.action === 'scroll' || action.times > 1;
    return {
      action: action.action,
      app: action.app,
      window: action.window,
      url: action.url,
      target_role: action.target_role,
      target: action.target,
      key: policy.key === 'listed' ? action.key : null,
      button: policy.button === 'keep' ? buttonOf(action.button) : null,
      direction: policy.direction === 'keep' ? action.direction : null,
      cell: policy.cell === '3x3' ? cellOf(action.x, action.y, action.bounds) : null,
      pause,
      length: policy.length === 'bucket' ? action.length : null,
      count: policy.count === 'bucket' && countable ? amountOf(action.times) : null,
      events: action.events,
    };
  }

  return {
    process: (batch) => keep({ ...batch, actions: batch.actions.map(generaliseAction) }),
  };
}

function pauseOf(ms: number): Pause {
  if (ms < 1_000) return '<1s';
  if (ms < 5_000) return '<5s';
  if (ms < 30_000) return '<30s';
  return 'more';
}

function buttonOf(button: PointerButton | null): ReleasedButton | null {
  return button === 'back' || button === 'forward' ? 'other' : button;
}

/** Which ninth of the element was hit; null when it has no size or the point is outside it. */
function cellOf(x: number | null, y: number | null, bounds: Bounds | null): Cell | null {
  if (x === null || y === null || bounds === null || bounds.width <= 0 || bounds.height <= 0) return null;
  const column = Math.floor(((x - bounds.x) * 3) / bounds.width);
  const row = Math.floor(((y - bounds.y) * 3) / bounds.height);
  if (column < 0 || column > 2 || row < 0 || row > 2) return null;
  return CELLS[row * 3 + column] ?? null;
}
