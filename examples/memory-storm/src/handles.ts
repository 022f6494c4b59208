const RESOURCE_BYTES = 8192;

/** Opens and closes handles, and counts what goes wrong with them. */
export class HandleLedger {
  opened = 0;
  closed = 0;
  closedTwice = 0;
  usedAfterClose = 0;

  /** Handles that nobody has closed, so far. */
  get open(): number {
    return this.opened - this.closed;
  }
}

/** Stands for what only its owner can free: a descriptor, a texture, a compiled statement. Memory outside of the heap. */
export class Handle {
  private resource: Buffer | null = Buffer.alloc(RESOURCE_BYTES, 1);
  private readonly ledger: HandleLedger;

  constructor(ledger: HandleLedger) {
    this.ledger = ledger;
    ledger.opened++;
  }

  get bytes(): number {
    return RESOURCE_BYTES;
  }

  read(): void {
    if (this.resource === null) {
      this.ledger.usedAfterClose++;
    }
  }

  close(): void {
    if (this.resource === null) {
      this.ledger.closedTwice++;
      return;
    }
    this.resource = null;
    this.ledger.closed++;
  }
}
