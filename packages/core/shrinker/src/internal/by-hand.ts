import { DEF_PRIORITY, SHRINK_EMPTY, SHRINK_STOP, type Zone } from '../spec.js';
import type { Entry } from './entry.js';
import { awaitScan } from './own-scan.js';
import { badResult, Control, isFreed } from './run.js';

/** Calls `count` for one zone. What it throws goes to the caller. */
export function countByHand(entry: Entry, zone: Zone): number {
  const outer = entry.running;
  entry.running = true;
  try {
    const count = entry.spec.count(controlOf(zone));
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
export async function callByHand(entry: Entry, zone: Zone, nr: number): Promise<number> {
  const sc = controlOf(zone);
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

function controlOf(zone: Zone): Control {
  const sc = new Control();
  sc.zone = zone;
  sc.priority = DEF_PRIORITY;
  return sc;
}
