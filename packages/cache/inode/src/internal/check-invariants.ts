import { assert } from '@core/base';
import type { Inode } from '../inode.js';
import type { Account } from './account.js';
import type { Derived } from './derived.js';
import type { DerivedValues } from './derived-values.js';
import type { InodeStore } from './inode-store.js';
import { FREEING, LRU_ISOLATING, NEW, UNHASHED } from './state.js';

/** What must hold between any two calls. */
export function checkInodeInvariants({ table, lru }: InodeStore, values: DerivedValues, account: Account): void {
  const listed = new Set<Inode>(lru);
  const chained = new Set<Derived>();
  let bytes = 0;
  let inodes = 0;
  for (const inode of table) {
    inodes++;
    assert(table.get(inode.dev, inode.ino) === inode, () => `Inode ${inode.ino} is not where it belongs`);
    assert((inode.state & (FREEING | UNHASHED)) === 0, () => `Inode ${inode.ino} is in the table, and leaving`);
    assert((inode.state & (NEW | LRU_ISOLATING)) === 0, () => `Inode ${inode.ino} is in state ${inode.state} at rest`);
    assert(inode.count > 0 || listed.has(inode), () => `Inode ${inode.ino} is neither held nor listed`);
    bytes += inode.bytes;
  }
  assert(inodes === table.count, () => `The table counts ${table.count} inodes and has ${inodes}`);
  assert(listed.size === lru.length, () => `The list counts ${lru.length} inodes and has ${listed.size}`);
  for (const inode of listed) {
    assert((inode.state & (FREEING | UNHASHED)) === 0, () => `Inode ${inode.ino} is on the list, and leaving`);
  }
  let valueBytes = 0;
  for (const derived of values.lru) {
    valueBytes += derived.bytes;
    const { inode, trial, kind } = derived;
    assert(trial === null || kind.trustMs > 0, () => `A value of "${kind.name}" is on trial`);
    for (let one = inode.values; one !== null; one = one.next) {
      chained.add(one);
    }
    assert(chained.has(derived), () => `A value of inode ${inode.ino} is on the list, and not the inode's`);
    assert((inode.state & (FREEING | UNHASHED)) === 0, () => `A value is kept of inode ${inode.ino}, which is leaving`);
  }
  assert(
    chained.size === values.lru.length,
    () => `${chained.size} values are inodes', ${values.lru.length} are listed`,
  );
  assert(valueBytes === values.bytes, () => `Values have ${valueBytes} bytes, and ${values.bytes} are counted`);
  assert(
    account.charged >= bytes + valueBytes,
    () => `${bytes + valueBytes} bytes are needed, ${account.charged} charged`,
  );
}
