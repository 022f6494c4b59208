import { REMOVED, REMOVED_RETRY, RETRY, ROTATE, SKIP, type LruStatus } from '@core/list-lru';

/** The same list in a plain array, as slowly and as plainly as can be: what the real one is compared with. */
export class ArrayLru<T> {
  items: T[] = [];
  walks: { inHand: T | undefined; upNext: T | undefined }[] = [];

  add(item: T): boolean {
    if (this.items.includes(item)) {
      return false;
    }
    this.items.push(item);
    return true;
  }

  addHead(item: T): boolean {
    if (this.items.includes(item)) {
      return false;
    }
    this.items.unshift(item);
    return true;
  }

  del(item: T): boolean {
    if (!this.items.includes(item)) {
      return false;
    }
    this.leave(item);
    for (const walk of this.walks) {
      if (walk.inHand === item) {
        walk.inHand = undefined;
      }
    }
    this.items = this.items.filter((other) => other !== item);
    return true;
  }

  moveToTail(item: T): boolean {
    if (!this.items.includes(item)) {
      return false;
    }
    if (this.items.at(-1) !== item) {
      this.leave(item);
      this.items = [...this.items.filter((other) => other !== item), item];
    }
    return true;
  }

  moveToHead(item: T): boolean {
    if (!this.items.includes(item)) {
      return false;
    }
    if (this.items[0] !== item) {
      this.leave(item);
      this.items = [item, ...this.items.filter((other) => other !== item)];
    }
    return true;
  }

  clear(): void {
    this.items = [];
    for (const walk of this.walks) {
      walk.inHand = undefined;
      walk.upNext = undefined;
    }
  }

  walk(budget: number, isolate: (item: T) => LruStatus): { removed: number; examined: number } {
    const walk: { inHand: T | undefined; upNext: T | undefined } = { inHand: undefined, upNext: undefined };
    this.walks.push(walk);
    let removed = 0;
    let examined = 0;
    try {
      let item: T | undefined = this.items[0];
      while (item !== undefined && examined < budget) {
        examined++;
        walk.inHand = item;
        walk.upNext = this.after(item);
        const status = isolate(item);
        removed += status === REMOVED || status === REMOVED_RETRY ? 1 : 0;
        if (walk.inHand !== undefined && (status === REMOVED || status === REMOVED_RETRY)) {
          this.del(item);
        } else if (walk.inHand !== undefined && status === ROTATE) {
          this.moveToTail(item);
        }
        if (status === RETRY || status === REMOVED_RETRY) {
          item = this.items[0];
        } else if (status === REMOVED || status === ROTATE || status === SKIP) {
          item = walk.upNext;
        } else {
          item = undefined;
        }
      }
    } finally {
      this.walks.pop();
    }
    return { removed, examined };
  }

  private after(item: T): T | undefined {
    return this.items.at(this.items.indexOf(item) + 1);
  }

  private leave(item: T): void {
    for (const walk of this.walks) {
      if (walk.upNext === item) {
        walk.upNext = this.after(item);
      }
    }
  }
}
