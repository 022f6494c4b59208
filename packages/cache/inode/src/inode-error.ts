import { CodedError, hasBrand } from '@core/base';

/**
 * - `ERR_INODE_CLOSED`: `close()` was called; create a new cache.
 * - `ERR_INODE_HELD`: the host closed while inodes of the cache were held.
 * - `ERR_INODE_FOREIGN`: the inode belongs to another cache.
 * - `ERR_INODE_UNBALANCED`: the inode was released more often than it was taken.
 * - `ERR_INODE_STALE`: the inode is of a file that is not at its path any more; look the path up again.
 * - `ERR_INODE_FREED`: the attributes of an inode were read after it was destroyed: it was not held, nor in a read section.
 * - `ERR_INODE_NESTED`: a maker asked for the value that it is to make.
 */
export type InodeErrorCode =
  | 'ERR_INODE_CLOSED'
  | 'ERR_INODE_HELD'
  | 'ERR_INODE_FOREIGN'
  | 'ERR_INODE_UNBALANCED'
  | 'ERR_INODE_STALE'
  | 'ERR_INODE_FREED'
  | 'ERR_INODE_NESTED';

const BRAND = 'InodeError';

/** Every domain fault of this package; see {@link InodeErrorCode}. Errors of the source pass through as they are. */
export class InodeError extends CodedError<InodeErrorCode> {
  readonly brand: string = BRAND;

  /** Whether `value` is an `InodeError`, from whichever copy of this package. */
  static is(value: unknown): value is InodeError {
    return hasBrand(value, BRAND);
  }
}
