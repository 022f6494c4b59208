export { LRUCache } from './lru-cache.js';
export type { Perf } from './options.js';
