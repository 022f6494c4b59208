/** There is no such name: a negative dentry. */
export const KIND_NONE = 0;
export const KIND_FILE = 1;
export const KIND_DIRECTORY = 2;
export const KIND_SYMLINK = 3;
/** A device, fifo or socket. */
export const KIND_OTHER = 4;

export type DentryKind =
  | typeof KIND_NONE
  | typeof KIND_FILE
  | typeof KIND_DIRECTORY
  | typeof KIND_SYMLINK
  | typeof KIND_OTHER;

/**
 * A name in a directory, and what is known of it. Good for the current turn; to keep it longer, hold it.
 *
 * @see fs/dcache.c
 */
export interface Dentry<I extends object = object> {
  /** As the directory tells it, or as it was first asked for; empty for the root. */
  readonly name: string;
  /** The directory it is in; null for the root, and for a miss that has no dentry of its own. */
  readonly parent: Dentry<I> | null;
  readonly kind: DentryKind;
  /** Null for a miss; and where a walk asked for no attributes, as long as nobody else did. */
  readonly inode: I | null;
  /** Where a symlink leads, as it is written, if that was read since it was last asked about; else null. */
  readonly target: string | null;
  /** Why there is nothing: no such name, or a name that is no directory where one is needed. Null if there is. */
  readonly missing: 'ENOENT' | 'ENOTDIR' | null;
}
