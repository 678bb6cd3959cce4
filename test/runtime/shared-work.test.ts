import { describe, expect, it } from 'vitest';
import { shareWork } from '../../src/runtime/shared-work.ts';

/** Work that ends when it is told to. */
function controlled() {
  const begun: { about: string; signal: AbortSignal; end(answer: string): void }[] = [];
  const ask = shareWork(
    (about, signal) =>
      new Promise<string>((resolve, reject) => {
        begun.push({ about, signal, end: resolve });
        signal.addEventListener('abort', () => reject(new Error('stopped')));
      }),
  );
  return { begun, ask };
}

describe('shared work', () => {
  it('is done once for all who ask about the same meanwhile, and anew after that', async () => {
    const { begun, ask } = controlled();
    const answers = [ask('ana'), ask('ana'), ask('ben')];
    expect(begun.map(({ about }) => about)).toEqual(['ana', 'ben']);
    begun[0]?.end('first');
    begun[1]?.end('other');
    expect(await Promise.all(answers)).toEqual(['first', 'first', 'other']);
    const again = ask('ana');
    begun[2]?.end('second');
    expect(await again).toBe('second');
  });

  it('is stopped when all who asked have gone, and not before', async () => {
    const { begun, ask } = controlled();
    const [one, two] = [new AbortController(), new AbortController()];
    const answers = [ask('ana', one.signal), ask('ana', two.signal)];
    const ends = Promise.allSettled(answers);
    one.abort();
    expect(begun[0]?.signal.aborted).toBe(false);
    two.abort();
    expect(begun[0]?.signal.aborted).toBe(true);
    expect((await ends).map(({ status }) => status)).toEqual(['rejected', 'rejected']);
    const next = ask('ana');
    expect(begun).toHaveLength(2);
    begun[1]?.end('anew');
    expect(await next).toBe('anew');
  });

  it('goes on for who stays, and does not begin for who has gone', async () => {
    const { begun, ask } = controlled();
    const gone = new AbortController();
    const stays = ask('ana');
    const left = ask('ana', gone.signal);
    gone.abort();
    begun[0]?.end('there');
    expect(await Promise.all([stays, left])).toEqual(['there', 'there']);
    await expect(ask('ben', gone.signal)).rejects.toThrow('aborted');
    expect(begun).toHaveLength(1);
  });

  it('that fails is no longer under way', async () => {
    let tries = 0;
    const ask = shareWork(async () => {
      tries++;
      throw new Error('no');
    });
    await expect(ask('ana')).rejects.toThrow('no');
    await expect(ask('ana')).rejects.toThrow('no');
    expect(tries).toBe(2);
  });
});
