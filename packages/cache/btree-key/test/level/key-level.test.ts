import { createRequire } from 'node:module';
import { afterEach, describe, expect, test } from 'vitest';
import { SeededRng } from '@core/base';
import { MemoryDisk, MemoryStore, type OrderedStore } from '@core/ordered-store';
import { BtreeKeyCache } from '../../src/index.js';
import { KeyLevel } from '../../src/level/key-level.js';
import type { LevelBackend } from '../../src/level/level-backend.js';
import { fromBackendKey, toBackendKey } from '../../src/level/level-keys.js';
import { TestJournal } from '../support/test-journal.js';
import { TestStore } from '../support/test-store.js';
import { runTape, type TapeTest } from './tape.js';

const open: LevelBackend[] = [];
afterEach(() => Promise.all(open.splice(0).map((backend) => backend.close())));

const BACKENDS: Record<string, () => Promise<LevelBackend>> = {
  'a key cache': () => BtreeKeyCache.open({ store: new TestStore(), journal: new TestJournal() }),
  'a store': async () => new MemoryStore(),
};

describe.each(Object.entries(BACKENDS))('on %s', (_, make) => {
  const create = async (): Promise<{ backend: LevelBackend; level: KeyLevel }> => {
    const backend = await make();
    open.push(backend);
    return { backend, level: new KeyLevel(backend) };
  };

  test('keys are what they are for the backend, but those that begin with a zero', async () => {
    const { backend, level } = await create();
    await level.batch([
      { type: 'put', key: 'a', value: 'A' },
      { type: 'put', key: '', value: 'none' },
      { type: 'put', key: '\0', value: 'zero' },
    ]);
    await backend.batch([{ type: 'put', key: Buffer.from('b'), value: Buffer.from('B') }]);
    expect(await level.iterator().all()).toEqual([
      ['', 'none'],
      ['\0', 'zero'],
      ['a', 'A'],
      ['b', 'B'],
    ]);
    expect(Buffer.from((await backend.get(Buffer.from('a')))!)).toEqual(Buffer.from('A'));
    expect(await level.getMany(['', '\0', 'c'])).toEqual(['none', 'zero', undefined]);
    expect(await level.iterator({ gt: '', lte: 'a' }).all()).toEqual([
      ['\0', 'zero'],
      ['a', 'A'],
    ]);
  });

  test('iterators that do not seek keep to the snapshot of when they were made', async () => {
    const { level } = await create();
    const snapshotTest = createRequire(import.meta.url)('abstract-level/test/iterator-snapshot-test.js') as {
      snapshot(test: (name: string, body: (t: TapeTest) => unknown) => void, common: object): void;
    };
    const bodies: ((t: TapeTest) => unknown)[] = [];
    snapshotTest.snapshot((_, body) => bodies.push(body), { factory: () => new KeyLevel(make) });
    expect(bodies.length).toBe(4);
    for (const body of bodies) {
      await runTape(body, () => {});
    }

    await level.put('a', 'A');
    const iterator = level.iterator();
    // Not awaited: asked for right after the iterator.
    const written = level.batch([
      { type: 'put', key: 'a', value: 'new' },
      { type: 'put', key: 'b', value: 'new' },
    ]);
    expect(await iterator.all()).toEqual([['a', 'A']]);
    await written;
    expect(await level.get('a')).toBe('new');
  });

  test('an iterator that seeks reads what is there by then', async () => {
    const { level } = await create();
    await level.batch(['a', 'b', 'c'].map((key) => ({ type: 'put', key, value: key })));
    const iterator = level.iterator({ lt: 'c', limit: 3 });
    expect(await iterator.next()).toEqual(['a', 'a']);
    await level.put('aa', 'new');
    expect(await iterator.next()).toEqual(['b', 'b']);
    iterator.seek('aa');
    expect(await iterator.next()).toEqual(['aa', 'new']);
    expect(await iterator.next()).toBeUndefined();
    await iterator.close();
  });

  test('clears many keys', async () => {
    const { level } = await create();
    const keys = Array.from({ length: 2500 }, (_, index) => String(index).padStart(5, '0'));
    await level.batch(keys.map((key) => ({ type: 'put', key, value: 'x' })));
    await level.clear({ gte: '00001', limit: 2400 });
    expect(await level.keys().all()).toEqual([keys[0], ...keys.slice(2401)]);
    await level.clear();
    expect(await level.keys().all()).toEqual([]);
  });
});

