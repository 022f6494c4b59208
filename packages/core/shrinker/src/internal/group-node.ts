import type { GroupLimits } from '../group-limits.js';
import { type GroupHolder, type GroupStats, MemoryGroup } from '../memory-group.js';
import type { Shrinker } from '../shrinker.js';
import { ShrinkerError } from '../shrinker-error.js';
import type { Zone } from '../spec.js';
import type { Entry } from './entry.js';
import type { GroupInfo } from './group-info.js';
import { byZone, type GroupTable, slotOf, SLOTS } from './group-table.js';
import { ALL_ZONES, Limits } from './limits.js';
import { zoneIndexOf } from './zones.js';

/** What a group asks of its registry. */
export interface GroupHost {
  readonly table: GroupTable;
  /** The entry behind a shrinker of this registry. */
  entryOf(shrinker: Shrinker, action: string): Entry;
  /** Makes room for a charge at the `max` of `full`, or throws GroupLimitError. */
  makeRoom(full: GroupNode, charged: GroupNode, zoneIndex: number, bytes: number, round: number): void;
  /** Reclaims a group that is above its `high`, or above a `max` that was lowered. Never throws. */
  pushBack(group: GroupNode): void;
  /** So much was charged that the one who watches must be told. Never throws. */
  metered(): void;
  /** Takes an error of a holder. Never throws. */
  reportHolder(error: unknown): void;
}

const NO_INFOS: readonly (GroupInfo | null)[] = Array.from({ length: SLOTS }, () => null);
const NOBODY: readonly GroupNode[] = [];

/** A group as the registry sees it. */
export class GroupNode extends MemoryGroup {
  readonly host: GroupHost;
  readonly above: GroupNode | null;
  /** Its place in the table, -1 when offline. The root's is 0. */
  index = -1;
  online = true;
  /** Bytes of this group and those below, by zone and of all zones. */
  readonly used: number[] = [0, 0, 0, 0];
  /** Bytes charged to this group itself, by zone. */
  readonly own: number[] = [0, 0, 0];
  /** Null as long as nobody has asked for them: then there are none. */
  set: Limits | null = null;
  /** By slot. Shared, and empty, until there is something to tell. */
  infos: readonly (GroupInfo | null)[] = NO_INFOS;
  /** Above its `high` nothing could be freed: it is not tried again until this much is used. */
  pushBackAt = 0;
  maxHits = 0;
  maxFailures = 0;
  highHits = 0;
  /** Passes that left it alone for its `min` or `low`. */
  passedOver = 0;
  #children: Map<string, GroupNode> | null = null;
  #holders: Set<GroupHolder> | null = null;
  #protects = false;

  constructor(host: GroupHost, above: GroupNode | null, name: string) {
    super(name, above === null ? '/' : `${above.above === null ? '' : above.path}/${name}`, above);
    this.host = host;
    this.above = above;
  }

  get isOffline(): boolean {
    return !this.online;
  }

  get heir(): GroupNode {
    // The root never ends.
    return this.online ? this : (this.above as GroupNode).heir;
  }

  get limits(): Limits {
    return (this.set ??= new Limits(this.path, () => {
      this.#limited();
    }));
  }

  set limits(limits: Readonly<Partial<GroupLimits>>) {
    this.limits.assign(limits);
  }

