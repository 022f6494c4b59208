export { type LruStatus, REMOVED, REMOVED_RETRY, RETRY, ROTATE, SKIP, STOP } from './lru-status.js';
export { NO_SLOT, SlotLinks } from './slot-links.js';
export { SlotLru, type WalkControl } from './slot-lru.js';
export { ListLru, type ListLruOptions, type LruNode } from './list-lru.js';
