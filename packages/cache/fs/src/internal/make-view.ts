import type { FSWatcher } from 'node:fs';
import { byAge, byWatcher, type RevalidationPolicy, type WatchDirectory } from '@cache/inode';
import { nodeSource } from '@core/fs-source';
import { type CachedFsOptions, DEFAULT_MAX_BYTES, DEFAULT_MAX_NAMES } from '../options.js';
import type { Backing } from './backing.js';
import { CachedView } from './cached-view.js';
import { wholeFiles } from './whole-files.js';

const FILE_MS = 3000;
const NAME_MS = 30_000;

interface Ages {
  readonly policy: RevalidationPolicy;
  readonly nameMs: number;
  readonly youngMs: number;
}

/** Null when nothing is to be believed. */
export function makeView(backing: Backing, options: CachedFsOptions): CachedView | null {
  let view = null as CachedView | null;
  const ages = agesOf(options, backing, (path) => view?.invalidate(path));
  if (ages === null) {
    return null;
  }
  const { name = 'fs', caseSensitive, maxBytes = DEFAULT_MAX_BYTES, maxNames = DEFAULT_MAX_NAMES } = options;
  view = new CachedView({
    ...ages,
    backing,
    source: nodeSource(backing.fs, caseSensitive === undefined ? {} : { caseSensitive }),
    reader: wholeFiles(backing),
    maxNames,
    maxBytes,
    name,
    group: options.group ?? null,
    clock: options.clock,
    scheduler: options.scheduler,
    rcu: options.rcu,
    onError: options.onError,
  });
  return view;
}

function agesOf({ revalidate }: CachedFsOptions, backing: Backing, changed: (path: string) => void): Ages | null {
  if (revalidate === undefined) {
    return { policy: byAge(), nameMs: NAME_MS, youngMs: FILE_MS };
  }
  if (revalidate === 'watch') {
    return { policy: byWatcher({ watch: watching(backing, changed) }), nameMs: NAME_MS, youngMs: FILE_MS };
  }
  if (revalidate === 'always' || revalidate.ageMs === 0) {
    return null;
  }
  const { ageMs } = revalidate;
  const policy = byAge({ acregminMs: ageMs, acregmaxMs: ageMs, acdirminMs: ageMs, acdirmaxMs: ageMs });
  return { policy, nameMs: ageMs, youngMs: ageMs };
}

/** Watches for the attributes' sake, and has names forgotten as well. */
function watching(backing: Backing, changed: (path: string) => void): WatchDirectory {
  return (directory, onEvent, onError) => {
    // Throws where the file system has no such call: then all goes by age.
    const watcher = backing.call('watch', [directory, { persistent: false }]) as FSWatcher;
    watcher.on('change', (_, name) => {
      const entry = typeof name === 'string' ? name : null;
      onEvent(entry);
      changed(entry === null ? directory : `${directory}/${entry}`);
    });
    watcher.on('error', onError);
    return watcher;
  };
}
