import type { ReadFault, RootedFiles } from './cgroup-files.js';
import { type CgroupMount, type CgroupVersion, type Membership, parseMembership, parseMounts } from './cgroup-parse.js';

/** Where the files of the process's cgroup are, and of all the cgroups around it that can be seen. */
export interface Place {
  readonly version: CgroupVersion;
  /** Directories from the process's own cgroup up to the mount point. Empty: there is a cgroup, but it can't be seen. */
  readonly dirs: readonly string[];
  /** Whether the first of `dirs` is the process's cgroup for certain. */
  readonly exact: boolean;
  /** What was assumed. */
  readonly notes: readonly string[];
}

/** What /proc says of the process's cgroups. */
export interface CgroupFacts {
  readonly membership: Membership;
  readonly mounts: readonly CgroupMount[];
  /** Whether both files were read whole or are cleanly absent, so that "nothing there" can be believed. */
  readonly certain: boolean;
  readonly notes: readonly string[];
}

/** Files of which a cgroup has at least one, small ones first. */
const PROBES: Readonly<Record<CgroupVersion, readonly string[]>> = {
  1: ['memory.limit_in_bytes', 'memory.usage_in_bytes', 'memory.stat'],
  2: ['cgroup.controllers', 'memory.current', 'memory.stat'],
};

/** Where the hierarchies are mounted when nothing says otherwise. */
const USUAL_POINTS: Readonly<Record<CgroupVersion, readonly string[]>> = {
  1: ['/sys/fs/cgroup/memory'],
  2: ['/sys/fs/cgroup', '/sys/fs/cgroup/unified'],
};

/** How well a directory fits, best last. */
const ABSENT = 0;
const MOUNT_POINT = 1;
const SAME_ENDING = 2;
const ANCESTOR = 3;
const OWN = 4;

interface Candidate {
  readonly top: string;
  /** From the mount point down to the cgroup: '' or '/a/b'. */
  readonly rest: string;
  readonly fit: number;
  readonly readable: boolean;
  readonly rootDepth: number;
}

/** Reads what /proc says. */
export function readFacts(files: RootedFiles, pid: string): CgroupFacts {
  const notes: string[] = [];
  const membershipPath = `/proc/${pid}/cgroup`;
  const mountsPath = `/proc/${pid}/mountinfo`;
  const membershipText = files.read(membershipPath);
  const mountsText = files.read(mountsPath);
  let certain = true;
  const textOf = (path: string, text: string | ReadFault, assumed: string): string => {
    if (typeof text === 'string') {
      return text;
    }
    certain &&= text.absent;
    notes.push(`Cannot read ${files.full(path)}: ${text.code}; ${assumed}`);
    return '';
  };
  const membership = parseMembership(textOf(membershipPath, membershipText, 'the mount point is taken for the cgroup'));
  const { mounts, malformedCount } = parseMounts(textOf(mountsPath, mountsText, 'the usual mount points are tried'));
  for (const [path, count] of [
    [membershipPath, membership.malformedCount],
    [mountsPath, malformedCount],
  ] as const) {
    if (count > 0) {
      certain = false;
      notes.push(`Cannot understand ${count} line(s) of ${files.full(path)}: they are passed over`);
    }
  }
  return { membership, mounts, certain, notes };
}

/**
 * The place of the process in the hierarchy that has the memory controller. That is version 1 wherever version 1 has
 * it: no controller is in two hierarchies. Null when there is none on this machine.
 */
export function findMemoryPlace(files: RootedFiles, pid: string): Place | null {
  const facts = readFacts(files, pid);
  const has = (version: CgroupVersion): boolean => facts.mounts.some((mount) => mount.version === version);
  let version: CgroupVersion | null = null;
  if (facts.membership.v1 !== null || has(1)) {
    version = 1;
  } else if (facts.membership.v2 !== null || has(2)) {
    version = 2;
  } else if (seen(files, USUAL_POINTS[1][0] ?? '', 1) !== 'absent') {
    version = 1;
  } else if (seen(files, USUAL_POINTS[2][0] ?? '', 2) !== 'absent') {
    version = 2;
  }
  if (version === null) {
    return facts.certain ? null : { version: 2, dirs: [], exact: false, notes: facts.notes };
  }
  return placeIn(files, facts, version);
}

/** The place in the version 2 hierarchy, with or without the memory controller. Null when there is no version 2. */
export function findUnifiedPlace(files: RootedFiles, pid: string): Place | null {
  const facts = readFacts(files, pid);
  const known = facts.membership.v2 !== null || facts.mounts.some((mount) => mount.version === 2);
  if (known || seen(files, USUAL_POINTS[2][0] ?? '', 2) !== 'absent') {
    return placeIn(files, facts, 2);
  }
  return facts.certain ? null : { version: 2, dirs: [], exact: false, notes: facts.notes };
}