  child(name: string, limits?: Readonly<Partial<GroupLimits>>): GroupNode {
    if (typeof name !== 'string') {
      throw new TypeError(`Cannot make a group in ${this.path}: its name is ${String(name)}, not a string`);
    }
    if (name === '' || name.includes('/')) {
      throw new RangeError(
        `Cannot make group ${JSON.stringify(name)} in ${this.path}: it needs a name without slashes`,
      );
    }
    this.#checkOnline(`make group ${name}`);
    if (this.#children?.has(name) === true) {
      throw new ShrinkerError(
        'ERR_GROUP_NAME_TAKEN',
        `Cannot make group ${name} in ${this.path}: there is one of this name, choose another or take that one offline`,
      );
    }
    const child = new GroupNode(this.host, this, name);
    if (limits !== undefined) {
      child.limits = limits;
    }
    this.host.table.enter(child);
    (this.#children ??= new Map()).set(name, child);
    return child;
  }

  children(): GroupNode[] {
    return [...this.below()];
  }

  /** As {@link children}, without a copy. */
  below(): Iterable<GroupNode> {
    return this.#children?.values() ?? NOBODY;
  }

  charge(bytes: number, zone: Zone = 'heap'): void {
    const zoneIndex = zoneIndexOf(zone, 'charge');
    checkBytes(bytes, 'charge', this.path);
    this.#checkOnline(`charge ${bytes} bytes`);
    if (bytes === 0) {
      return;
    }
    let full = fullGroup(this, zoneIndex, bytes);
    // What a reclaim calls may charge, or end, any group: so all is looked at again, but not for ever.
    for (let round = 0; full !== null; round++) {
      this.host.makeRoom(full, this, zoneIndex, bytes, round);
      this.#checkOnline(`charge ${bytes} bytes`);
      full = fullGroup(this, zoneIndex, bytes);
    }
    if ((this.host.table.root.used[ALL_ZONES] as number) + bytes > Number.MAX_SAFE_INTEGER) {
      throw new RangeError(`Cannot charge ${bytes} bytes to group ${this.path}: the sum of all would not be exact`);
    }
    this.own[zoneIndex] = (this.own[zoneIndex] as number) + bytes;
    if (addTo(this, zoneIndex, bytes)) {
      this.#pushBack();
    }
    const { table } = this.host;
    table.charged += bytes;
    if (table.charged >= table.meterAt) {
      this.host.metered();
    }
  }

  uncharge(bytes: number, zone: Zone = 'heap'): void {
    const zoneIndex = zoneIndexOf(zone, 'uncharge');
    checkBytes(bytes, 'uncharge', this.path);
    const heir = this.heir;
    const own = heir.own[zoneIndex] as number;
    if (bytes > own) {
      throw new ShrinkerError(
        'ERR_GROUP_UNDERFLOW',
        `Cannot uncharge ${bytes} bytes of ${zone} from group ${this.path}: ${heir.path} has been charged ${own}`,
      );
    }
    heir.own[zoneIndex] = own - bytes;
    addTo(heir, zoneIndex, -bytes);
  }

  usage(zone?: Zone): number {
    return this.used[zone === undefined ? ALL_ZONES : zoneIndexOf(zone, 'tell the usage of')] as number;
  }

  offline(): void {
    const heir = this.above;
    if (heir === null) {
      throw new ShrinkerError('ERR_GROUP_ROOT', 'Cannot take the root group offline: it lasts as long as its registry');
    }
    if (!this.online) {
      return;
    }
    for (const child of this.children()) {
      child.offline();
    }
    // A holder of a child may have ended this one.
    if (!this.online) {
      return;
    }
    const { table } = this.host;
    // First of all: what is told, put off or uncharged from now on goes to the heir.
    this.online = false;
    heir.#children?.delete(this.name);
    for (const zoneIndex of this.own.keys()) {
      heir.own[zoneIndex] = (heir.own[zoneIndex] as number) + (this.own[zoneIndex] as number);
    }
    this.own.fill(0);
    this.used.fill(0);
    table.protecting -= Number(this.#protects);
    this.#protects = false;
    this.set = null;
    table.reparent(this, heir);
    table.leave(this);
    const holders = this.#holders;
    this.#holders = null;
    for (const holder of holders ?? []) {
      try {
        holder.reparent(this, heir);
      } catch (error) {
        this.host.reportHolder(error);
      }
    }
  }

  setShrinkerBit(shrinker: Shrinker, zone: Zone = 'heap'): void {
    const zoneIndex = zoneIndexOf(zone, 'tell of');
    const entry = this.host.entryOf(shrinker, 'tell of');
    this.host.table.mark(this, entry, slotOf(entry, zoneIndex));
  }

  hold(holder: GroupHolder): void {
    this.#checkOnline('be held');
    (this.#holders ??= new Set()).add(holder);
  }

  letGo(holder: GroupHolder): void {
    this.#holders?.delete(holder);
  }

  stats(): GroupStats {
    const { path, maxHits, maxFailures, highHits, passedOver } = this;
    return {
      path,
      offline: !this.online,
      usage: byZone((index) => this.used[index] as number),
      own: byZone((index) => this.own[index] as number),
      limits: this.set === null ? { min: 0, low: 0, high: Infinity, max: Infinity } : this.set.plain(),
      maxHits,
      maxFailures,
      highHits,
      passedOver,
    };
  }

  hasBits(slot: number): boolean {
    return (this.infos[slot]?.live ?? 0) > 0;
  }

  putInfo(slot: number, info: GroupInfo): void {
    if (this.infos[slot] !== info) {
      const infos = this.infos.slice();
      infos[slot] = info;
      this.infos = infos;
    }
  }

  dropInfos(): void {
    this.infos = NO_INFOS;
  }

  /** Whether any `high` above the group, or its own, is exceeded: those are reclaimed, the lowest first. */
  #pushBack(): void {
    for (let group: GroupNode | null = this.heir; group !== null; group = group.above) {
      if (group.set !== null && (group.used[ALL_ZONES] as number) >= group.pushBackAt && isAboveHigh(group)) {
        group.highHits++;
        this.host.pushBack(group);
      }
    }
  }

  #limited(): void {
    const { set } = this;
    if (set === null) {
      return;
    }
    const was = this.#protects;
    this.#protects = set.isProtecting && this.online;
    this.host.table.protecting += Number(this.#protects) - Number(was);
    this.pushBackAt = 0;
    if (this.online && isAboveHigh(this)) {
      this.host.pushBack(this);
    }
  }

  #checkOnline(action: string): void {
    if (!this.online) {
      throw new ShrinkerError(
        'ERR_GROUP_OFFLINE',
        `Cannot ${action} in group ${this.path}: it is offline, use its heir ${this.heir.path}`,
      );
    }
  }
}

/** Adds to what the group, and each above it, uses; says whether any of them has more than its `high` now. */
function addTo(lowest: GroupNode, zoneIndex: number, bytes: number): boolean {
  let isHigh = false;
  for (let group: GroupNode | null = lowest; group !== null; group = group.above) {
    const { used } = group;
    used[zoneIndex] = (used[zoneIndex] as number) + bytes;
    used[ALL_ZONES] = (used[ALL_ZONES] as number) + bytes;
    isHigh ||= group.set !== null && fullAt(group, group.set.highs, zoneIndex, 0) >= 0;
  }
  return isHigh;
}

/** The lowest group, from this one up, that would get above its `max` with so many bytes more. */
function fullGroup(lowest: GroupNode, zoneIndex: number, bytes: number): GroupNode | null {
  for (let group: GroupNode | null = lowest; group !== null; group = group.above) {
    if (group.set !== null && fullAt(group, group.set.maxes, zoneIndex, bytes) >= 0) {
      return group;
    }
  }
  return null;
}

/** Under which index the group would get above a limit with so many bytes more, or -1. */
export function fullAt(group: GroupNode, limits: readonly number[], zoneIndex: number, bytes: number): number {
  const { used } = group;
  if ((used[zoneIndex] as number) + bytes > (limits[zoneIndex] as number)) {
    return zoneIndex;
  }
  return (used[ALL_ZONES] as number) + bytes > (limits[ALL_ZONES] as number) ? ALL_ZONES : -1;
}

/** Whether it is above its `high`, or its `max`, in any zone or in all. */
export function isAboveHigh({ set, used }: GroupNode): boolean {
  return (
    set !== null &&
    used.some((bytes, index) => bytes > Math.min(set.highs[index] as number, set.maxes[index] as number))
  );
}

function checkBytes(bytes: number, action: string, path: string): void {
  if (typeof bytes !== 'number') {
    throw new TypeError(`Cannot ${action} ${String(bytes)} to group ${path}: give a number of bytes`);
  }
  if (!Number.isSafeInteger(bytes) || bytes < 0) {
    throw new RangeError(`Cannot ${action} ${bytes} bytes to group ${path}: give an integer from 0`);
  }
}
