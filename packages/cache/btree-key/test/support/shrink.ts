import { insides, type Made, turns } from './make-cache.js';

/** What a shrinker is told that is to look at so many keys. */
export const control = (nrToScan: number) => ({
  zone: 'heap' as const,
  group: null,
  nrToScan,
  nrScanned: nrToScan,
  priority: 0,
  mode: 'background' as const,
});

/** Reads so many keys that the store has not. */
export async function readAll({ cache }: Made, count: number, prefix = 'k'): Promise<void> {
  for (let key = 0; key < count; key++) {
    await cache.get(`${prefix}${key}`);
  }
}

/** Until the table is at rest. */
export async function rested({ cache }: Made): Promise<void> {
  while (insides(cache).core.table.rehashing) {
    await turns();
  }
}
