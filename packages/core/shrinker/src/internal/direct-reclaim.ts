import { type GroupUser, GroupLimitError } from '../shrinker-error.js';
import { DEF_PRIORITY, type Zone } from '../spec.js';
import { countByHand } from './by-hand.js';
import type { Entry } from './entry.js';
import { fullAt, type GroupNode, isAboveHigh } from './group-node.js';
import type { GroupTable } from './group-table.js';
import { ALL_ZONES } from './limits.js';
import type { ShrinkerList } from './shrinker-list.js';
import { ANY_ZONE, ZONES } from './zones.js';

/** What reclaim needs of a registry. */
export interface Reclaiming {
  readonly table: GroupTable;
  readonly list: ShrinkerList;
  isClosed(): boolean;
  /** A synchronous pass over the group and those below; of the root, over everything. */
  shrink(group: GroupNode, zone: Zone, priority: number): number;
}

/** Passes at priority 0, one after the other as long as each frees anything; and times that a charge looks again. */
const ROUNDS_MAX = 16;
const USERS_MAX = 5;

/**
 * Makes room for a charge that found `full` at its `max`: passes at rising priority, until it fits.
 *
 * @throws {GroupLimitError} when it does not
 */
export function makeRoom(
  host: Reclaiming,
  full: GroupNode,
  charged: GroupNode,
  zoneIndex: number,
  bytes: number,
  round: number,
): void {
  full.maxHits++;
  const limitOf = (): readonly number[] | null => full.set?.maxes ?? null;
  const fits = (): boolean => {
    const maxes = limitOf();
    return maxes === null || fullAt(full, maxes, zoneIndex, bytes) < 0;
  };
  const maxes = limitOf() as readonly number[];
  // What can never fit is not worth what it would cost the others.
  const isHopeless = bytes > (maxes[zoneIndex] as number) || bytes > (maxes[ALL_ZONES] as number);
  if (!isHopeless && round < ROUNDS_MAX && reclaim(host, full, zoneIndex, 0, fits)) {
    return;
  }
  full.maxFailures++;
  throw limitError(host, full, charged, zoneIndex, bytes);
}

/**
 * Reclaims a group that is above its `high`, or its `max`, at rising priority, until it is not. At priority 0 only for
 * the `max`. Where it could do nothing, it is not tried again before more is used: by 1/64 of what is used now.
 */
export function pushBack(host: Reclaiming, group: GroupNode): void {
  const { set, used } = group;
  const zoneIndex = set === null ? 0 : zoneAbove(group);
  const isAboveMax = set !== null && used.some((bytes, index) => bytes > (set.maxes[index] as number));
  reclaim(host, group, zoneIndex, isAboveMax ? 0 : 1, () => !isAboveHigh(group));
  group.pushBackAt = isAboveHigh(group) ? Math.ceil((group.used[ALL_ZONES] as number) * (1 + 1 / 64)) : 0;
}

/** Passes at rising priority until there is enough; false when there is not. */
function reclaim(
  host: Reclaiming,
  group: GroupNode,
  zoneIndex: number,
  lastPriority: number,
  isEnough: () => boolean,
): boolean {
  const { table } = host;
  // From inside a reclaim no other is begun: its passes would be in each other's way, and go deeper and deeper.
  if (table.reclaiming || host.isClosed()) {
    return false;
  }
  table.reclaiming = true;
  try {
    for (let priority = DEF_PRIORITY, round = 0; priority >= lastPriority; round++) {
      let freed = 0;
      for (const index of zonesOf(group, zoneIndex)) {
        freed += host.shrink(group, ZONES[index] as Zone, priority);
        if (isEnough()) {
          return true;
        }
      }
      if (priority > 0) {
        priority--;
        round = 0;
      } else if (freed === 0 || round >= ROUNDS_MAX) {
        break;
      }
    }
  } finally {
    table.reclaiming = false;
  }
  return false;
}

/** The zones to reclaim from: the one in which it is short, and where all zones share a limit, the others too. */
function zonesOf(group: GroupNode, zoneIndex: number): number[] {
  const { set } = group;
  const isShared =
    set !== null && ((set.maxes[ALL_ZONES] as number) < Infinity || (set.highs[ALL_ZONES] as number) < Infinity);
  return isShared ? [zoneIndex, ...[...ZONES.keys()].filter((index) => index !== zoneIndex)] : [zoneIndex];
}

