import { describe, expect, it } from 'vitest';
import { createCodec } from '../../src/events/codec.ts';
import { DEFAULT_LIMITS } from '../../src/events/limits.ts';
import { isTooLarge, MAX_RELEASED_BYTES } from '../../src/events/released-size.ts';
import type { ReleasedAction } from '../../src/events/released.ts';
import { loadContracts, schemaIds } from '../../src/events/schemas.ts';
import { loadZstd } from '../../src/events/zstd.ts';
import { MAX_MESSAGE_BYTES } from '../../src/log/kafka/topics.ts';
import { action, asReleased, fields } from '../helpers/released.ts';

const codec = createCodec({ zstd: await loadZstd(), schemas: schemaIds(loadContracts()), limits: DEFAULT_LIMITS });

const encoded = (actions: readonly ReleasedAction[]): number =>
  codec.encodeReleased(asReleased(fields({ actions }))).length;

const KINDS: readonly (readonly [string, Partial<ReleasedAction>])[] = [
  ['that say little', {}],
  [
    'in a place with a name',
    { app: 'Word', window: 'Home - Word', url: 'https://docs.example.com/{n}', target: 'Save' },
  ],
  ['in a place with a name in another script', { app: '文字处理软件', window: '文件 - 文字处理软件', target: '保存' }],
];

describe.each(KINDS)('a batch of actions %s', (_, given) => {
  /** The most that are let through. */
  function most(): number {
    let [low, high] = [1, 1_000_000];
    while (high - low > 1) {
      const middle = (low + high) >> 1;
      if (isTooLarge({ actions: Array.from({ length: middle }, (__, i) => action(i, given)) })) high = middle;
      else low = middle;
    }
    return low;
  }

  it('is let through as long as the topic takes it', () => {
    const size = encoded(
      Array.from({ length: Math.min(most(), DEFAULT_LIMITS.maxEvents) }, (__, i) => action(i, given)),
    );
    expect(size).toBeLessThanOrEqual(MAX_RELEASED_BYTES);
    // What says little is small, however many: not refused for nothing.
    expect(size).toBeGreaterThan(MAX_RELEASED_BYTES / 3);
  });
});

it('leaves room for what surrounds a record', () => {
  expect(MAX_MESSAGE_BYTES - MAX_RELEASED_BYTES).toBeGreaterThan(65_536);
});