test('a backend that was handed in stays open, one that a function opens is closed', async () => {
  const disk = new MemoryDisk();
  const opened: MemoryStore[] = [];
  const level = new KeyLevel(() => {
    const store = new MemoryStore({ disk });
    opened.push(store);
    return store;
  });
  await level.put('a', 'A');
  await level.close();
  await expect(opened[0]!.get(Buffer.from('a'))).rejects.toMatchObject({ code: 'ERR_STORE_CLOSED' });
  await level.open();
  expect(await level.get('a')).toBe('A');
  expect(opened.length).toBe(2);
  await level.close();

  const store = new MemoryStore();
  const face = new KeyLevel(store);
  await face.put('a', 'A');
  await face.close();
  expect(await store.get(Buffer.from('a'))).toEqual(Uint8Array.from(Buffer.from('A')));
  await face.open();
  expect(await face.get('a')).toBe('A');
});

test('sync is durable, and without it the backend decides', async () => {
  const asked: unknown[] = [];
  const store: OrderedStore = new MemoryStore();
  const batch = store.batch.bind(store);
  store.batch = (operations, options) => {
    asked.push(options);
    return batch(operations, options);
  };
  const level = new KeyLevel(store);
  await level.put('a', 'A', { sync: true } as object);
  await level.del('a', { sync: false } as object);
  await level.batch([{ type: 'put', key: 'b', value: 'B' }], { sync: true } as object);
  await level.clear({ sync: true } as object);
  await level.put('a', 'A');
  const chained = level.batch().put('c', 'C');
  await chained.write({ sync: true } as object);
  expect(asked).toEqual([
    { durable: true },
    { durable: false },
    { durable: true },
    { durable: true },
    {},
    { durable: true },
  ]);
});

test('faults of the backend reject', async () => {
  const faults = {
    before: () => {
      throw new Error('broken');
    },
  };
  const level = new KeyLevel(() => new MemoryStore({ faults }));
  await level.open();
  for (const act of [
    () => level.get('a'),
    () => level.getMany(['a']),
    () => level.has('a'),
    () => level.put('a', 'A'),
    () => level.clear(),
    () => level.iterator().next(),
  ]) {
    await expect(act()).rejects.toMatchObject({ code: 'ERR_STORE_FAILED' });
  }
  // Nobody reads it, and nobody is left with its fault.
  await level.iterator().close();
});

test('a backend that cannot be opened leaves the database closed', async () => {
  const level = new KeyLevel(async () => Promise.reject(new Error('no such store')));
  await expect(level.open()).rejects.toMatchObject({
    code: 'LEVEL_DATABASE_NOT_OPEN',
    cause: expect.objectContaining({ message: 'no such store' }),
  });
  expect(level.status).toBe('closed');
});

test.each([undefined, null, 5, {}, new Map()])('%s is no backend', (wrong) => {
  expect(() => new KeyLevel(wrong as never)).toThrow(TypeError);
});

test('keys for the backend are in the same order, never empty, and can be read back', () => {
  const rng = new SeededRng(3);
  const keys = Array.from({ length: 400 }, () =>
    Uint8Array.from({ length: rng.below(4) }, () => rng.pick([0, 1, 255])),
  );
  for (const key of keys) {
    const backendKey = toBackendKey(key);
    expect(backendKey.length).toBeGreaterThan(0);
    expect(Buffer.compare(fromBackendKey(backendKey), key)).toBe(0);
    for (const other of keys.slice(0, 40)) {
      expect(Buffer.compare(backendKey, toBackendKey(other))).toBe(Buffer.compare(key, other));
    }
  }
});
