/** Made-up recordings for tests: a script of what a person does becomes raw events, cut into batches as a test needs. */
import type {
  CaptureBatch,
  CapturePayload,
  ClipboardOp,
  Context,
  PointerButton,
  RawEvent,
  UiElement,
} from '../../src/events/raw.ts';
import type { OpenedBatch } from '../../src/processors/stages.ts';

export const START = Date.UTC(2025, 2, 14, 9, 30);

export const context = (partial: Partial<Context> = {}): Context => ({
  app: 'Word',
  title: 'Home - Word',
  url: '',
  private: false,
  ...partial,
});

export const element = (partial: Partial<UiElement> = {}): UiElement => ({
  role: 'textbox',
  name: 'Search',
  value: '',
  secure: false,
  bounds: { x: 100, y: 100, width: 300, height: 30 },
  ...partial,
});

type WithoutPlace<E> = E extends RawEvent ? Omit<E, 'context' | 'element'> : never;

/** A raw event with its place beside it. */
export interface Placed {
  readonly event: WithoutPlace<RawEvent>;
  readonly context: Context | null;
  readonly element: UiElement | null;
}

/** Writes down events one by one; each comes `stepMs` after the one before. */
export class Script {
  readonly events: Placed[] = [];
  at: number;
  stepMs: number;
  context: Context | null;
  element: UiElement | null;

  constructor(start: Partial<Pick<Script, 'at' | 'stepMs' | 'context' | 'element'>> = {}) {
    this.at = start.at ?? START;
    this.stepMs = start.stepMs ?? 100;
    this.context = start.context === undefined ? context() : start.context;
    this.element = start.element === undefined ? element() : start.element;
  }

  in(context: Context | null, element: UiElement | null = this.element): this {
    this.context = context;
    this.element = element;
    return this;
  }
  on(element: UiElement | null): this {
    this.element = element;
    return this;
  }
  wait(ms: number): this {
    this.at += ms;
    return this;
  }
  add(event: DistributiveOmit<WithoutPlace<RawEvent>, 'at'>): this {
    this.events.push({ event: { ...event, at: this.at }, context: this.context, element: this.element });
    this.at += this.stepMs;
    return this;
  }

  down(key: string, code = ''): this {
    return this.add({ kind: 'key_down', key, code });
  }
  up(key: string, code = ''): this {
    return this.add({ kind: 'key_up', key, code });
  }
  key(key: string, code = ''): this {
    return this.down(key, code).up(key, code);
  }
  /** Presses the last of the keys while the others are held. */
  chord(...keys: readonly string[]): this {
    const last = keys.at(-1) ?? '';
    for (const held of keys.slice(0, -1)) this.down(held);
    this.key(last);
    for (const held of keys.slice(0, -1)) this.up(held);
    return this;
  }
  type(text: string): this {
    for (const sign of text) this.key(sign);
    return this;
  }
  compose(text: string): this {
    return this.add({ kind: 'composition', text });
  }
  move(x: number, y: number): this {
    return this.add({ kind: 'pointer_move', x, y });
  }
  press(x = 110, y = 110, button: PointerButton = 'left'): this {
    return this.add({ kind: 'pointer_down', x, y, button });
  }
  lift(x = 110, y = 110, button: PointerButton = 'left'): this {
    return this.add({ kind: 'pointer_up', x, y, button });
  }
  click(x = 110, y = 110, button: PointerButton = 'left'): this {
    return this.press(x, y, button).lift(x, y, button);
  }
  wheel(dy: number, dx = 0): this {
    return this.add({ kind: 'wheel', dx, dy });
  }
  focus(): this {
    return this.add({ kind: 'focus' });
  }
  navigate(): this {
    return this.add({ kind: 'navigate' });
  }
  clipboard(op: ClipboardOp, text: string): this {
    return this.add({ kind: 'clipboard', op, text });
  }
  edit(value: string): this {
    return this.add({ kind: 'value_change', value });
  }
  end(): this {
    return this.add({ kind: 'session_end' });
  }
}

type DistributiveOmit<E, K extends PropertyKey> = E extends unknown ? Omit<E, K> : never;

export const script = (start?: ConstructorParameters<typeof Script>[0]): Script => new Script(start);

/** A payload that stands alone: its tables hold what its events need. */
export function payloadOf(
  placed: readonly Placed[],
  who: Partial<Pick<CapturePayload, 'subject' | 'device'>> = {},
): CapturePayload {
  const contexts: Context[] = [];
  const elements: UiElement[] = [];
  const indexIn = <T>(table: T[], item: T | null): number => {
    if (item === null) return -1;
    const known = table.indexOf(item);
    return known === -1 ? table.push(item) - 1 : known;
  };
  const events = placed.map(({ event, context, element }): RawEvent => {
    const place = { context: indexIn(contexts, context), element: indexIn(elements, element) };
    return { ...event, ...place };
  });
  return { subject: who.subject ?? 'ann@example.com', device: who.device ?? 'laptop', contexts, elements, events };
}

/** Cuts a session before each of the given positions. */
export function cut(placed: readonly Placed[], cuts: readonly number[] = []): Placed[][] {
  const edges = [0, ...[...cuts].sort((a, b) => a - b), placed.length];
  return edges.slice(1).map((to, i) => placed.slice(edges[i], to));
}

/** An opened batch as the processors after `openBatch` take it. */
export function opened(placed: readonly Placed[], partial: Partial<CaptureBatch> = {}): OpenedBatch {
  return {
    key: 'key-of-ann',
    session: 'session-1',
    sequence: 0,
    grantedAt: START,
    receivedAt: START + 5_000,
    dropped: {},
    ...payloadOf(placed),
    ...partial,
  };
}
