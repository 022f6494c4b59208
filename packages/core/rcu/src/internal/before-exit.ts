/** A domain whose callbacks wait for a reader. */
export interface Blocked {
  isBlocked(): boolean;
  abandonReaders(): void;
}

/**
 * Domains to look at when the process runs out of work.
 *
 * Then no reader that is suspended can resume: nothing is left that would resume it. The first time, the loop is
 * turned once more, in case another `beforeExit` listener finds work; the second time the readers are given up.
 */
const watched = new Set<Blocked>();
let listening = false;
let warned = false;

export function watchExit(domain: Blocked): void {
  watched.add(domain);
  if (!listening) {
    listening = true;
    process.on('beforeExit', onBeforeExit);
  }
}

export function unwatchExit(domain: Blocked): void {
  if (watched.delete(domain)) {
    // A reader has ended since: the process is not stuck where it was.
    warned = false;
  }
}

function onBeforeExit(): void {
  let blocked = false;
  for (const domain of watched) {
    if (domain.isBlocked()) {
      if (warned) {
        watched.delete(domain);
        domain.abandonReaders();
      } else {
        blocked = true;
      }
    }
  }
  warned = blocked;
  if (blocked) {
    // Something that keeps the loop up for one turn, so that `beforeExit` comes again.
    setImmediate(() => {});
  }
}
