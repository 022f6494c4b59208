import type { Backing } from './backing.js';
import type { FsView } from './fs-view.js';
import type { Misses } from './misses.js';
import { mayLeadAnywhere, pathOf } from './path-of.js';
import type { StatsMaker } from './stats-of.js';
import type { TurnAnswers } from './turn-answers.js';
import type { WorkingDirectory } from './working-directory.js';

/** What all calls of one façade share. */
export interface Context {
  readonly backing: Backing;
  readonly view: FsView;
  readonly answers: TurnAnswers;
  readonly stats: StatsMaker;
  readonly misses: Misses;
  readonly workingDirectory: WorkingDirectory;
  /** Cleared by `close()`: from then on every call goes straight to the file system below. */
  caching: boolean;
}

/** The path to ask the view for, or undefined when the call is for the file system below. */
export function cachedPathOf(context: Context, path: unknown): string | undefined {
  return context.caching ? pathOf(path, context.workingDirectory) : undefined;
}

/** Calls `visit` with each of the paths that the cache could know. One that it can't may lead to anything. */
export function eachPath({ view, workingDirectory }: Context, paths: unknown, visit: (path: string) => void): void {
  const several =
    typeof paths === 'object' && paths !== null && Symbol.iterator in paths && !(paths instanceof Uint8Array);
  for (const path of several ? (paths as Iterable<unknown>) : [paths]) {
    const key = pathOf(path, workingDirectory);
    if (key !== undefined) {
      visit(key);
    } else if (mayLeadAnywhere(path, workingDirectory)) {
      view.invalidate();
    }
  }
}
