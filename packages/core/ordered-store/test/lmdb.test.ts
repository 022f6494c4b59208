import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { openLmdb } from '../src/index.js';

let directory = '';
beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 'ordered-store-lmdb-'));
});
afterEach(() => rm(directory, { recursive: true }));

const put = (key: number, value: number) =>
  ({ type: 'put', key: Uint8Array.of(key), value: Uint8Array.of(value) }) as const;

test('two stores on one path see each other, and one lives on when the other is closed', async () => {
  const one = await openLmdb({ path: directory });
  const two = await openLmdb({ path: directory });
  await one.batch([put(1, 1)]);
  expect(await two.get(Uint8Array.of(1))).toEqual(Uint8Array.of(1));
  const range = two.range({});
  await range.next();
  await one.close();
  await two.batch([put(2, 2)]);
  expect((await range.next()).done).toBe(true);
  expect(await two.get(Uint8Array.of(2))).toEqual(Uint8Array.of(2));
  await two.close();
});

test('more ranges than it has readers fail, and the store goes on', async () => {
  const store = await openLmdb({ path: directory, maxReaders: 3 });
  const ranges = [];
  for (let round = 0; round < 4; round++) {
    await store.batch(Array.from({ length: 20 }, (_, key) => put(key, round)));
    ranges.push(store.range({}));
    const first = ranges[round]!.next();
    await (round < 3
      ? first
      : expect(first).rejects.toMatchObject({
          code: 'ERR_STORE_FAILED',
          message: expect.stringContaining('MDB_READERS_FULL'),
        }));
  }
  for (const range of ranges) {
    await range.return?.();
  }
  await store.batch([put(1, 100)]);
  expect(await store.get(Uint8Array.of(1))).toEqual(Uint8Array.of(100));
  await store.close();
});

describe('does not open, and does not end the process, with', () => {
  const refuses = async (path: string, message: string): Promise<void> => {
    await expect(openLmdb({ path })).rejects.toMatchObject({
      code: 'ERR_STORE_FAILED',
      message: expect.stringContaining(message),
    });
  };

  test('a file that is no database', async () => {
    const path = join(directory, 'store.mdb');
    for (const bytes of [1, 159, 160, 20_000]) {
      await writeFile(path, Buffer.alloc(bytes, 'no database '));
      await refuses(path, 'is no lmdb database, or was cut short');
    }
    await writeFile(path, '');
    await (await openLmdb({ path })).close();
  });

  test('a database of another format, or cut short', async () => {
    const path = join(directory, 'store.mdb');
    const store = await openLmdb({ path });
    for (let round = 0; round < 20; round++) {
      await store.batch([put(round, round)]);
    }
    await store.close();
    const whole = await readFile(path);
    const other = Buffer.from(whole);
    other[28] = 1;
    for (const [bytes, message] of [
      [other, 'has format 1, not 2'],
      [whole.subarray(0, 100), 'is no lmdb database, or was cut short'],
      [whole.subarray(0, 4096), 'is no lmdb database, or was cut short'],
      [whole.subarray(0, 8192), 'was cut short: its root is page'],
    ] as const) {
      await writeFile(path, bytes);
      await refuses(path, message);
    }
    await writeFile(path, whole);
    const opened = await openLmdb({ path });
    expect(await opened.get(Uint8Array.of(19))).toEqual(Uint8Array.of(19));
    await opened.close();
  });

  test('a directory where its files should be', async () => {
    for (const name of ['data.mdb', 'lock.mdb']) {
      await mkdir(join(directory, name));
      await refuses(directory, `${name} is no file`);
      await rm(join(directory, name), { recursive: true });
    }
  });

  test('a directory that cannot be made', async () => {
    await writeFile(join(directory, 'file'), '');
    await refuses(join(directory, 'file', 'store'), 'ENOTDIR');
  });
});

test('options that are none are refused', async () => {
  await expect(openLmdb(undefined as never)).rejects.toThrow(TypeError);
  await expect(openLmdb({} as never)).rejects.toThrow(TypeError);
  await expect(openLmdb({ path: '' })).rejects.toThrow(TypeError);
  await expect(openLmdb({ path: directory, maxReader: 3 } as never)).rejects.toThrow('did you mean "maxReaders"?');
  for (const maxReaders of [0, 1.5, -1, Number.NaN]) {
    await expect(openLmdb({ path: directory, maxReaders })).rejects.toThrow(RangeError);
  }
});
