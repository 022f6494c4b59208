import { expect, test } from 'vitest';
import { MemoryDisk, MemoryStore, type StoreAction } from '../src/index.js';

const KEY = Uint8Array.of(1);
const OTHER = Uint8Array.of(2);
const put = (key: Uint8Array, ...value: number[]) => ({ type: 'put', key, value: Uint8Array.from(value) }) as const;

test('a disk has what durable batches stored, and what came before them', async () => {
  const disk = new MemoryDisk();
  const crashed = new MemoryStore({ disk });
  await crashed.batch([put(KEY, 1)], { mark: 1 });
  expect([disk.size, disk.mark]).toEqual([0, 0]);
  await crashed.batch([put(OTHER, 2)], { mark: 2, durable: true });
  await crashed.batch([put(KEY, 3)], { mark: 3 });
  expect(crashed.size).toBe(2);

  const opened = new MemoryStore({ disk });
  expect(await opened.getMany([KEY, OTHER])).toEqual([Uint8Array.of(1), Uint8Array.of(2)]);
  expect(await opened.mark()).toBe(2);
  await opened.batch([put(KEY, 4)]);
  await opened.close();
  expect(await new MemoryStore({ disk }).get(KEY)).toEqual(Uint8Array.of(4));
});

test('a store that was left behind on its disk changes nothing there any more', async () => {
  const disk = new MemoryDisk();
  const crashed = new MemoryStore({ disk });
  const opened = new MemoryStore({ disk });
  await opened.batch([put(KEY, 1)], { durable: true });
  await expect(crashed.batch([put(KEY, 9)], { durable: true })).rejects.toMatchObject({ code: 'ERR_STORE_FAILED' });
  await crashed.close();
  await opened.batch([put(OTHER, 2)]);
  await opened.close();
  expect(await new MemoryStore({ disk }).getMany([KEY, OTHER])).toEqual([Uint8Array.of(1), Uint8Array.of(2)]);
});

test.each(['get', 'getMany', 'range', 'batch', 'mark', 'close'] as const)('%s fails as it is told', async (action) => {
  const faults = new Map<string, Error>();
  const look = (moment: string) => (asked: StoreAction) => {
    const fault = faults.get(`${moment} ${asked}`);
    faults.delete(`${moment} ${asked}`);
    if (fault !== undefined) {
      throw fault;
    }
  };
  const store = new MemoryStore({ faults: { before: look('before'), after: look('after') } });
  const act: Record<StoreAction, () => Promise<unknown>> = {
    get: () => store.get(KEY),
    getMany: () => store.getMany([KEY]),
    range: () => store.range({}).next(),
    batch: () => store.batch([put(KEY, 1)]),
    mark: () => store.mark(),
    close: () => store.close(),
  };
  for (const moment of action === 'close' ? ['before'] : ['before', 'after']) {
    const fault = new Error(moment);
    faults.set(`${moment} ${action}`, fault);
    await expect(act[action]()).rejects.toMatchObject({ code: 'ERR_STORE_FAILED', cause: fault });
    if (action === 'batch') {
      // Afterwards it is stored, and only the caller does not know.
      expect(store.size).toBe(moment === 'after' ? 1 : 0);
    }
  }
  if (action !== 'close') {
    await act[action]();
  }
});

test('a batch that waits keeps those behind it waiting, and a close', async () => {
  let release = () => {};
  const held = new Promise<void>((resolve) => {
    release = resolve;
  });
  let first = true;
  const faults = {
    before: async (action: StoreAction) => {
      if (action === 'batch' && first) {
        first = false;
        await held;
      }
    },
  };
  const store = new MemoryStore({ faults });
  const log: string[] = [];
  const both = [
    store.batch([put(KEY, 1)]).then(() => log.push('first')),
    store.batch([put(KEY, 2)]).then(() => log.push('second')),
  ];
  expect(await store.get(KEY)).toBeUndefined();
  const closed = store.close().then(() => log.push('closed'));
  release();
  await Promise.all([...both, closed]);
  expect(log).toEqual(['first', 'second', 'closed']);
});

test('limits that are none are refused', () => {
  for (const wrong of [0, -1, Number.NaN]) {
    expect(() => new MemoryStore({ maxKeyBytes: wrong })).toThrow(RangeError);
    expect(() => new MemoryStore({ maxValueBytes: wrong })).toThrow(RangeError);
  }
  expect(() => new MemoryStore({ disk: {} as MemoryDisk })).toThrow(TypeError);
  expect(() => new MemoryStore({ maxKeyByte: 1 } as never)).toThrow('did you mean "maxKeyBytes"?');
});
