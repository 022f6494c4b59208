import { ObjectCache } from '@cache/object';
import { LRUCache as LruCompat } from '@cache/object/lru-compat';
import { TTLCache } from '@isaacs/ttlcache';
import { LRUCache } from 'lru-cache';
import { createLRU } from 'lru.min';
import { LRUMap } from 'mnemonist';
import QuickLRU from 'quick-lru';
import { lru as tinyLru } from 'tiny-lru';

export type PeerKey = string | number;

/** What all of them have in common. */
export interface PeerCache<V> {
  readonly size: number;
  readonly get: (key: PeerKey) => V | undefined;
  readonly set: (key: PeerKey, value: V) => unknown;
}

export interface Peer {
  readonly name: string;
  /** With room for so many entries, and nothing else asked for. */
  readonly create: <V extends {}>(capacity: number) => PeerCache<V>;
  /**
   * The most entries with which stores into a full cache end in reasonable time: it searches all keys that expire in
   * the same millisecond.
   */
  readonly mostStoring?: number;
}

export const OURS = 'ObjectCache';
export const REFERENCE = 'lru-cache';
export const COMPAT = 'lru-compat';

/** With a `ttl` of Infinity, @isaacs/ttlcache 2.1.5 goes round for ever when it should evict. */
export const HOUR_MS: number = 3_600_000;

/** All that have a bound on their entries. */
export const peers: readonly Peer[] = [
  { name: REFERENCE, create: <V extends {}>(max: number) => new LRUCache<PeerKey, V>({ max }) },
  { name: 'mnemonist', create: <V>(capacity: number) => new LRUMap<PeerKey, V>(capacity) },
  { name: 'quick-lru', create: <V>(maxSize: number) => new QuickLRU<PeerKey, V>({ maxSize }) },
  { name: 'lru.min', create: <V>(max: number) => createLRU<PeerKey, V>({ max }) },
  { name: 'tiny-lru', create: <V>(max: number) => tinyLru<V>(max) as PeerCache<V> },
  {
    name: '@isaacs/ttlcache',
    create: <V>(max: number) => new TTLCache<PeerKey, V>({ max, ttl: HOUR_MS }),
    mostStoring: 1_000,
  },
  { name: OURS, create: <V>(max: number) => new ObjectCache<PeerKey, V>({ max }) },
];

/** Ours in the shape of lru-cache: raced against that, and no peer that ObjectCache is held to. */
export const compat: Peer = {
  name: COMPAT,
  create: <V extends {}>(max: number) => new LruCompat<PeerKey, V>({ max }),
};

/** @throws {RangeError} there is none of that name */
export function peerNamed(name: string): Peer {
  const peer = peers.find((one) => one.name === name);
  if (peer === undefined) {
    throw new RangeError(`Cannot use the peer "${name}": choose one of ${peers.map((one) => one.name).join(', ')}`);
  }
  return peer;
}
