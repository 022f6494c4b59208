import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { ClassicLevel } from 'classic-level';
import { MemoryLevel } from 'memory-level';
import {
  MemoryDisk,
  MemoryStore,
  openLmdb,
  openSqlite,
  type OrderedStore,
  type StorePlace,
  storeOfLevel,
  type StoreSupports,
} from '../../src/index.js';

export interface Kind {
  readonly name: string;
  /** Of random operations; fewer where each costs a sync. */
  readonly seeds: readonly number[];
  readonly supports: StoreSupports;
  factory(): Promise<StorePlace>;
}

const [major = 0, minor = 0] = process.versions.node.split('.').map(Number);
/** Node 22.13 is the first that has it without a flag. */
export const HAS_SQLITE: boolean = major > 22 || (major === 22 && minor >= 13);

const ALL: StoreSupports = { reopen: true, snapshots: true, durable: true };

export const KINDS: readonly Kind[] = [
  {
    name: 'MemoryStore',
    seeds: [1, 2, 3, 4, 5, 6],
    supports: { reopen: false, snapshots: true, durable: false },
    factory: async () => ({ open: () => new MemoryStore() }),
  },
  {
    name: 'MemoryStore on a disk, with limits',
    seeds: [7, 8, 9],
    supports: ALL,
    factory: async () => {
      const disk = new MemoryDisk();
      return { open: () => new MemoryStore({ disk, maxKeyBytes: 300, maxValueBytes: 2 ** 20 }) };
    },
  },
  {
    name: 'lmdb',
    seeds: [1, 2, 3],
    supports: ALL,
    factory: () => inDirectory((directory) => openLmdb({ path: join(directory, 'db') })),
  },
  {
    name: 'lmdb in a file',
    seeds: [4],
    supports: ALL,
    factory: () => inDirectory((directory) => openLmdb({ path: join(directory, 'store.mdb') })),
  },
  ...(HAS_SQLITE
    ? [
        {
          name: 'sqlite',
          seeds: [1, 2, 3],
          supports: ALL,
          factory: () => inDirectory((directory) => openSqlite({ path: join(directory, 'store.db') })),
        },
      ]
    : []),
  {
    name: 'memory-level',
    seeds: [1, 2],
    supports: { reopen: false, snapshots: true, durable: false },
    factory: async () => ({ open: () => storeOfLevel(new MemoryLevel()) }),
  },
  {
    name: 'classic-level',
    seeds: [1, 2],
    supports: ALL,
    factory: () => inDirectory(async (directory) => storeOfLevel(new ClassicLevel(directory))),
  },
  {
    name: 'a sublevel of classic-level',
    seeds: [3],
    supports: ALL,
    factory: () =>
      inDirectory(async (directory) => {
        const level = new ClassicLevel(directory);
        const sublevel = level.sublevel('store');
        // The sublevel does not close the database that it is in.
        const close = sublevel.close.bind(sublevel);
        sublevel.close = async () => {
          await close();
          await level.close();
        };
        return storeOfLevel(sublevel);
      }),
  },
];

/** A place in a directory of its own, which is removed with it. */
export async function inDirectory(open: (directory: string) => Promise<OrderedStore>): Promise<StorePlace> {
  const directory = await mkdtemp(join(tmpdir(), 'ordered-store-'));
  const opened: OrderedStore[] = [];
  return {
    async open() {
      const store = await open(directory);
      opened.push(store);
      return store;
    },
    async remove() {
      // A test that failed has left its store open.
      await Promise.allSettled(opened.map(async (store) => store.close()));
      await rm(directory, { recursive: true, force: true });
    },
  };
}
