import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { BtreeKeyCache } from '@cache/btree-key';
import { openLmdb } from '@core/ordered-store';
import { ClassicLevel } from 'classic-level';
import { open, type RootDatabase } from 'lmdb';

/** Bytes of a value: a balance and a little more. */
export const VALUE_BYTES = 32;
/** What the stores are filled with at a time. */
const FILL = 10_000;

/** Directories and what is open in them; all of it goes at the end. */
export class Places implements AsyncDisposable {
  private readonly closers: (() => Promise<unknown>)[] = [];

  async directory(): Promise<string> {
    const path = await mkdtemp(join(tmpdir(), 'bench-btree-key-'));
    this.closers.push(() => rm(path, { recursive: true, force: true }));
    return path;
  }

  /** A cache over an lmdb that has these keys. */
  async cache(keys: readonly string[], maxBytes: number): Promise<BtreeKeyCache> {
    const directory = await this.directory();
    const store = await openLmdb({ path: join(directory, 'store') });
    for (let at = 0; at < keys.length; at += FILL) {
      await store.batch(
        keys.slice(at, at + FILL).map((key) => ({
          type: 'put',
          key: Buffer.from(key),
          value: new Uint8Array(VALUE_BYTES),
        })),
        { durable: true },
      );
    }
    const cache = await BtreeKeyCache.open({
      store: () => store,
      journal: { directory: join(directory, 'journal'), durability: 'every' },
      maxBytes,
    });
    this.closers.push(() => cache.close());
    return cache;
  }

  /** lmdb alone: a put resolves when it is on disk, which those of one moment share. */
  async lmdb(keys: readonly string[]): Promise<RootDatabase<Uint8Array, Uint8Array>> {
    const directory = await this.directory();
    const db = open<Uint8Array, Uint8Array>({ path: join(directory, 'db'), keyEncoding: 'binary', encoding: 'binary' });
    for (let at = 0; at < keys.length; at += FILL) {
      await db.batch(() => {
        for (const key of keys.slice(at, at + FILL)) {
          void db.put(Buffer.from(key), new Uint8Array(VALUE_BYTES));
        }
      });
    }
    this.closers.push(() => db.close());
    return db;
  }

  async level(keys: readonly string[]): Promise<ClassicLevel<Uint8Array, Uint8Array>> {
    const directory = await this.directory();
    const encodings = { keyEncoding: 'view', valueEncoding: 'view' } as const;
    const db = new ClassicLevel<Uint8Array, Uint8Array>(join(directory, 'db'), encodings);
    await db.open();
    for (let at = 0; at < keys.length; at += FILL) {
      await db.batch(
        keys
          .slice(at, at + FILL)
          .map((key) => ({ type: 'put' as const, key: Buffer.from(key), value: new Uint8Array(VALUE_BYTES) })),
        { sync: true },
      );
    }
    this.closers.push(() => db.close());
    return db;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const close of this.closers.toReversed()) {
      await close();
    }
  }
}

export function keysOf(count: number): string[] {
  return Array.from({ length: count }, (_, index) => `user:${String(index).padStart(8, '0')}:balance`);
}
