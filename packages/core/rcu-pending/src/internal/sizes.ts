import { PendingError } from '../pending-error.js';

/**
 * Bytes that wait. `sizeOf` is asked when an object comes and when it goes, since there is no room to note the answer.
 * In debug mode there is: then objects that come twice and sizes that change are noticed.
 */
export class Sizes<T> {
  bytes = 0;
  private readonly sizeOf: ((object: T) => number) | null;
  private readonly known: Map<T, number> | null;
  private readonly onError: (error: unknown, object: T) => void;

  constructor(sizeOf: ((object: T) => number) | null, debug: boolean, onError: (error: unknown, object: T) => void) {
    this.sizeOf = sizeOf;
    this.known = debug ? new Map() : null;
    this.onError = onError;
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
    this.bytes += size;
  }

  /** Never throws: the object is on its way out, and nothing must hold it up. */
  remove(object: T): void {
    let size = 0;
    try {
      size = this.measure(object);
    } catch (error) {
      this.onError(error, object);
    }
    const came = this.known?.get(object);
    if (came !== undefined) {
      this.known?.delete(object);
      if (came !== size) {
        const message = `Cannot account for an object: sizeOf said ${came} bytes when it came and says ${size} now`;
        this.onError(new PendingError('ERR_PENDING_SIZE_CHANGED', message), object);
        size = came;
      }
    }
    this.bytes -= size;
  }

  private measure(object: T): number {
    const size = this.sizeOf === null ? 0 : this.sizeOf(object);
    if (!(size >= 0 && size < Infinity)) {
      throw new RangeError(`Cannot enqueue an object of ${size} bytes: sizeOf must return a number of 0 or more`);
    }
    return size;
  }
}
