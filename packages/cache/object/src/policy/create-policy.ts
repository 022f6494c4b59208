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

const METHODS = ['grow', 'has', 'insert', 'remove', 'hand', 'spare', 'evict', 'replace', 'touch'] as const;

/**
 * A new policy, by name or of a factory.
 *
 * @throws {TypeError} what the factory makes is no policy
 * @throws what the factory throws
 */
export function createPolicy(policy: EvictionPolicyName | EvictionPolicyFactory): EvictionPolicy {
  return typeof policy === 'function' ? checkMade(policy()) : FACTORIES[policy]();
}

/** The rest of its contract is up to its tests. */
function checkMade(made: Partial<EvictionPolicy> | null | undefined): EvictionPolicy {
  const missing = METHODS.find((name) => typeof made?.[name] !== 'function');
  if (missing !== undefined) {
    throw new TypeError(
      `Cannot create a cache with a policy without ${missing}(): the function must return an EvictionPolicy`,
    );
  }
  return made as EvictionPolicy;
}
