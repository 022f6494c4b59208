import type { DentryNode } from './dentry-node.js';

/** A question to the source that somebody waits for. */
export class Request<I extends object> {
  readonly node: DentryNode<I>;
  /** When it began, by the cache's count of events: its answer is no newer than that. */
  readonly serial: number;
  /** What it asks about has changed since: the answer must not be kept. */
  cancelled = false;
  promise: Promise<void> | null = null;

  constructor(node: DentryNode<I>, serial: number) {
    this.node = node;
    this.serial = serial;
  }
}
