import type { Hold } from './internal/holds.js';
import type { Srcu, SrcuIndex } from './srcu.js';

/** An open section of an `Srcu` domain. Ends once, with {@link release} or at the end of a `using` block. */
export class SrcuGuard implements Disposable {
  private readonly hold: Hold;
  private readonly index: SrcuIndex;
  private readonly domain: Srcu;

  /** @internal Use `srcu.guard()`. */
  constructor(hold: Hold, index: SrcuIndex, domain: Srcu) {
    this.hold = hold;
    this.index = index;
    this.domain = domain;
  }

  get released(): boolean {
    return this.hold.released;
  }

  /** Ends the section; a second time is harmless. */
  release(): void {
    if (!this.hold.released) {
      collected.unregister(this.hold);
      this.domain.releaseGuard(this.hold, this.index, false);
    }
  }

  [Symbol.dispose](): void {
    this.release();
  }
}

interface Lost {
  readonly hold: Hold;
  readonly index: SrcuIndex;
  readonly domain: Srcu;
}

const collected = new FinalizationRegistry<Lost>(({ hold, index, domain }) => {
  if (!hold.released) {
    domain.releaseGuard(hold, index, true);
  }
});

/** @internal Nothing that is kept here refers to the guard itself. */
export function watchForLeak(guard: SrcuGuard, hold: Hold, index: SrcuIndex, domain: Srcu): void {
  collected.register(guard, { hold, index, domain }, hold);
}
