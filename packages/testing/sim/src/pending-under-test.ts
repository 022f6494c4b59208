/** What {@link torturePending} asks of a pending. `RcuPending` has it, and so can yours. */
export interface PendingUnderTest<T> {
  enqueue(object: T, options?: { maySleep?: boolean }): void;
  dequeue(): T | undefined;
  dequeueExpired(): T | undefined;
  barrier(): Promise<void>;
  exit(): Promise<void>;
  readonly count: number;
  readonly bytes: number;
  /** Tortured where there. */
  dequeueWhere?(tryClaim: (object: T) => boolean): T | undefined;
  /** Tortured where there. */
  dequeueFromAll?(): T | undefined;
}

/** What the torture gives to the pending that it makes. */
export interface PendingHooks<T> {
  /** Processes one object. */
  process(object: T): void;
  /** Processes the first `count` of `objects`. */
  bulk(objects: readonly T[], count: number): void;
  sizeOf(object: T): number;
}

/** What is enqueued. A reused one has another generation. */
export interface PendingObject {
  rcuNext: PendingObject | null;
  readonly id: number;
  readonly bytes: number;
  generation: number;
  state: 'free' | 'published' | 'pending';
}