/** Whether the directory of a cgroup is there. */
export function seen(files: RootedFiles, dir: string, version: CgroupVersion): 'readable' | 'closed' | 'absent' {
  let closed = false;
  for (const probe of PROBES[version]) {
    const text = files.read(`${dir}/${probe}`);
    if (typeof text === 'string') {
      return 'readable';
    }
    closed ||= !text.absent;
  }
  return closed ? 'closed' : 'absent';
}

function placeIn(files: RootedFiles, facts: CgroupFacts, version: CgroupVersion): Place {
  const notes = [...facts.notes];
  const path = version === 1 ? facts.membership.v1 : facts.membership.v2;
  let mounts = facts.mounts.filter((mount) => mount.version === version);
  if (mounts.length === 0) {
    mounts = USUAL_POINTS[version].map((mountPoint) => ({ version, root: '/', mountPoint }));
    notes.push(`Cannot find a mount of cgroup version ${version}: ${USUAL_POINTS[version].join(' and ')} are tried`);
  }
  let best: Candidate | null = null;
  for (const mount of mounts) {
    const candidate = fitMount(files, mount, path);
    if (best === null || better(candidate, best)) {
      best = candidate;
    }
  }
  if (best === null || best.fit === ABSENT) {
    notes.push(`Cannot see the cgroup of this process: no directory of it is mounted; its limits are not known`);
    return { version, dirs: [], exact: false, notes };
  }
  if (best.fit !== OWN) {
    const named = path ?? 'of this process';
    notes.push(`Cannot find cgroup ${named}: ${files.full(best.top + best.rest)} is taken for it`);
  }
  return { version, dirs: upwards(best.top, best.rest), exact: best.fit === OWN, notes };
}

/** The best fit; of equal ones the readable, then the one that shows the most of the tree. */
function better(a: Candidate, b: Candidate): boolean {
  if (a.fit !== b.fit) {
    return a.fit > b.fit;
  }
  return a.readable === b.readable ? a.rootDepth < b.rootDepth : a.readable;
}

/**
 * Finds the directory of cgroup `path` below a mount. In this order:
 *
 * 1. the path less the mount's root, which is how it should be;
 * 2. the nearest parent of it, if that much of the path is there: the cgroup itself was removed;
 * 3. the longest ending of the path: /proc shows the tree of the host, the mount that of a container;
 * 4. the mount point: the cgroup lies outside of what this process may see.
 */
function fitMount(files: RootedFiles, mount: CgroupMount, path: string | null): Candidate {
  const top = mount.mountPoint;
  const rootDepth = partsOf(mount.root).length;
  const at = (rest: string, fit: number): Candidate | null => {
    const sight = seen(files, top + rest, mount.version);
    return sight === 'absent' ? null : { top, rest, fit, readable: sight === 'readable', rootDepth };
  };
  const none: Candidate = { top, rest: '', fit: ABSENT, readable: false, rootDepth };
  if (path === null) {
    return at('', MOUNT_POINT) ?? none;
  }
  const rest = below(mount.root, path);
  if (rest !== null) {
    const own = at(rest, OWN);
    if (own !== null) {
      return own;
    }
    const parents = upwards('', rest).slice(1, -1);
    for (const parent of parents) {
      const found = at(parent, ANCESTOR);
      if (found !== null) {
        return found;
      }
    }
  }
  const parts = partsOf(path);
  for (let from = 0; from < parts.length && !parts.includes('..'); from++) {
    const found = at(`/${parts.slice(from).join('/')}`, SAME_ENDING);
    if (found !== null) {
      return found;
    }
  }
  return at('', MOUNT_POINT) ?? none;
}

/** `path` seen from `root`: '' or '/a/b'. Null when it is not below it, or when namespaces hide where it is. */
function below(root: string, path: string): string | null {
  const rootParts = partsOf(root);
  const parts = partsOf(path);
  if (rootParts.includes('..') || parts.includes('..') || rootParts.some((part, index) => part !== parts[index])) {
    return null;
  }
  const rest = parts.slice(rootParts.length);
  return rest.length === 0 ? '' : `/${rest.join('/')}`;
}

/** `top` + '/a/b', `top` + '/a', `top`. */
function upwards(top: string, rest: string): string[] {
  const parts = partsOf(rest);
  const dirs: string[] = [];
  for (let count = parts.length; count > 0; count--) {
    dirs.push(`${top}/${parts.slice(0, count).join('/')}`);
  }
  dirs.push(top);
  return dirs;
}

function partsOf(path: string): string[] {
  return path.split('/').filter((part) => part !== '' && part !== '.');
}
