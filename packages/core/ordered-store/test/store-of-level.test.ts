import { MemoryLevel } from 'memory-level';
import { expect, test } from 'vitest';
import { storeOfLevel } from '../src/index.js';

const KEY = Uint8Array.of(1);
const put = (key: Uint8Array, ...value: number[]) => ({ type: 'put', key, value: Uint8Array.from(value) }) as const;

test("the store's keys are the database's, whatever its encodings", async () => {
  const level = new MemoryLevel<string, object>({ valueEncoding: 'json' });
  await level.put('a', { old: true });
  const store = storeOfLevel(level);
  expect(await store.get(Buffer.from('a'))).toEqual(Uint8Array.from(Buffer.from('{"old":true}')));
  await store.batch([put(Buffer.from('b'), ...Buffer.from('[5]'))]);
  expect(await level.get('b')).toEqual([5]);
});

test('the key of the mark is kept out of sight, and out of reach', async () => {
  const level = new MemoryLevel();
  const markKey = Uint8Array.of(0, 7);
  const store = storeOfLevel(level, { markKey });
  await store.batch([put(Uint8Array.of(0), 0), put(KEY, 1)], { mark: 5 });
  for (const limit of [1, 2, 3, Infinity]) {
    const keys = [];
    for await (const [key] of store.range({ limit })) {
      keys.push(key[0]);
    }
    expect(keys).toEqual([0, 1].slice(0, limit));
  }
  for (const refused of [
    () => store.get(markKey),
    () => store.getMany([KEY, markKey]),
    () => store.batch([put(KEY, 2), put(markKey, 2)]),
    () => store.batch([{ type: 'del', key: markKey }]),
  ]) {
    await expect(refused()).rejects.toMatchObject({ code: 'ERR_STORE_KEY_RESERVED' });
  }
  expect(await store.get(KEY)).toEqual(Uint8Array.of(1));
  expect(await store.mark()).toBe(5);
});

test('durable batches are synced', async () => {
  const level = new MemoryLevel();
  const synced: unknown[] = [];
  const batch = level.batch.bind(level) as any;
  level.batch = ((operations: any, options: any) => {
    synced.push(options.sync);
    return batch(operations, options);
  }) as any;
  const store = storeOfLevel(level);
  await store.batch([put(KEY, 1)], { durable: true });
  await store.batch([put(KEY, 1)]);
  expect(synced).toEqual([true, false]);
});

test('closes the database, and fails with its errors', async () => {
  const level = new MemoryLevel();
  const store = storeOfLevel(level);
  const fault = Object.assign(new Error('IO error: No space left on device'), { code: 'LEVEL_IO_ERROR' });
  level.batch = (async () => {
    throw fault;
  }) as any;
  await expect(store.batch([put(KEY, 1)])).rejects.toMatchObject({ code: 'ERR_STORE_FULL', cause: fault });
  level.get = (async () => {
    throw new Error('broken');
  }) as any;
  await expect(store.get(KEY)).rejects.toMatchObject({ code: 'ERR_STORE_FAILED' });
  await store.close();
  expect(level.status).toBe('closed');
});

test('what is no database, and options that are none, are refused', () => {
  for (const wrong of [undefined, null, {}, new Map()]) {
    expect(() => storeOfLevel(wrong as never)).toThrow(TypeError);
  }
  expect(() => storeOfLevel(new MemoryLevel(), { markKey: 'a' as never })).toThrow(TypeError);
  expect(() => storeOfLevel(new MemoryLevel(), { markKey: new Uint8Array() })).toThrow(TypeError);
  expect(() => storeOfLevel(new MemoryLevel(), { mark: KEY } as never)).toThrow('did you mean "markKey"?');
});
