import type { ExploreOptions, Step } from '../explore-options.js';

/**
 * How the model goes about it. `right`, or busted by one thing:
 * `early` processes a bucket one cookie early;
 * `cookie-first` takes the cookie before it unlinks the object;
 * `newest-bucket` adds to the newest bucket, whatever its cookie is;
 * `lost-wakeup` looks for work and disarms in two steps;
 * `old-cookie-armed` arms for an object, but wants no grace period when it is armed for an older one;
 * `uncounted-dequeue` hands an object back and does not count it out.
 */
export type PendingVariant =
  | 'right'
  | 'early'
  | 'cookie-first'
  | 'newest-bucket'
  | 'lost-wakeup'
  | 'old-cookie-armed'
  | 'uncounted-dequeue';

export const PENDING_VARIANTS: readonly PendingVariant[] = [
  'right',
  'early',
  'cookie-first',
  'newest-bucket',
  'lost-wakeup',
  'old-cookie-armed',
  'uncounted-dequeue',
];

export interface PendingModelOptions {
  readonly variant?: PendingVariant;
  /** Objects that the writer unlinks and enqueues. Default 2. */
  readonly objects?: number;
}

interface Bucket {
  readonly cookie: number;
  readonly objects: number[];
}

export interface PendingRegisters {
  /** A multiple of 4 between grace periods, one more during one. */
  sequence: number;
  /** The largest cookie whose grace period somebody wants. */
  wanted: number;
  reading: boolean;
  /** The published object; null when the last has been unlinked. */
  pointer: number | null;
  held: number | null;
  readonly freed: boolean[];
  buckets: Bucket[];
  count: number;
  /** The processor will run when this cookie is over; null when it will not. */
  armed: number | null;
}

/**
 * Objects that wait for a grace period: a reader, a writer that enqueues, a dequeuer, a grace-period machine, and the
 * processor that it calls.
 *
 * Invariants: no reader holds a freed object, and the count is the number of objects in the buckets. At the end nothing
 * is left in them.
 */
export function pendingModel(options: PendingModelOptions = {}): ExploreOptions<PendingRegisters> {
  const variant = options.variant ?? 'right';
  const objects = options.objects ?? 2;
  return {
    registers: () => ({
      sequence: 0,
      wanted: 0,
      reading: false,
      pointer: 0,
      held: null,
      freed: Array.from({ length: objects }, () => false),
      buckets: [],
      count: 0,
      armed: null,
    }),
    threads: {
      reader: (r) => read(r),
      writer: (r) => enqueueAll(r, variant, objects),
      dequeuer: (r) => dequeueOnce(r, variant),
      machine: (r) => runGracePeriods(r),
      processor: (r) => processAll(r, variant),
    },
    daemons: ['machine', 'processor'],
    invariant: (r) => {
      if (r.held !== null && r.freed[r.held]) {
        return `the reader holds object ${r.held}, which is freed`;
      }
      const stored = r.buckets.reduce((sum, bucket) => sum + bucket.objects.length, 0);
      return stored === r.count ? undefined : `the count is ${r.count}, and ${stored} objects are pending`;
    },
    final: (r) => (r.count === 0 ? undefined : `${r.count} objects are pending, and nobody will process them`),
  };
}

function* read(r: PendingRegisters): Generator<Step | string, void, void> {
  yield 'enter';
  r.reading = true;
  yield 'object = pointer';
  r.held = r.pointer;
  yield `use object ${r.held}`;
  r.held = null;
  yield 'leave';
  r.reading = false;
}

function* enqueueAll(
  r: PendingRegisters,
  variant: PendingVariant,
  objects: number,
): Generator<Step | string, void, void> {
  for (let object = 0; object < objects; object++) {
    let cookie = 0;
    if (variant === 'cookie-first') {
      yield 'getState';
      cookie = nextCookie(r);
    }
    yield `unlink object ${object}`;
    r.pointer = object + 1 < objects ? object + 1 : null;
    if (variant !== 'cookie-first') {
      yield 'getState';
      cookie = nextCookie(r);
    }
    yield `store object ${object} with cookie ${cookie}`;
    store(r, variant, object, cookie);
    yield 'arm';
    arm(r, variant);
  }
}

function store(r: PendingRegisters, variant: PendingVariant, object: number, cookie: number): void {
  const newest = r.buckets[r.buckets.length - 1];
  const bucket = variant === 'newest-bucket' ? newest : r.buckets.find((candidate) => candidate.cookie === cookie);
  if (bucket === undefined) {
    r.buckets.push({ cookie, objects: [object] });
  } else {
    bucket.objects.push(object);
  }
  r.count++;
}

function arm(r: PendingRegisters, variant: PendingVariant): void {
  if (r.armed === null) {
    r.armed = want(r);
  } else if (variant !== 'old-cookie-armed') {
    // Armed for an older grace period, perhaps: one that covers this object must come too.
    want(r);
  }
}

/** A right structure needs no second look here: an object handed back is not freed, and its bucket may stay, empty. */
function* dequeueOnce(r: PendingRegisters, variant: PendingVariant): Generator<Step | string, void, void> {
  yield 'dequeue';
  const object = r.buckets.find((bucket) => bucket.objects.length > 0)?.objects.pop();
  if (object !== undefined && variant !== 'uncounted-dequeue') {
    r.count--;
  }
}

function* runGracePeriods(r: PendingRegisters): Generator<Step | string, void, void> {
  for (;;) {
    yield { label: 'start a grace period', when: () => r.wanted > r.sequence };
    r.sequence++;
    if (r.reading) {
      // There is one section at most, so whoever reads now is the one that was there.
      yield { label: 'wait for the reader', when: () => !r.reading };
    }
    yield 'end the grace period';
    r.sequence += 3;
  }
}

function* processAll(r: PendingRegisters, variant: PendingVariant): Generator<Step | string, void, void> {
  for (;;) {
    const lead = variant === 'early' ? 4 : 0;
    yield { label: 'run the callback', when: () => r.armed !== null && r.armed <= r.sequence + lead };
    const over = r.buckets.filter((bucket) => bucket.cookie <= r.sequence + lead);
    r.buckets = r.buckets.filter((bucket) => !over.includes(bucket));
    for (const object of over.flatMap((bucket) => bucket.objects)) {
      r.freed[object] = true;
      r.count--;
    }
    yield 'arm again';
    if (r.count > 0) {
      r.armed = variant === 'old-cookie-armed' ? nextCookie(r) : want(r);
    } else {
      if (variant === 'lost-wakeup') {
        yield 'disarm';
      }
      r.armed = null;
    }
  }
}

function nextCookie(r: PendingRegisters): number {
  return Math.floor((r.sequence + 7) / 4) * 4;
}

function want(r: PendingRegisters): number {
  const cookie = nextCookie(r);
  r.wanted = Math.max(r.wanted, cookie);
  return cookie;
}
