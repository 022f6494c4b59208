import type { EvictionPolicy, EvictionPolicyFactory, EvictionPolicyName } from './eviction-policy.js';
import { Lru } from './lru.js';
import { S3Fifo } from './s3-fifo.js';
import { SecondChance } from './second-chance.js';
import { Sieve } from './sieve.js';
import { Workingset } from './workingset.js';

const FACTORIES: Readonly<Record<EvictionPolicyName, EvictionPolicyFactory>> = {
  'second-chance': () => new SecondChance(),
  sieve: () => new Sieve(),
  's3-fifo': () => new S3Fifo(),
  workingset: () => new Workingset(),
  lru: () => new Lru(),
};

/** The names of the policies that come with the package. */
export const EVICTION_POLICIES: readonly EvictionPolicyName[] = Object.keys(FACTORIES) as EvictionPolicyName[];

export function isPolicyName(value: unknown): value is EvictionPolicyName {
  return typeof value === 'string' && Object.hasOwn(FACTORIES, value);
}

/** A new policy, by name or of a factory. @throws what the factory throws */
export function createPolicy(policy: EvictionPolicyName | EvictionPolicyFactory): EvictionPolicy {
  return typeof policy === 'function' ? policy() : FACTORIES[policy]();
}
