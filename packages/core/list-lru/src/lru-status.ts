/** The item is off the list; the list takes it off if the callback has not. Counted as removed. */
export const REMOVED = 0 as const;
/** As {@link REMOVED}, and the list may have changed meanwhile: the walk starts again from the head. */
export const REMOVED_RETRY = 1 as const;
/** The item goes to the tail: it was used since, and has another round. */
export const ROTATE = 2 as const;
/** The item stays where it is: it cannot be taken just now. */
export const SKIP = 3 as const;
/** The item stays, and the list may have changed meanwhile: the walk starts again from the head. */
export const RETRY = 4 as const;
/** The item stays and the walk ends. */
export const STOP = 5 as const;

/** What an isolate callback decides about one item. */
export type LruStatus =
  | typeof REMOVED
  | typeof REMOVED_RETRY
  | typeof ROTATE
  | typeof SKIP
  | typeof RETRY
  | typeof STOP;
