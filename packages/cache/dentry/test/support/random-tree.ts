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

/** Paths that are asked about at a time. */
const RECENT = 6;

export function randomName(rng: SeededRng): string {
  return `${rng.pick(DIRECTORIES)}/${rng.pick(NAMES)}`;
}

/** A path to ask about, with dots, symlinks in between, slashes behind, and names that are not there. */
export function randomPath(rng: SeededRng): string {
  return `${randomName(rng)}${rng.below(2) === 0 ? '' : rng.pick(ODD)}`;
}

/** Paths to ask about, many of them again and again. */
export class Paths {
  private readonly rng: SeededRng;
  private readonly recent: string[] = [];

  constructor(rng: SeededRng) {
    this.rng = rng;
  }

  next(): string {
    const { rng, recent } = this;
    if (recent.length < RECENT || rng.below(4) === 0) {
      recent[recent.length < RECENT ? recent.length : rng.below(RECENT)] = randomPath(rng);
    }
    return rng.pick(recent);
  }
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

/** The path with no symlink on the way, if there is such a way. */
function physical(source: MemorySource, path: string): string {
  const cut = path.lastIndexOf('/');
  try {
    return source.realpathSync(path.slice(0, cut) || '/').replace(/\/$/, '') + path.slice(cut);
  } catch {
    return path;
  }
}

/** Something to do to the file system; it may fail there. */
function randomChange(rng: SeededRng, source: MemorySource): Change {
  const kind = rng.below(10);
  // What goes, or cannot be reached any more, may have been on the way to itself: then it is known by another path.
  const place = kind < 5 ? (name: string) => name : (name: string) => physical(source, name);
  const path = place(randomName(rng));
  const other = place(randomName(rng));
  const created = (kind: FileKind) => (cache: DentryCache, certain: boolean) =>
    cache.created(path, rng.below(4) === 0 ? { certain } : { certain, kind, isNew: rng.below(2) === 0 });
  switch (kind) {
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
  const change = randomChange(rng, source);
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
