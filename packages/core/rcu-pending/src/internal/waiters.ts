interface Waiter {
  /** Waits until nothing this old is left; null: until there is nothing to do at all. */
  readonly serial: number | null;
  readonly resolve: () => void;
}

/** Those who wait for a shard to get rid of what it holds. */
export class Waiters {
  private waiters: Waiter[] = [];

  get isEmpty(): boolean {
    return this.waiters.length === 0;
  }

  /** @param serial waits for sequences up to this one; null waits until the shard is idle */
  add(serial: number | null): Promise<void> {
    return new Promise((resolve) => {
      this.waiters.push({ serial, resolve });
    });
  }

  /**
   * @param oldest serial of the oldest sequence that holds something; Infinity when none does
   * @param idle whether the shard is
   */
  settle(oldest: number, idle: boolean): void {
    const left: Waiter[] = [];
    for (const waiter of this.waiters) {
      if (waiter.serial === null ? idle : oldest > waiter.serial) {
        waiter.resolve();
      } else {
        left.push(waiter);
      }
    }
    this.waiters = left;
  }
}
