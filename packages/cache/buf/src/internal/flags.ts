/** The bytes are those of the block. */
export const DONE = 1;
/** Out of the cache for good: nobody finds it any more, and it goes when the last holder lets go. */
export const STALE = 2;
/** Read ahead: nobody waited for it when it began, so its errors are nobody's. */
export const ASYNC = 4;
/** The first access begins the next readahead. */
export const READ_AHEAD = 8;
/** On a delayed-write queue: newer than the file. */
export const DELWRI_Q = 16;
/** Written in vain too often: left alone until `sync` has reported it. */
export const WRITE_FAIL = 32;
/** Locked by whoever changes it. */
export const LOCKED = 64;
/** Being filled. */
export const READING = 128;
/** Being written from: readable, and not to be changed. */
export const WRITING = 256; /** Queued by callers alone who wait for the write, and drop it when it fails. */
export const WAITED_FOR = 512;

/** What keeps the data lock from being had. */
export const BUSY: number = LOCKED | READING | WRITING;
