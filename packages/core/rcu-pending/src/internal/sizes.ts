import { PendingError } from '../pending-error.js';

/**
 * Bytes that wait. `sizeOf` is asked when an object comes and when it goes, since there is no room to note the answer.
 * In debug mode there is: then objects that come twice and sizes that change are noticed.
 */
export class Sizes<T> {
  private total = 0;
  private objects = 0;
  private readonly sizeOf: ((object: T) => number) | null;
  private readonly known: Map<T, number> | null;
  private readonly onError: (error: unknown, object: T) => void;

  constructor(sizeOf: ((object: T) => number) | null, debug: boolean, onError: (error: unknown, object: T) => void) {
    this.sizeOf = sizeOf;
    this.known = debug ? new Map() : null;
    this.onError = onError;
  }

  get bytes(): number {
    return this.total;
  }

  /**
   * @throws {RangeError} `sizeOf` gave no number of 0 or more
   * @throws {PendingError} `ERR_PENDING_TWICE`
   */
  add(object: T): void {
    const size = this.measure(object);
    if (this.known !== null) {
      if (this.known.has(object)) {
        throw new PendingError('ERR_PENDING_TWICE', 'Cannot enqueue: the object is waiting already');
      }
      this.known.set(object, size);
    }
    this.total += size;
    this.objects++;
  }

  /** Never throws: the object is on its way out, and nothing must hold it up. */
  remove(object: T): void {
    const came = this.known?.get(object);
    let size = came ?? 0;
    let failure: { readonly error: unknown } | null = null;
    try {
      size = this.measure(object);
    } catch (error) {
      failure = { error };
    }
    this.known?.delete(object);
    this.objects--;
    // When nothing waits there are no bytes, whatever sizes that were fractions or have changed would leave; and there
    // are never less than none, whatever `sizeOf` says of an object that came with less.
    this.total = this.objects === 0 ? 0 : Math.max(this.total - (came ?? size), 0);
    if (failure !== null) {
      this.onError(failure.error, object);
    } else if (came !== undefined && came !== size) {
      const message = `Cannot account for an object: sizeOf said ${came} bytes when it came and says ${size} now`;
      this.onError(new PendingError('ERR_PENDING_SIZE_CHANGED', message), object);
    }
  }

  private measure(object: T): number {
    const size = this.sizeOf === null ? 0 : this.sizeOf(object);
    if (!(Number.isFinite(size) && size >= 0)) {
      throw new RangeError(`Cannot weigh an object of ${size} bytes: sizeOf must return a number of 0 or more`);
    }
    return size;
  }
}
