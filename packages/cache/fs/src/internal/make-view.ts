import { watch } from 'node:fs';
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
  const ages = agesOf(options, (path) => view?.invalidate(path));
  if (ages === null) {
    return null;
  }
  const { name = 'fs', caseSensitive, maxBytes = DEFAULT_MAX_BYTES, maxNames = DEFAULT_MAX_NAMES } = options;
  view = new CachedView({
    ...ages,
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

function agesOf({ revalidate }: CachedFsOptions, changed: (path: string) => void): Ages | null {
  if (revalidate === undefined) {
    return { policy: byAge(), nameMs: NAME_MS, youngMs: FILE_MS };
  }
  if (revalidate === 'watch') {
    return { policy: byWatcher({ watch: watching(changed) }), nameMs: NAME_MS, youngMs: FILE_MS };
  }
  if (revalidate === 'always' || revalidate.ageMs === 0) {
    return null;
  }
  const { ageMs } = revalidate;
  const policy = byAge({ acregminMs: ageMs, acregmaxMs: ageMs, acdirminMs: ageMs, acdirmaxMs: ageMs });
  return { policy, nameMs: ageMs, youngMs: ageMs };
}

/** Watches for the attributes' sake, and has names forgotten as well. */
function watching(changed: (path: string) => void): WatchDirectory {
  return (directory, onEvent, onError) => {
    const watcher = watch(directory, { persistent: false }, (_, name) => {
      onEvent(name);
      changed(name === null ? directory : `${directory}/${name}`);
    });
    watcher.on('error', onError);
    return watcher;
  };
}
