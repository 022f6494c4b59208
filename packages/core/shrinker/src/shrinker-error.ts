import { CodedError, hasBrand } from '@core/base';

import type { MemoryGroup } from './memory-group.js';
import type { Zone } from './spec.js';

/**
 * - `ERR_SHRINKER_NAME_TAKEN`: another registered shrinker has this name; choose another, or free that one.
 * - `ERR_SHRINKER_REGISTERED`: the shrinker was registered before.
 * - `ERR_SHRINKER_FREED`: the shrinker was freed before; allocate a new one.
 * - `ERR_SHRINKER_FOREIGN`: the shrinker belongs to another registry.
 * - `ERR_SHRINKER_FREE_IN_SCAN`: `free` was called from inside the shrinker's own `count` or `scan`, for whose end it
 *   would wait.
 * - `ERR_SHRINKER_BAD_RESULT`: `count` or `scan` returned what is no number of objects; goes to the error channel.
 * - `ERR_SHRINKER_UNKNOWN`: `debug` was asked about a name that no registered shrinker has.
 * - `ERR_SHRINKER_NO_GROUPS`: `debug` was asked to scan a group below the root of a shrinker that knows no groups.
 * - `ERR_SHRINKER_CLOSED`: the registry was disposed of.
 * - `ERR_GROUP_LIMIT`: a charge would have got a group above its `max`, and reclaim made no room; a
 *   {@link GroupLimitError} that names the group and its largest users.
 * - `ERR_GROUP_UNDERFLOW`: more was uncharged than had been charged.
 * - `ERR_GROUP_OFFLINE`: the group has ended; use its heir.
 * - `ERR_GROUP_ROOT`: the root group cannot end.
 * - `ERR_GROUP_NAME_TAKEN`: there is a group of this name below the same parent.
 * - `ERR_GROUP_FOREIGN`: the group belongs to another registry.
 */
export type ShrinkerErrorCode =
  | 'ERR_SHRINKER_NAME_TAKEN'
  | 'ERR_SHRINKER_REGISTERED'
  | 'ERR_SHRINKER_FREED'
  | 'ERR_SHRINKER_FOREIGN'
  | 'ERR_SHRINKER_FREE_IN_SCAN'
  | 'ERR_SHRINKER_BAD_RESULT'
  | 'ERR_SHRINKER_UNKNOWN'
  | 'ERR_SHRINKER_NO_GROUPS'
  | 'ERR_SHRINKER_CLOSED'
  | 'ERR_GROUP_LIMIT'
  | 'ERR_GROUP_UNDERFLOW'
  | 'ERR_GROUP_OFFLINE'
  | 'ERR_GROUP_ROOT'
  | 'ERR_GROUP_NAME_TAKEN'
  | 'ERR_GROUP_FOREIGN';

const BRAND = 'ShrinkerError';

/** Every domain fault of this package; see {@link ShrinkerErrorCode}. */
export class ShrinkerError extends CodedError<ShrinkerErrorCode> {
  readonly brand: string = BRAND;

  /** Whether `value` is a `ShrinkerError`, from whichever copy of this package. */
  static is(value: unknown): value is ShrinkerError {
    return hasBrand(value, BRAND);
  }
}

/** Who uses much of a group: a group by bytes, or a shrinker by what it counts. */
export type GroupUser =
  | { readonly kind: 'group'; readonly path: string; readonly bytes: number }
  | { readonly kind: 'shrinker'; readonly name: string; readonly objects: number };

/** What a {@link GroupLimitError} knows beside its message. */
export interface GroupLimitDetails {
  /** The group that is full. */
  readonly group: MemoryGroup;
  /** The group that was to be charged: the same, or one below it. */
  readonly charged: MemoryGroup;
  readonly zone: Zone;
  readonly bytes: number;
  /** The largest groups first, the full one's own bytes among them, and then the largest shrinkers. */
  readonly users: readonly GroupUser[];
}

/** A charge that did not fit: `ERR_GROUP_LIMIT`. Nothing has been counted. */
export class GroupLimitError extends ShrinkerError implements GroupLimitDetails {
  readonly group: MemoryGroup;
  readonly charged: MemoryGroup;
  readonly zone: Zone;
  readonly bytes: number;
  readonly users: readonly GroupUser[];

  constructor(message: string, details: GroupLimitDetails) {
    super('ERR_GROUP_LIMIT', message);
    this.group = details.group;
    this.charged = details.charged;
    this.zone = details.zone;
    this.bytes = details.bytes;
    this.users = details.users;
  }

  /** Whether `value` is a `GroupLimitError`, from whichever copy of this package. */
  static override is(value: unknown): value is GroupLimitError {
    return ShrinkerError.is(value) && value.code === 'ERR_GROUP_LIMIT';
  }
}
