import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { openSqlite } from '../src/index.js';
import { HAS_SQLITE } from './support/places.js';

let directory = '';
beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 'ordered-store-sqlite-'));
});
afterEach(() => rm(directory, { recursive: true }));

test('options that are none are refused', async () => {
  await expect(openSqlite({} as never)).rejects.toThrow(TypeError);
  await expect(openSqlite({ path: ':memory:' })).rejects.toThrow(TypeError);
  await expect(openSqlite({ path: 'x', busyTimeout: 3 } as never)).rejects.toThrow('did you mean "busyTimeoutMs"?');
  await expect(openSqlite({ path: 'x', busyTimeoutMs: -1 })).rejects.toThrow(RangeError);
});

if (!HAS_SQLITE) {
  test('says that this Node has no sqlite', async () => {
    await expect(openSqlite({ path: join(directory, 'store.db') })).rejects.toMatchObject({
      code: 'ERR_STORE_UNAVAILABLE',
      message: expect.stringContaining(`Node ${process.version} has no node:sqlite`),
    });
  });
} else {
  test('a file that is no database is refused', async () => {
    const path = join(directory, 'store.db');
    await writeFile(path, Buffer.alloc(20_000, 'no database '));
    await expect(openSqlite({ path })).rejects.toMatchObject({ code: 'ERR_STORE_FAILED' });
  });

  test('a store that another one writes to is busy, and goes on', async () => {
    const path = join(directory, 'store.db');
    const store = await openSqlite({ path, busyTimeoutMs: 1 });
    const name: string = 'node:sqlite';
    const { DatabaseSync } = await import(name);
    const other = new DatabaseSync(path);
    other.exec('BEGIN IMMEDIATE');
    const batch = [{ type: 'put', key: Uint8Array.of(1), value: Uint8Array.of(1) }] as const;
    await expect(store.batch(batch)).rejects.toMatchObject({
      code: 'ERR_STORE_FAILED',
      message: expect.stringContaining('locked'),
    });
    other.exec('COMMIT');
    other.close();
    await store.batch(batch);
    expect(await store.get(Uint8Array.of(1))).toEqual(Uint8Array.of(1));
    await store.close();
  });

  test('ranges one after the other share connections', async () => {
    const store = await openSqlite({ path: join(directory, 'store.db') });
    await store.batch(
      Array.from(
        { length: 50 },
        (_, key) => ({ type: 'put', key: Uint8Array.of(key), value: Uint8Array.of(key) }) as const,
      ),
    );
    for (let round = 0; round < 3; round++) {
      const ranges = Array.from({ length: 8 }, () => store.range({ gte: Uint8Array.of(round) }));
      for (const range of ranges) {
        expect((await range.next()).value).toEqual([Uint8Array.of(round), Uint8Array.of(round)]);
      }
      await Promise.all(ranges.map((range) => range.return?.()));
    }
    await store.close();
  });
}
