import type { Backing } from './backing.js';
import type { FsView } from './fs-view.js';
import type { Misses } from './misses.js';
import { pathOf } from './path-of.js';
import type { StatsMaker } from './stats-of.js';
import type { TurnAnswers } from './turn-answers.js';

/** What all calls of one façade share. */
export interface Context {
  readonly backing: Backing;
  readonly view: FsView;
  readonly answers: TurnAnswers;
  readonly stats: StatsMaker;
  readonly misses: Misses;
  /** Cleared by `close()`: from then on every call goes straight to the file system below. */
  caching: boolean;
}

/** The path to ask the view for, or undefined when the call is for the file system below. */
export function cachedPathOf(context: Context, path: unknown): string | undefined {
  return context.caching ? pathOf(path) : undefined;
}

/** Calls `visit` with each of the paths that the cache could know. */
export function eachPath(paths: unknown, visit: (path: string) => void): void {
  const several =
    typeof paths === 'object' && paths !== null && Symbol.iterator in paths && !(paths instanceof Uint8Array);
  for (const path of several ? (paths as Iterable<unknown>) : [paths]) {
    const key = pathOf(path);
    if (key !== undefined) {
      visit(key);
    }
  }
}
