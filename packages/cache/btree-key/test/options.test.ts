import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { SeededRng } from '@core/base';
import { MemoryDisk, MemoryStore } from '@core/ordered-store';
import { describe, expect, test } from 'vitest';
import { BtreeKeyCache, BtreeKeyError } from '../src/index.js';
import { add, bytes, text } from './support/make-cache.js';
import { TestJournal } from './support/test-journal.js';
import { TestStore } from './support/test-store.js';

const open = (options: object): Promise<BtreeKeyCache> =>
  BtreeKeyCache.open({ store: new TestStore(), journal: new TestJournal(), ...options });

describe('options', () => {
  test.each<[object, RegExp]>([
    [{ store: undefined }, /with this store: it has no method get\(\)/],
    [{ store: { get() {} } }, /with this store: it has no method getMany\(\)/],
    [{ store: () => ({}) }, /with this store: it has no method get\(\)/],
    [{ journal: null }, /with this journal: it has no method append\(\)/],
    [{ journal: () => 5 }, /with this journal: it has no method append\(\)/],
    [{ name: '' }, /must be a string, and not empty/],
    [{ trees: 'yes' }, /trees yes: it must be true or false/],
    [{ group: {} }, /it must be a MemoryGroup/],
    [{ onError: 5 }, /onError 5: it must be a function/],
    [{ onReport: {} }, /onReport .*: it must be a function/],
    [{ maxByte: 5 }, /did you mean "maxBytes"/],
    [{ journal: { directory: 5 } }, /directory/],
  ])('of the wrong type: %o', async (options, message) => {
    const opening = open(options);
    await expect(opening).rejects.toThrow(TypeError);
    await expect(opening).rejects.toThrow(message);
  });

  test.each<[object, RegExp]>([
    [{ maxBytes: 65_535 }, /of 65535 bytes: maxBytes must be 65536 or more/],
    [{ maxBytes: '1e9' }, /maxBytes must be/],
    [{ maxBytes: Number.NaN }, /maxBytes must be/],
    [{ maxJournalRecords: 0 }, /maxJournalRecords 0: it must be a number of 1 or more/],
    [{ maxJournalBytes: '1' }, /maxJournalBytes 1: it must be a number of 1 or more/],
    [{ seeks: -1 }, /of -1 seeks/],
    [{ seeks: 1.5 }, /of 1.5 seeks/],
    [{ zone: 'disk' }, /in zone disk: the zones are heap, external, shared/],
    [{ stallMs: 0 }, /stallMs|stall/],
  ])('out of range: %o', async (options, message) => {
    const opening = open(options);
    await expect(opening).rejects.toThrow(RangeError);
    await expect(opening).rejects.toThrow(message);
  });

  test('none at all', async () => {
    await expect(BtreeKeyCache.open(undefined as never)).rejects.toThrow(TypeError);
    await expect(BtreeKeyCache.open(null as never)).rejects.toThrow(TypeError);
  });

  test('every one of them', async () => {
    const cache = await open({
      name: 'all',
      trees: true,
      maxBytes: Infinity,
      maxJournalRecords: Infinity,
      maxJournalBytes: Infinity,
      group: null,
      zone: 'external',
      seeks: 0,
      stallMs: Infinity,
      rng: new SeededRng(1),
    });
    expect(cache.asShrinker()).toMatchObject({ name: 'all', seeks: 0 });
    await cache.close();
  });

  test('a journal by its options is opened, and closed again', async () => {
    const directory = await mkdtemp(join(tmpdir(), 'btree-key-'));
    const disk = new MemoryDisk();
    const again = (): Promise<BtreeKeyCache> =>
      BtreeKeyCache.open({
        store: () => new MemoryStore({ disk }),
        journal: { directory: join(directory, 'journal'), durability: 'none' },
      });
    try {
      for (let life = 1; life <= 3; life++) {
        const cache = await again();
        await cache.update('lives', add(1));
        expect(text(await cache.get('lives'))).toBe(String(life));
        // The directory is locked while the cache is open.
        await expect(again()).rejects.toMatchObject({ code: 'ERR_JOURNAL_LOCKED' });
        await cache.close();
      }
    } finally {
      await rm(directory, { recursive: true });
    }
  });

  test('errors are known by their brand', async () => {
    const cache = await open({});
    await cache.put('a', bytes('1'));
    await cache.close();
    const error: unknown = await cache.put('a', bytes('2')).catch((failure: unknown) => failure);
    expect(BtreeKeyError.is(error) && [error.name, error.code]).toEqual(['BtreeKeyError', 'ERR_BTREE_KEY_CLOSED']);
    expect(BtreeKeyError.is(new Error('other'))).toBe(false);
  });
});
