const CODES = 256;

/**
 * A size for each slot, exactly. As long as there are few different ones, which is so when they are estimated or all
 * alike, a slot has one byte: a set touches the sizes of an old value and of a new one, and eight bytes for each would
 * mostly come from memory.
 */
export class SlotSizes {
  private codes: Uint8Array | null;
  /** By code; the first is 0. */
  private readonly known = new Float64Array(CODES);
  private readonly codeBySize = new Map<number, number>([[0, 0]]);
  private lastSize = 0;
  private lastCode = 0;
  /** Sizes by slot, once there were too many different ones. */
  private wide: Float64Array | null = null;

  constructor(capacity: number) {
    this.codes = new Uint8Array(capacity);
  }

  get(slot: number): number {
    const { codes } = this;
    return codes === null
      ? ((this.wide as Float64Array)[slot] as number)
      : (this.known[codes[slot] as number] as number);
  }

  set(slot: number, size: number): void {
    const code = size === this.lastSize ? this.lastCode : this.codeOf(size);
    if (this.codes === null) {
      (this.wide as Float64Array)[slot] = size;
    } else {
      this.codes[slot] = code;
    }
  }

  clear(slot: number): void {
    if (this.codes === null) {
      (this.wide as Float64Array)[slot] = 0;
    } else {
      this.codes[slot] = 0;
    }
  }

  grow(capacity: number): void {
    const { codes, wide } = this;
    if (codes === null) {
      this.wide = new Float64Array(capacity);
      this.wide.set(wide as Float64Array);
    } else {
      this.codes = new Uint8Array(capacity);
      this.codes.set(codes);
    }
  }

  /** Widens when there are no more codes; then no code counts. */
  private codeOf(size: number): number {
    if (this.codes === null) {
      return 0;
    }
    let code = this.codeBySize.get(size);
    if (code === undefined) {
      code = this.codeBySize.size;
      if (code === CODES) {
        this.wide = Float64Array.from(this.codes, (one) => this.known[one] as number);
        this.codes = null;
        this.codeBySize.clear();
        return 0;
      }
      this.codeBySize.set(size, code);
      this.known[code] = size;
    }
    this.lastSize = size;
    this.lastCode = code;
    return code;
  }
}
