/** In the table, and not ready: its policy and its charge are being asked. Not found by `get`. */
export const NEW = 1;
/** Used since the walk last came by: it has another round. */
export const REFERENCED = 2;
/** Leaving, for good: not to be found, not to be taken, on no list. */
export const FREEING = 4;
/** Destroyed: nobody reads it any more. */
export const CLEAR = 8;
/** Pinned by the walk that drops what it has, which may call back. */
export const LRU_ISOLATING = 16;
/** Out of the table: another file has its number, or its name led nowhere. Leaves with its last holder. */
export const UNHASHED = 32;
/** Somebody said that it changed: what a look begun before that brings is not to be believed. */
export const DOUBTED = 64;
