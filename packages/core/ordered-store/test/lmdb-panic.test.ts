import { expect, test, vi } from 'vitest';
import { openLmdb } from '../src/index.js';

/** Stands for lmdb whose disk fails: what it does then was seen with faults injected into its system calls. */
const fake = vi.hoisted(() => ({
  commits: 0,
  /** What the next commits fail with. */
  failures: [] as { code: number }[],
  /** Bytes that are free, before and after the next commits. */
  room: [] as number[],
  /** Whether it answers after that. */
  panicked: false,
}));

vi.mock('../src/internal/lmdb-files.js', () => ({
  checkLmdbFiles: async () => {},
  roomIn: () => fake.room.shift() ?? Infinity,
}));

vi.mock('lmdb', () => {
  const read = (): undefined => {
    if (fake.panicked) {
      throw Object.assign(new Error('MDB_PANIC'), { code: 22 });
    }
  };
  const table = {
    getBinary: read,
    put: () => true,
    async batch(write: () => void) {
      fake.commits++;
      write();
      const failure = fake.failures.shift();
      if (failure !== undefined) {
        throw Object.assign(new Error('Commit failed (see commitError for details)'), {
          commitError: Promise.reject(Object.assign(new Error('Input/output error'), failure)),
        });
      }
    },
  };
  return { open: () => ({ ...table, openDB: () => table, resetReadTxn() {}, async close() {} }) };
});

const BATCH = [{ type: 'put', key: Uint8Array.of(1), value: Uint8Array.of(1) }] as const;

async function openFake() {
  Object.assign(fake, { commits: 0, failures: [], room: [], panicked: false });
  const store = await openLmdb({ path: 'nowhere' });
  return Object.assign(store, { [Symbol.asyncDispose]: () => store.close() });
}

test('a commit that fails leaves the store in use', async () => {
  await using store = await openFake();
  fake.failures.push({ code: 5 });
  await expect(store.batch(BATCH)).rejects.toMatchObject({
    code: 'ERR_STORE_FAILED',
    message: 'Cannot store a batch: Input/output error; see the cause',
    cause: expect.objectContaining({ code: 5 }),
  });
  await store.batch(BATCH);
  expect(fake.commits).toBe(2);
});

test.each([28, 27, 122, -30792])('a commit that fails with %i had no room', async (code) => {
  await using store = await openFake();
  fake.failures.push({ code });
  await expect(store.batch(BATCH)).rejects.toMatchObject({
    code: 'ERR_STORE_FULL',
    cause: expect.objectContaining({ code }),
  });
});

test('a batch that the disk may have no room for is not begun', async () => {
  await using store = await openFake();
  fake.room.push(2 ** 20);
  await expect(store.batch(BATCH)).rejects.toMatchObject({ code: 'ERR_STORE_FULL' });
  expect(fake.commits).toBe(0);
  await store.batch(BATCH);
  expect(fake.commits).toBe(1);
});

test('a write that was cut short had no room if the disk has none', async () => {
  await using store = await openFake();
  fake.failures.push({ code: 5 });
  fake.room.push(Infinity, 100);
  await expect(store.batch(BATCH)).rejects.toMatchObject({
    code: 'ERR_STORE_FULL',
    cause: expect.objectContaining({ code: 5 }),
  });
});

test('after a panic nothing is begun, also of what waited: it would never end', async () => {
  await using store = await openFake();
  fake.failures.push({ code: 5 });
  fake.panicked = true;
  const first = [store.batch(BATCH), store.batch(BATCH), store.batch(BATCH)].map((batch) => () => batch);
  const later = [() => store.batch(BATCH), () => store.get(BATCH[0].key), () => store.mark()];
  for (const act of [...first, ...later]) {
    await expect(act()).rejects.toMatchObject({
      code: 'ERR_STORE_FAILED',
      message: expect.stringContaining('lmdb could not write its root; open the store again'),
      cause: expect.objectContaining({ code: 5 }),
    });
  }
  expect(fake.commits).toBe(1);
});
