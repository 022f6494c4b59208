import type { Buf } from './buf.js';
import { BufError } from './buf-error.js';

/** @internal Who is told that a hold ends. */
export interface GuardOwner {
  guardEnded(buf: Buf, leaked: boolean): void;
}

/** Keeps one buffer from becoming another block, until {@link release} or the end of a `using` block. */
export class BufGuard implements Disposable {
  private readonly held: Buf;
  private readonly ticket: Ticket;

  /** @internal Use `file.hold(block)`. Takes over a hold. */
  constructor(owner: GuardOwner, buf: Buf) {
    this.held = buf;
    this.ticket = { owner, buf, released: false };
    collected.register(this, this.ticket, this.ticket);
  }

  /** @throws {BufError} `ERR_BUF_NOT_HELD`: it was released */
  get buf(): Buf {
    if (this.ticket.released) {
      throw new BufError('ERR_BUF_NOT_HELD', 'Cannot use the buffer of a guard: it was released; hold it again');
    }
    return this.held;
  }

  /** The bytes of the block. @throws {BufError} `ERR_BUF_NOT_HELD`: it was released */
  get bytes(): Uint8Array {
    return this.buf.bytes;
  }

  get released(): boolean {
    return this.ticket.released;
  }

  /** Lets go of the buffer; a second time is harmless. */
  release(): void {
    if (!this.ticket.released) {
      collected.unregister(this.ticket);
      end(this.ticket, false);
    }
  }

  [Symbol.dispose](): void {
    this.release();
  }
}

interface Ticket {
  readonly owner: GuardOwner;
  readonly buf: Buf;
  released: boolean;
}

function end(ticket: Ticket, leaked: boolean): void {
  ticket.released = true;
  ticket.owner.guardEnded(ticket.buf, leaked);
}

const collected = new FinalizationRegistry<Ticket>((ticket) => end(ticket, true));
