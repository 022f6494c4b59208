import { Rcu, type RcuFlavor } from '@core/rcu';

let shared: RcuFlavor | null = null;

/** For caches that were given no domain: a turn of the event loop is the same turn for all of them. */
export function sharedRcu(): RcuFlavor {
  shared ??= new Rcu({ name: 'dentry caches' });
  return shared;
}
