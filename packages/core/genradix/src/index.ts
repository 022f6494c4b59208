export { DArray } from './darray.js';
export { GenRadix, type GenRadixOptions, RadixSlot, type SlotOptions } from './gen-radix.js';
export { NodePool, type NodePoolOptions, type RadixNode } from './node-pool.js';
export { RadixVector } from './radix-vector.js';
