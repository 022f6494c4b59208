/** Counts what is under way, so that whoever closes can wait for it. */
export class Activity {
  /** How many are under way. */
  count = 0;
  private waiters: (() => void)[] = [];

  begin(): void {
    this.count++;
  }

  end(): void {
    this.count--;
    if (this.count === 0) {
      for (const wake of this.waiters.splice(0)) {
        wake();
      }
    }
  }

  idle(): Promise<void> {
    return this.count === 0
      ? Promise.resolve()
      : new Promise((resolve) => {
          this.waiters.push(resolve);
        });
  }
}
