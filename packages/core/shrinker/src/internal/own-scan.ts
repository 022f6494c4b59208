import type { Entry } from './entry.js';

const MARK = 'reclaim:scan:';

type Awaiter = (scan: PromiseLike<number>) => Promise<number>;

const awaiters = new WeakMap<Entry, Awaiter>();
let serial = 0;

/**
 * Awaits a promise of the entry's `scan`, under a name of the entry's own.
 *
 * V8 writes the functions that await the running one into the stack of an error. So the name shows up in every stack
 * that is captured by code which this scan awaits, and {@link isInsideOwnScan} finds it there. It costs nothing until
 * somebody frees a shrinker whose scan is in flight; an AsyncLocalStorage slows down every promise of the process.
 */
export function awaitScan(entry: Entry, scan: PromiseLike<number>): Promise<number> {
  let awaiter = awaiters.get(entry);
  if (awaiter === undefined) {
    const name = `${MARK}${++serial}`;
    awaiter = { [name]: async (promise: PromiseLike<number>) => await promise }[name] as Awaiter;
    awaiters.set(entry, awaiter);
  }
  return awaiter(scan);
}

/**
 * Whether the caller runs inside the entry's `count` or `scan`, which so cannot end before the caller does.
 *
 * Finds every caller on the stack, and every caller that the scan awaits through async functions, Promise.all and the
 * like. Does not find one that runs in a bare callback or a `then` handler.
 */
export function isInsideOwnScan(entry: Entry): boolean {
  if (entry.running) {
    return true;
  }
  const name = entry.inFlight > 0 ? awaiters.get(entry)?.name : undefined;
  return name !== undefined && awaitingFunctions().includes(name);
}

/** The names of the functions on the stack, and of those that await them; none where the stack cannot be asked. */
function awaitingFunctions(): (string | null)[] {
  // Assigning undefined is what there may be to put back, and what the types do not allow.
  const settings: { prepareStackTrace: typeof Error.prepareStackTrace | undefined; stackTraceLimit: number } = Error;
  const { prepareStackTrace, stackTraceLimit } = settings;
  try {
    settings.stackTraceLimit = Infinity;
    settings.prepareStackTrace = (_error, sites) => sites.map((site) => site.getFunctionName());
    const { stack } = new Error('Who awaits this?') as unknown as { stack: (string | null)[] };
    settings.stackTraceLimit = stackTraceLimit;
    settings.prepareStackTrace = prepareStackTrace;
    return Array.isArray(stack) ? stack : [];
  } catch {
    // A process may freeze what is built in.
    return [];
  }
}
