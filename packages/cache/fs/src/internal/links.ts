import type { Clock } from '@core/base';
import type { Dentry, DentryCache } from '@cache/dentry';
import type { Inode } from '@cache/inode';
import type { FileSystemSource } from '@core/fs-source';
import type { Lookup } from './fs-view.js';
import { found, isSymlink, LINK_NAME, peeked } from './names.js';

interface Target {
  readonly text: string;
  readonly validUntilMs: number;
}

export interface LinkPorts {
  readonly dentries: DentryCache<Inode>;
  readonly source: FileSystemSource;
  readonly clock: Clock;
  readonly trustMs: number;
  /** Goes up with each change: what was read meanwhile may be of before. */
  readonly changes: () => number;
}

/** Targets of symlinks, as they are written; null for what is no symlink, which is what most are asked about. */
export function readlinkLookup(ports: LinkPorts): Lookup<string | null> {
  const { dentries, source, clock, trustMs, changes } = ports;
  const targets = new WeakMap<Dentry<Inode>, Target>();

  const known = (dentry: Dentry<Inode>): string | null | undefined => {
    if (!isSymlink(dentry)) {
      return null;
    }
    const { target: walked } = dentry as { readonly target?: unknown };
    if (typeof walked === 'string') {
      // A walk has been through it.
      return walked;
    }
    const target = targets.get(dentry);
    return target !== undefined && target.validUntilMs > clock.now() ? target.text : undefined;
  };
  const keep = (dentry: Dentry<Inode>, text: string, before: number, nowMs: number): string => {
    if (changes() === before) {
      targets.set(dentry, { text, validUntilMs: nowMs + trustMs });
    }
    return text;
  };

  return {
    peek: (path) => peeked(dentries.peek(path, LINK_NAME), known),
    now: (path) => {
      const dentry = dentries.walkSync(path, LINK_NAME);
      const target = found(dentry, known);
      return target === undefined
        ? keep(dentry, source.readlinkSync(dentries.pathOf(dentry)), changes(), clock.now())
        : target;
    },
    later: async (path) => {
      const dentry = await dentries.walk(path, LINK_NAME);
      const target = found(dentry, known);
      if (target !== undefined) {
        return target;
      }
      const [before, nowMs] = [changes(), clock.now()];
      return keep(dentry, await source.readlink(dentries.pathOf(dentry)), before, nowMs);
    },
  };
}
