import { DEF_PRIORITY, SHRINK_EMPTY, SHRINK_STOP, type Zone } from '../spec.js';
import type { Entry } from './entry.js';
import type { GroupNode } from './group-node.js';
import { awaitScan } from './own-scan.js';
import { badResult, Control, isFreed } from './run.js';

/** Calls `count` for one zone of one group. What it throws goes to the caller. */
export function countByHand(entry: Entry, zone: Zone, group: GroupNode): number {
  const outer = entry.running;
  entry.running = true;
  try {
    const count = entry.spec.count(controlOf(entry, zone, group));
    if (count === SHRINK_EMPTY) {
      return 0;
    }
    if (!(count >= 0 && count <= Number.MAX_SAFE_INTEGER)) {
      throw badResult(entry, 'count', count);
    }
    return Math.floor(count);
  } finally {
    entry.running = outer;
  }
}

/** Calls `scan` once, on an entry that the caller holds a reference on. What it throws goes to the caller. */
export async function callByHand(entry: Entry, zone: Zone, group: GroupNode, nr: number): Promise<number> {
  const sc = controlOf(entry, zone, group);
  sc.nrToScan = nr;
  sc.nrScanned = nr;
  const outer = entry.running;
  let result: number | PromiseLike<number>;
  entry.running = true;
  try {
    result = entry.spec.scan(sc);
  } finally {
    entry.running = outer;
  }
  if (typeof result !== 'number') {
    entry.inFlight++;
    try {
      result = await awaitScan(entry, result);
    } finally {
      entry.inFlight--;
    }
  }
  if (!isFreed(result)) {
    throw badResult(entry, 'scan', result);
  }
  return result === SHRINK_STOP ? 0 : result;
}

function controlOf(entry: Entry, zone: Zone, group: GroupNode): Control {
  const sc = new Control();
  sc.group = entry.groupAware ? group : null;
  sc.zone = zone;
  sc.priority = DEF_PRIORITY;
  return sc;
}
