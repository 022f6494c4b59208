import type { Inode } from '../inode.js';

const MAX_SAFE = BigInt(Number.MAX_SAFE_INTEGER);

/** Inodes by device and number. A number is a double where it fits, whose look-up is cheaper, and else a bigint. */
export class InodeTable {
  count = 0;
  private readonly devices = new Map<bigint, Map<number | bigint, Inode>>();
  // The device that was asked for last: mostly there is one.
  private lastDev = -1n;
  private last: Map<number | bigint, Inode> | undefined = undefined;

  get(dev: bigint, ino: bigint): Inode | undefined {
    return this.device(dev)?.get(keyOf(ino));
  }

  /** The key must be free. */
  add(inode: Inode): void {
    let device = this.device(inode.dev);
    if (device === undefined) {
      device = new Map();
      this.devices.set(inode.dev, device);
      this.last = device;
    }
    device.set(keyOf(inode.ino), inode);
    this.count++;
  }

  /** Does nothing when another inode has the key. */
  delete(inode: Inode): void {
    const device = this.device(inode.dev);
    const key = keyOf(inode.ino);
    if (device === undefined || device.get(key) !== inode) {
      return;
    }
    device.delete(key);
    this.count--;
    if (device.size === 0) {
      this.devices.delete(inode.dev);
      this.last = undefined;
    }
  }

  *[Symbol.iterator](): IterableIterator<Inode> {
    for (const device of this.devices.values()) {
      yield* device.values();
    }
  }

  private device(dev: bigint): Map<number | bigint, Inode> | undefined {
    if (dev !== this.lastDev || this.last === undefined) {
      this.last = this.devices.get(dev);
      this.lastDev = dev;
    }
    return this.last;
  }
}

function keyOf(ino: bigint): number | bigint {
  return ino <= MAX_SAFE ? Number(ino) : ino;
}