function zoneAbove({ set, used }: GroupNode): number {
  for (const index of ZONES.keys()) {
    if ((used[index] as number) > Math.min(set?.highs[index] ?? Infinity, set?.maxes[index] ?? Infinity)) {
      return index;
    }
  }
  // All of them together are too much: begin with the largest.
  return used.indexOf(Math.max(...used.slice(0, ZONES.length)));
}

function limitError(
  host: Reclaiming,
  full: GroupNode,
  charged: GroupNode,
  zoneIndex: number,
  bytes: number,
): GroupLimitError {
  const maxes = full.set?.maxes ?? [];
  const index = fullAt(full, maxes, zoneIndex, bytes) === ALL_ZONES ? ALL_ZONES : zoneIndex;
  const users = usersOf(host, full, zoneIndex, index);
  const list = users.map((user) =>
    user.kind === 'group' ? `group ${user.path} ${user.bytes} bytes` : `shrinker ${user.name} ${user.objects} objects`,
  );
  return new GroupLimitError(
    `Cannot charge ${bytes} bytes of ${ZONES[zoneIndex]} to group ${charged.path}: group ${full.path} uses ${full.used[index]} of ${maxes[index]} bytes${index === ALL_ZONES ? '' : ` of ${ZONES[zoneIndex]}`} and reclaim made no room; its largest users: ${list.length === 0 ? 'none' : list.join(', ')}`,
    { group: full, charged, zone: ZONES[zoneIndex] as Zone, bytes, users },
  );
}

/** The largest children by bytes, what was charged to the group itself, and the largest shrinkers by objects. */
function usersOf(host: Reclaiming, full: GroupNode, zoneIndex: number, index: number): GroupUser[] {
  const own = index === ALL_ZONES ? full.own.reduce((sum, bytes) => sum + bytes, 0) : (full.own[index] as number);
  const groups = [{ path: full.path, bytes: own }];
  for (const child of full.below()) {
    groups.push({ path: child.path, bytes: child.used[index] as number });
  }
  const objects = new Map<Entry, number>();
  const count = (entry: Entry, group: GroupNode, zone: number): void => {
    // One whose callback is on the stack would be called from inside itself; what throws cannot be asked.
    if (!entry.running && entry.refs > 0) {
      try {
        objects.set(entry, (objects.get(entry) ?? 0) + countByHand(entry, ZONES[zone] as Zone, group));
      } catch {
        objects.set(entry, objects.get(entry) ?? 0);
      }
    }
  };
  const slots = index === ALL_ZONES ? [...ZONES.keys(), ANY_ZONE] : [zoneIndex, ANY_ZONE];
  const visit = (group: GroupNode): void => {
    for (const slot of slots) {
      const zone = slot === ANY_ZONE ? zoneIndex : slot;
      for (let id = group.infos[slot]?.next(0) ?? -1; id >= 0; id = group.infos[slot]?.next(id + 1) ?? -1) {
        const entry = host.table.entries[id];
        if (entry !== null && entry !== undefined) {
          count(entry, group, zone);
        }
      }
    }
    for (const child of group.below()) {
      visit(child);
    }
  };
  visit(full);
  for (let entry = full.above === null ? host.list.first : null; entry !== null; entry = entry.next) {
    for (const slot of slots) {
      if (entry.zoneAware === (slot !== ANY_ZONE)) {
        count(entry, full, slot === ANY_ZONE ? zoneIndex : slot);
      }
    }
  }
  return [
    ...groups
      .filter(({ bytes }) => bytes > 0)
      .sort((one, other) => other.bytes - one.bytes)
      .slice(0, USERS_MAX)
      .map(({ path, bytes }) => ({ kind: 'group' as const, path, bytes })),
    ...[...objects]
      .filter(([, total]) => total > 0)
      .sort(([, one], [, other]) => other - one)
      .slice(0, USERS_MAX)
      .map(([{ name }, total]) => ({ kind: 'shrinker' as const, name, objects: total })),
  ];
}
