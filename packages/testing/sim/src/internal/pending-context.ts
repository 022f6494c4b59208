import type { RcuFlavor } from '@core/rcu';

import type { EventLoop } from '../event-loop.js';
import type { PendingHooks, PendingObject, PendingUnderTest } from '../pending-under-test.js';
import type { ReaderProtocol } from '../reader-protocol.js';
import type { PendingCheck } from '../torture-pending-report.js';
import { Actors } from './actors.js';
import { PendingBooks, type Section } from './pending-books.js';

/** The options of a torture of a pending with their defaults filled in. */
export interface PendingSettings {
  readonly flavor: RcuFlavor;
  readonly reader: ReaderProtocol;
  readonly readers: number;
  readonly writers: number;
  readonly operations: number;
  readonly seed: number;
  readonly published: number;
  readonly maxHops: number;
  readonly checksBytes: boolean;
  readonly checksCookies: boolean;
  readonly drainTurns: number;
  readonly stopOnFailure: boolean;
}

/** What the readers and writers of one run share. */
export class PendingContext extends Actors<PendingCheck> {
  readonly settings: PendingSettings;
  readonly books: PendingBooks;
  readonly pending: PendingUnderTest<PendingObject>;
  /** What readers can find. */
  readonly published: PendingObject[];
  override operations = 0;
  reads = 0;
  barriers = 0;
  heldPending = 0;
  heldReused = 0;
  /** The writers are done: the readers finish what they are at. */
  stopping = false;

  constructor(
    settings: PendingSettings,
    loop: EventLoop,
    make: (hooks: PendingHooks<PendingObject>) => PendingUnderTest<PendingObject>,
  ) {
    super(settings, loop);
    this.settings = settings;
    this.books = new PendingBooks(this.log, settings.flavor, settings.checksCookies);
    this.pending = make(this.books);
    this.published = Array.from({ length: settings.published }, () => this.books.take());
  }

  /** Whether writers have no reason to go on. */
  get enough(): boolean {
    return this.operations >= this.settings.operations || (this.log.failed && this.settings.stopOnFailure);
  }

  enter(): { readonly token: unknown; readonly section: Section } {
    const section = { ended: false };
    const token = this.settings.reader.enter();
    this.books.sections.add(section);
    return { token, section };
  }

  /** The section has ended before the flavour hears of it, and not after: grace periods may end inside `leave`. */
  leave({ token, section }: { readonly token: unknown; readonly section: Section }): void {
    section.ended = true;
    this.books.sections.delete(section);
    this.settings.reader.leave(token);
  }

  /** Unlinks what is published at `place`, and enqueues it. */
  retire(place: number, fresh: PendingObject, options?: { maySleep?: boolean }): void {
    const old = this.published[place] as PendingObject;
    this.published[place] = fresh;
    this.enqueue(old, options);
  }

  enqueue(object: PendingObject, options?: { maySleep?: boolean }): void {
    this.books.enter(object);
    this.pending.enqueue(object, options);
  }

  /** Compares the two sets of books. */
  check(after: string): void {
    const { pending, books, log } = this;
    log.addUnless(
      pending.count === books.count,
      'count',
      () => `after ${after} count is ${pending.count}, and ${books.count} objects are pending`,
    );
    log.addUnless(
      !this.settings.checksBytes || pending.bytes === books.bytes,
      'bytes',
      () => `after ${after} bytes is ${pending.bytes}, and ${books.bytes} bytes are pending`,
    );
  }
}
