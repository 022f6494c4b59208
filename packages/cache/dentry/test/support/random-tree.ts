import type { SeededRng } from '@core/base';
import type { FileKind, MemorySource } from '@core/fs-source';
import type { DentryCache } from '../../src/index.js';
import { outcomeOf } from './outcome.js';

const NAMES = ['a', 'b', 'c', 'd'];
const DIRECTORIES = ['', '/a', '/b', '/a/b', '/b/c', '/a/b/c'];
const TARGETS = ['a', 'b', '../b', '/a/b', '/b/c', 'c/', './d', '..', '/d', 'a/../b', 'nothing', '\uFFFD'];
const ODD = [
  '',
  '/',
  '/.',
  '/..',
  '/x',
  '/a/..',
  '/b/./c',
  '/a',
  '/../a/b',
  '/a/b/d',
  '/\uFFFD',
  `/${'n'.repeat(256)}`,
];

export function randomName(rng: SeededRng): string {
  return `${rng.pick(DIRECTORIES)}/${rng.pick(NAMES)}`;
}

/** A path to ask about, with dots, symlinks in between, slashes behind, and names that are not there. */
export function randomPath(rng: SeededRng): string {
  return `${randomName(rng)}${rng.below(2) === 0 ? '' : rng.pick(ODD)}`;
}

interface Change {
  /** What is done to the source. */
  run(source: MemorySource): void;
  /** What the one who has done it tells the cache. */
  tell(cache: DentryCache, certain: boolean): void;
  /** The paths that somebody else, who sees it, would invalidate. */
  readonly paths: readonly string[];
  /** Whether some of it may be done when it fails. */
  readonly partial?: boolean;
}

/** Something to do to the file system; it may fail there. */
export function randomChange(rng: SeededRng): Change {
  const path = randomName(rng);
  const other = randomName(rng);
  const created = (kind: FileKind) => (cache: DentryCache, certain: boolean) =>
    cache.created(path, rng.below(4) === 0 ? { certain } : { certain, kind });
  switch (rng.below(10)) {
    case 0:
    case 1:
      return { run: (source) => source.mkdirSync(path), tell: created('directory'), paths: [path] };
    case 2:
      return {
        run: (source) => source.writeFileSync(path, 'x'.repeat(rng.below(9))),
        // Whoever opens a file for writing does not know whether there was one, or a symlink.
        tell: (cache, certain) =>
          rng.below(2) === 0 ? cache.invalidate(path) : cache.created(path, certain ? { certain, kind: 'file' } : {}),
        paths: [path],
      };
    case 3:
    case 4: {
      const target = rng.pick(TARGETS);
      return { run: (source) => source.symlinkSync(target, path), tell: created('symlink'), paths: [path] };
    }
    case 5:
      return {
        run: (source) => (rng.below(2) === 0 ? source.unlinkSync(path) : source.rmdirSync(path)),
        tell: (cache, certain) => cache.unlink(path, { certain }),
        paths: [path],
      };
    case 6: {
      return {
        run: (source) => source.rmSync(path),
        tell: (cache, certain) => cache.unlink(path, { certain }),
        paths: [path],
        partial: true,
      };
    }
    case 7: {
      const exchange = rng.below(3) === 0;
      return {
        run: (source) => source.renameSync(path, other, { exchange }),
        tell: (cache, certain) => cache.rename(path, other, { certain, exchange }),
        paths: [path, other],
      };
    }
    case 8:
      return {
        run: (source) => source.linkSync(path, other),
        tell: (cache, certain) => {
          cache.invalidate(path, { exact: true });
          cache.created(other, { certain });
        },
        paths: [path, other],
      };
    default: {
      const mode = rng.pick([0o755, 0o755, 0o755, 0o700, 0o400, 0o300, 0o100, 0o500]);
      return {
        run: (source) => source.chmodSync(path, mode),
        tell: (cache) => cache.invalidate(path),
        paths: [path],
      };
    }
  }
}

/** Does it to the source, and has the cache told, if anything was done. @returns what happened, for messages */
export function applyChange(rng: SeededRng, source: MemorySource, cache: DentryCache): string {
  const change = randomChange(rng);
  const outcome = outcomeOf(() => {
    change.run(source);
    return 'done';
  });
  const own = rng.below(2) === 0;
  if (outcome === 'done' && own) {
    change.tell(cache, rng.below(2) === 0);
  } else if (outcome === 'done' || change.partial === true) {
    for (const path of change.paths) {
      cache.invalidate(path);
    }
  }
  return `${change.run.toString()} ${change.paths.join(' ')}: ${outcome} ${own ? 'told' : 'invalidated'}`;
}
