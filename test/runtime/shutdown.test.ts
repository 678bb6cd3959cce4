import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { listenForShutdown, type Shutdown } from '../../src/runtime/shutdown.ts';

const SIGNALS = ['SIGTERM', 'SIGINT'] as const;

let shutdown: Shutdown | undefined;
let onFirst: ReturnType<typeof vi.fn<() => void>>;
let exit: { readonly mock: { readonly calls: unknown[][] } };
beforeEach(() => {
  vi.useFakeTimers();
  onFirst = vi.fn<() => void>();
  exit = vi.spyOn(process, 'exit').mockImplementation((() => undefined) as () => never);
});
afterEach(() => {
  shutdown?.dispose();
  vi.useRealTimers();
  vi.restoreAllMocks();
});

/** Gives it the signal, and nobody else in this process. */
function listen(letGo?: AbortSignal): (name: (typeof SIGNALS)[number]) => void {
  const before = new Map(SIGNALS.map((name) => [name, process.listeners(name)]));
  shutdown = listenForShutdown(onFirst, letGo);
  return (name) => {
    for (const added of process.listeners(name)) if (before.get(name)?.includes(added) !== true) added(name);
  };
}

describe('a stop', () => {
  it.each(SIGNALS)('by %s is asked for once, and has five seconds', (name) => {
    const send = listen();
    send(name);
    expect(shutdown?.signal.aborted).toBe(true);
    expect(onFirst).toHaveBeenCalledOnce();
    vi.advanceTimersByTime(4_999);
    expect(exit.mock.calls).toEqual([]);
    vi.advanceTimersByTime(1);
    expect(exit.mock.calls).toEqual([[130]]);
  });

  it('that is asked for by a second signal ends the process', () => {
    const send = listen();
    send('SIGINT');
    send('SIGTERM');
    expect(exit.mock.calls).toEqual([[130]]);
  });

  it.each(['before', 'after'])("of a worker that is let go %s the terminal's signal is one stop", (when) => {
    const controller = new AbortController();
    const send = listen(controller.signal);
    const both = [() => controller.abort(), () => send('SIGINT')];
    for (const act of when === 'before' ? both : both.toReversed()) act();
    expect(shutdown?.signal.aborted).toBe(true);
    expect(onFirst).toHaveBeenCalledOnce();
    expect(exit.mock.calls).toEqual([]);
    send('SIGINT');
    expect(exit.mock.calls).toEqual([[130]]);
  });

  it('of a worker that was let go before it listened comes at once', () => {
    listen(AbortSignal.abort());
    expect(shutdown?.signal.aborted).toBe(true);
    expect(onFirst).toHaveBeenCalledOnce();
  });
});
