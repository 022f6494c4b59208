import { SeededRng } from '@core/base';
import { expect, test } from 'vitest';
import type { Buf } from '../src/index.js';
import { BlockIndex } from '../src/internal/block-index.js';
import type { FileState } from '../src/internal/file-state.js';

test.each([1, 2, 3])('the index against a Map, seed %i', (seed) => {
  const rng = new SeededRng(seed);
  const files = [1, 2, 3].map((id) => ({ id }) as FileState);
  const index = new BlockIndex();
  const model = new Map<string, Buf>();
  for (let step = 0; step < 3000; step++) {
    const file = rng.pick(files);
    // Blocks that are close together, and some that need more than 32 bits.
    const block = rng.below(120) + (rng.below(3) === 0 ? 2 ** 40 : 0);
    const key = `${file.id}:${block}`;
    const known = model.get(key);
    expect(index.find(file, block)).toBe(known ?? null);
    if (known === undefined) {
      const buf = { file, block } as Buf;
      index.insert(buf);
      model.set(key, buf);
    } else {
      index.delete(known);
      model.delete(key);
    }
    expect(index.count).toBe(model.size);
    if (step % 100 === 0) {
      index.checkInvariants();
    }
  }
  expect(() => index.delete({ file: files[0], block: 7777 } as Buf)).toThrow('not in it');
});
