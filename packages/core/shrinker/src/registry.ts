import { reportUncaught } from '@core/base';

import { makeRoom, pushBack, type Reclaiming } from './internal/direct-reclaim.js';
import { Entry, type EntryHost } from './internal/entry.js';
import { type GroupHost, GroupNode } from './internal/group-node.js';
import { GroupTable } from './internal/group-table.js';
import { isInsideOwnScan } from './internal/own-scan.js';
import { Pass } from './internal/pass.js';
import { badResult, Run } from './internal/run.js';
import { goneAlready, ShrinkerList } from './internal/shrinker-list.js';
import { Weights } from './internal/weights.js';
import { zoneIndexOf } from './internal/zones.js';
import type { MemoryGroup } from './memory-group.js';
import { ShrinkerDebug } from './shrinker-debug.js';
import { ShrinkerError } from './shrinker-error.js';
import type { Shrinker } from './shrinker.js';
import { DEF_PRIORITY, type ShrinkControl, type ShrinkerSpec, type Zone } from './spec.js';

/** The options of a {@link ShrinkerRegistry}. */
export interface ShrinkerRegistryOptions {
  /**
   * Takes what callbacks throw, reject with, or return that is no number of objects. The pass goes on. Absent: the
   * error is thrown where nobody catches it, as an uncaught exception.
   */
  readonly onError?: (error: unknown, shrinker: Shrinker) => void;
  /**
   * Whether objects are accounted to groups. Absent: true. When false, a group-aware shrinker is registered as one that
   * knows no groups, unless it says `nonSlab`; its `groupAware` is false then, and groups carry nothing for it.
   */
  readonly accountsObjects?: boolean;
}

/** What a pass is asked to do. */
export interface ShrinkRequest {
  /** Whose memory is short. Absent: `heap`. */
  readonly zone?: Zone;
  /** Only this group and those below it. Absent, null or the root: everything, the shrinkers too that know no groups. */
  readonly group?: MemoryGroup | null;
  /** 12 (mild: 1/4096 of each cache) to 0 (desperate: all of it). Absent: 12. */
  readonly priority?: number;
  /** Absent: `background` for `shrinkSlab`, `direct` for `shrinkSlabSync`. */
  readonly mode?: ShrinkControl['mode'];
}

/** What one shrinker has done since it was registered. */
export interface ShrinkerStats {
  readonly name: string;
  readonly id: number;
  /** Passes in which it had anything to free. */
  readonly runs: number;
  readonly freed: number;
  readonly scanned: number;
  readonly errors: number;
  /** Scans that answered `SHRINK_STOP`, failed ones included. */
  readonly stops: number;
  /** Synchronous passes that left it out, since one of its scans was in flight. */
  readonly busy: number;
}

/** What a registry has done since it was made, shrinkers that have been freed included. */
export interface RegistryStats {
  readonly passes: number;
  readonly freed: number;
  readonly scanned: number;
  readonly errors: number;
  /** The shrinkers that are registered now, in the order of registration. */
  readonly shrinkers: readonly ShrinkerStats[];
}

/**
 * The caches that give memory back, and the passes that ask them to.
 *
 * A pass visits each registered shrinker once, in the order of registration, and asks it to scan as many objects as
 * the priority, its seeks and the work put off before come to; then each group below the root once, for the shrinkers
 * that were told of objects there. Passes may overlap, with each other, with `register` and
 * with `free`; none waits for another.
 *
 * @see Linux mm/shrinker.c
 */
export class ShrinkerRegistry implements AsyncDisposable {
  /** Counts and scans one shrinker by hand. */
  readonly debug: ShrinkerDebug;
  /** The group above all others. What is charged to none of them may be charged here. */
  readonly root: MemoryGroup;

  // TS-private and not `#`: tests look at them, and put in broken ones to see themselves fail.
  private readonly list: ShrinkerList = new ShrinkerList();
  private readonly names = new Map<string, Entry>();
  private readonly table: GroupTable = new GroupTable();
  readonly #onError: ((error: unknown, shrinker: Shrinker) => void) | null;
  readonly #host: EntryHost;
  readonly #weights = new Weights();
  #nextId = 0;
  #closing: Promise<void> | null = null;
  #passes = 0;
  #meterBytes = Infinity;
  #onCharge: (() => void) | null = null;
  #watching = false;
  // The last pass that stayed synchronous. A scan that awaits may look at its control later, so the pass whose it is is
  // left to it.
  #sparePass: Pass | null = null;

  constructor(options: ShrinkerRegistryOptions = {}) {
    this.#onError = options.onError ?? null;
    this.#host = {
      report: (error, entry) => {
        this.#report(error, entry);
      },
      table: this.table,
      accountsObjects: options.accountsObjects ?? true,
    };
    const root = new GroupNode(this.#groupHost(), null, '');
    this.table.enter(root);
    this.root = root;
    this.debug = new ShrinkerDebug(this.list, this.names, this.table, (group) => this.#nodeOf(group, 'scan'));
  }

  /**
   * Makes a shrinker that nobody calls yet: register it when its cache is ready to be called.
   *
   * @throws {TypeError | RangeError} when the spec is not valid
   * @throws {ShrinkerError} ERR_SHRINKER_CLOSED
   */
  alloc(spec: ShrinkerSpec): Shrinker {
    this.#checkOpen('allocate a shrinker');
    return new Entry(this.#host, this.#nextId++, spec);
  }

  /**
   * Makes the shrinker known to every pass that begins from now on. Never waits for a pass. O(1).
   *
   * @throws {TypeError} when it is no shrinker
   * @throws {ShrinkerError} ERR_SHRINKER_CLOSED, ERR_SHRINKER_FOREIGN, ERR_SHRINKER_REGISTERED, ERR_SHRINKER_FREED,
   *   ERR_SHRINKER_NAME_TAKEN
   */
  register(shrinker: Shrinker): void {
    this.#checkOpen('register a shrinker');
    const entry = this.#own(shrinker, 'register');
    if (entry.state === 'registered') {
      throw new ShrinkerError('ERR_SHRINKER_REGISTERED', `Cannot register shrinker ${entry.name}: it is registered`);
    }
    if (entry.state !== 'allocated') {
      throw new ShrinkerError(
        'ERR_SHRINKER_FREED',
        `Cannot register shrinker ${entry.name}: it was freed, allocate another`,
      );
    }
    if (this.names.has(entry.name)) {
      throw new ShrinkerError(
        'ERR_SHRINKER_NAME_TAKEN',
        `Cannot register shrinker ${entry.name}: another one has this name, choose another or free that one first`,
      );
    }
    this.names.set(entry.name, entry);
    entry.state = 'registered';
    this.list.publish(entry);
  }

  /**
   * Makes the shrinker unknown to every pass, and resolves when none calls it any more.
   *
   * Waits for the runs of this shrinker that are in progress, and for nothing else; no run begins after the call. When
   * none is in progress it is done on return, and the promise is one that is always the same. Its name is free at once.
   * Null, and a shrinker that was never registered, are fine.
   *
   * A shrinker cannot be freed from inside its own `count` or `scan`, which would wait for itself. That is found out
   * when the caller is on the stack of the callback, or is awaited by it through async functions; a call from a timer
   * or a `then` handler that the scan waits for is not, and would hang.
   *
   * @returns a promise that rejects with TypeError when it is no shrinker, and with ShrinkerError ERR_SHRINKER_FOREIGN,
   *   ERR_SHRINKER_FREED, ERR_SHRINKER_FREE_IN_SCAN. It never throws.
   */
  free(shrinker: Shrinker | null | undefined): Promise<void> {
    if (shrinker === null || shrinker === undefined) {
      return goneAlready();
    }
    try {
      return this.#free(this.#own(shrinker, 'free'));
    } catch (error) {
      return Promise.reject(error);
    }
  }

  /**
   * Asks the shrinkers to free objects, one after the other, and resolves to how many were freed: every shrinker, and
   * then those that were told of objects in any group; or with a group, those that were told of objects in it or below.
   * Groups that are protected by their `min` or `low` are passed over; see {@link GroupLimits}.
   *
   * Synchronous as far as the scans are: it returns after the whole pass, or at the first scan that answers with a
   * promise. What a callback throws goes to the error channel, and the pass goes on. A shrinker whose callback is on
   * the stack is left out, and so is one that was registered after the pass began.
   *
   * @returns a promise that rejects with TypeError or RangeError when the request is not valid, and with ShrinkerError
   *   ERR_GROUP_FOREIGN, ERR_GROUP_OFFLINE, ERR_SHRINKER_CLOSED. It never throws.
   */
  shrinkSlab(request: ShrinkRequest = {}): Promise<number> {
    let pass: Pass;
    try {
      pass = this.#begin(request, 'background');
    } catch (error) {
      return Promise.reject(error);
    }
    const { list } = this;
    const { run, until } = pass;
    let freed = 0;
    for (let entry = pass.target === null ? list.first : null; entry !== null && entry.order <= until;) {
      if (!list.tryGet(entry)) {
        entry = entry.next;
      } else if (run.start(entry)) {
        freed += run.freed;
        entry = list.putAndNext(entry);
      } else {
        return this.#walkOn(pass, entry, freed);
      }
    }
    pass.enterGroups();
    for (let entry = pass.next(false); entry !== null; entry = pass.next(false)) {
      if (!pass.startIn(entry)) {
        return this.#groupsOn(pass, entry, freed);
      }
      freed += run.freed;
      list.put(entry);
    }
    this.#end(pass);
    return Promise.resolve(freed);
  }

  /**
   * As {@link shrinkSlab}, at once: for whoever cannot go on without the memory. Returns how many objects were freed.
   *
   * A scan that answers with a promise counts as 0 here. It goes on in the background: what it frees goes to `stats()`
   * and lessens what is put off, its error goes to the error channel, and `free` waits for it. While a scan of it is in
   * flight, a shrinker is left out of synchronous passes.
   *
   * @throws {TypeError | RangeError} when the request is not valid
   * @throws {ShrinkerError} ERR_GROUP_FOREIGN, ERR_GROUP_OFFLINE, ERR_SHRINKER_CLOSED
   */
  shrinkSlabSync(request: ShrinkRequest = {}): number {
    const pass = this.#begin(request, 'direct');
    const { list } = this;
    const { until } = pass;
    let { run } = pass;
    let freed = 0;
    for (let entry = pass.target === null ? list.first : null; entry !== null && entry.order <= until;) {
      if (entry.inFlight > 0 || !list.tryGet(entry)) {
        entry.busy += Number(entry.inFlight > 0);
        entry = entry.next;
      } else if (run.start(entry)) {
        freed += run.freed;
        entry = list.putAndNext(entry);
      } else {
        // What was freed before the batch that has to be awaited is there now.
        freed += run.freed;
        void this.#settle(run, entry);
        run = this.#another(pass);
        entry = list.after(entry);
      }
    }
    pass.enterGroups();
    for (let entry = pass.next(true); entry !== null; entry = pass.next(true)) {
      const ended = pass.startIn(entry);
      freed += run.freed;
      if (ended) {
        list.put(entry);
      } else {
        void this.#settle(run, entry);
        run = this.#another(pass);
      }
    }
    this.#end(pass);
    return freed;
  }

  /**
   * Has `onCharge` called inside of each `charge`, to whatever group, that brings what was charged since the last call
   * to `everyBytes`: for whoever must look at memory while a loop that never yields fills it. What is uncharged does not
   * count. One watcher at a time; null ends it.
   *
   * It may run passes. It is not called from inside itself, nor from inside a reclaim that a limit of a group began.
   * What it throws is thrown where nobody catches it, as an uncaught exception.
   *
   * @throws {RangeError} when everyBytes is not above 0
   */
  watchCharges(everyBytes: number, onCharge: (() => void) | null): void {
    if (!(everyBytes > 0)) {
      throw new RangeError(`Cannot watch charges every ${String(everyBytes)} bytes: give a number above 0`);
    }
    this.#meterBytes = everyBytes;
    this.#onCharge = onCharge;
    this.table.meterAt = onCharge === null ? Infinity : this.table.charged + everyBytes;
  }

  /** Bytes that have left the caches, or the one of that name, and wait for readers, as the shrinkers say. O(shrinkers). */
  retiredBytes(zone: Zone, name?: string): number {
    zoneIndexOf(zone, 'tell the retired bytes of');
    let sum = 0;
    for (let entry = this.list.first; entry !== null; entry = entry.next) {
      const isMeant = entry.state === 'registered' && (name === undefined || entry.name === name);
      if (isMeant && entry.spec.retiredBytes !== undefined) {
        sum += retiredOf(entry, zone);
      }
    }
    return sum;
  }

  /** For how long the oldest retired object of the shrinker of that name has waited, in ms; null if it does not say. */
  retiredAgeMs(name: string): number | null {
    const entry = this.names.get(name);
    try {
      const ageMs = entry?.spec.retiredAgeMs?.() ?? null;
      if (ageMs !== null && !(ageMs >= 0 && ageMs < Infinity)) {
        throw badResult(entry as Entry, 'retiredAgeMs', ageMs);
      }
      return ageMs;
    } catch (error) {
      this.#report(error, entry as Entry);
      return null;
    }
  }

  /** What the shrinker of that name says of objects that could not be freed now; nothing if it says nothing. */
  skippedOf(name: string): Readonly<Record<string, number>> {
    const entry = this.names.get(name);
    try {
      return entry?.spec.skipped?.() ?? {};
    } catch (error) {
      this.#report(error, entry as Entry);
      return {};
    }
  }

  /** O(shrinkers). A run that is still in progress is not in it yet. */
  stats(): RegistryStats {
    const shrinkers: ShrinkerStats[] = [];
    const totals = { ...this.list.past };
    for (let entry = this.list.first; entry !== null; entry = entry.next) {
      const { name, id, runs, freed, scanned, errors, stops, busy } = entry;
      shrinkers.push({ name, id, runs, freed, scanned, errors, stops, busy });
      totals.freed += freed;
      totals.scanned += scanned;
      totals.errors += errors;
    }
    return { passes: this.#passes, ...totals, shrinkers };
  }

  /**
   * Frees every shrinker, and resolves when none is called any more; the owners of these may still free them, once.
   * A second call is harmless; anything but `free`, `stats` and `debug` throws from now on.
   *
   * @returns a promise that rejects with ShrinkerError ERR_SHRINKER_FREE_IN_SCAN, and then has done nothing
   */
  async [Symbol.asyncDispose](): Promise<void> {
    if (this.#closing === null) {
      for (let entry = this.list.first; entry !== null; entry = entry.next) {
        checkOutsideOwnScan(entry);
      }
    }
    this.#closing ??= this.#close();
    await this.#closing;
  }

  async #close(): Promise<void> {
    const runs: Promise<void>[] = [];
    for (let entry = this.list.first, next: Entry | null; entry !== null; entry = next) {
      next = entry.next;
      if (entry.state === 'registered') {
        runs.push(this.#retire(entry));
        entry.state = 'swept';
      } else if (entry.gone !== null) {
        runs.push(entry.gone);
      }
    }
    await Promise.all(runs);
  }

  #free(entry: Entry): Promise<void> {
    switch (entry.state) {
      case 'allocated':
        entry.state = 'freed';
        this.table.giveId(entry);
        return goneAlready();
      case 'swept':
        entry.state = 'freed';
        return entry.gone ?? goneAlready();
      case 'freed':
        throw new ShrinkerError('ERR_SHRINKER_FREED', `Cannot free shrinker ${entry.name}: it was freed before`);
      case 'registered':
    }
    checkOutsideOwnScan(entry);
    entry.state = 'freed';
    return this.#retire(entry);
  }

  #retire(entry: Entry): Promise<void> {
    this.names.delete(entry.name);
    return this.list.retire(entry);
  }

  async #walkOn(pass: Pass, at: Entry, freedBefore: number): Promise<number> {
    const { list } = this;
    const { run, until } = pass;
    let freed = freedBefore;
    await run.toEnd(at);
    freed += run.freed;
    for (let entry = list.putAndNext(at); entry !== null && entry.order <= until;) {
      if (!list.tryGet(entry)) {
        entry = entry.next;
        continue;
      }
      if (!run.start(entry)) {
        await run.toEnd(entry);
      }
      freed += run.freed;
      entry = list.putAndNext(entry);
    }
    pass.enterGroups();
    return this.#groupsOn(pass, null, freed);
  }

  /** The rest of the groups; from a run on that has to be awaited, unless null. */
  async #groupsOn(pass: Pass, at: Entry | null, freedBefore: number): Promise<number> {
    const { run } = pass;
    let freed = freedBefore;
    if (at !== null) {
      await run.toEnd(at);
      freed += run.freed;
      this.list.put(at);
    }
    for (let entry = pass.next(false); entry !== null; entry = pass.next(false)) {
      if (!pass.startIn(entry)) {
        await run.toEnd(entry);
      }
      freed += run.freed;
      this.list.put(entry);
    }
    pass.leaveGroups();
    this.#weigh(pass);
    return freed;
  }

  #weigh({ target, run }: Pass): void {
    if (target === null) {
      this.#weights.settle(run.zoneIndex);
    }
  }

  async #settle(run: Run, entry: Entry): Promise<void> {
    await run.settle(entry);
    this.list.put(entry);
  }

  #begin(request: ShrinkRequest, mode: ShrinkControl['mode']): Pass {
    this.#checkOpen('shrink');
    checkRequest(request);
    const priority = request.priority ?? DEF_PRIORITY;
    const zone = request.zone ?? 'heap';
    const zoneIndex = zoneIndexOf(zone);
    const target = request.group === undefined || request.group === null ? null : this.#target(request.group);
    // Taken, not shared: a callback may begin a pass of its own.
    const pass = this.#sparePass ?? new Pass(this.list, this.table, this.#weights);
    this.#sparePass = null;
    const { run } = pass;
    run.sc.zone = zone;
    run.sc.priority = priority;
    run.sc.mode = request.mode ?? mode;
    run.zoneIndex = zoneIndex;
    run.group = this.table.root;
    // What is usual in one group is not in another; where all are meant, it is what it is.
    run.weighs = target === null;
    run.part = 2 ** -priority;
    pass.target = target;
    pass.until = this.list.registrations;
    this.#passes++;
    return pass;
  }

  #end(pass: Pass): void {
    pass.leaveGroups();
    this.#weigh(pass);
    this.#sparePass = pass;
  }

  /** A run to go on with, while a scan still has the one before. */
  #another(pass: Pass): Run {
    const { run } = pass;
    const another = new Run(this.#weights);
    another.weighs = run.weighs;
    another.sc.zone = run.sc.zone;
    another.sc.priority = run.sc.priority;
    another.sc.mode = run.sc.mode;
    another.zoneIndex = run.zoneIndex;
    another.group = run.group;
    another.part = run.part;
    pass.run = another;
    return another;
  }

  /** The group that a pass is for; null for the root, whose pass is over everything. */
  #target(group: MemoryGroup): GroupNode | null {
    const node = this.#nodeOf(group, 'shrink');
    if (node.isOffline) {
      throw new ShrinkerError(
        'ERR_GROUP_OFFLINE',
        `Cannot shrink group ${node.path}: it is offline, use its heir ${node.heir.path}`,
      );
    }
    return node.index === 0 ? null : node;
  }

  #nodeOf(group: MemoryGroup, action: string): GroupNode {
    if (!(group instanceof GroupNode)) {
      throw new TypeError(`Cannot ${action} what is not a group: use root, or what child has returned`);
    }
    if (group.host.table !== this.table) {
      throw new ShrinkerError(
        'ERR_GROUP_FOREIGN',
        `Cannot ${action} group ${group.path}: it belongs to another registry`,
      );
    }
    return group;
  }

  #groupHost(): GroupHost {
    const { table, list } = this;
    const reclaiming: Reclaiming = {
      table,
      list,
      isClosed: () => this.#closing !== null,
      shrink: (group, zone, priority) => this.shrinkSlabSync({ group, zone, priority }),
    };
    return {
      table,
      entryOf: (shrinker, action) => this.#own(shrinker, action),
      makeRoom: (full, charged, zoneIndex, bytes, round) => {
        makeRoom(reclaiming, full, charged, zoneIndex, bytes, round);
      },
      pushBack: (group) => {
        pushBack(reclaiming, group);
      },
      metered: () => {
        this.#metered();
      },
      reportHolder: reportUncaught,
    };
  }

  #metered(): void {
    const { table } = this;
    table.meterAt = table.charged + this.#meterBytes;
    if (this.#watching || table.reclaiming || this.#onCharge === null) {
      return;
    }
    this.#watching = true;
    try {
      this.#onCharge();
    } catch (error) {
      reportUncaught(error);
    } finally {
      this.#watching = false;
    }
  }

  #own(shrinker: Shrinker, action: string): Entry {
    if (!(shrinker instanceof Entry)) {
      throw new TypeError(`Cannot ${action} what is not a shrinker: use what alloc has returned`);
    }
    if (shrinker.host !== this.#host) {
      throw new ShrinkerError(
        'ERR_SHRINKER_FOREIGN',
        `Cannot ${action} shrinker ${shrinker.name}: it belongs to another registry`,
      );
    }
    return shrinker;
  }

  #checkOpen(action: string): void {
    if (this.#closing !== null) {
      throw new ShrinkerError('ERR_SHRINKER_CLOSED', `Cannot ${action}: the registry was disposed of`);
    }
  }

  #report(error: unknown, entry: Entry): void {
    if (this.#onError === null) {
      reportUncaught(error);
      return;
    }
    try {
      this.#onError(error, entry);
    } catch (secondError) {
      reportUncaught(secondError);
    }
  }
}

/** What is no number of bytes goes to the error channel, and counts as 0. */
function retiredOf(entry: Entry, zone: Zone): number {
  try {
    const bytes = entry.spec.retiredBytes?.(zone) ?? 0;
    if (bytes >= 0 && bytes < Infinity) {
      return bytes;
    }
    throw badResult(entry, 'retiredBytes', bytes);
  } catch (error) {
    entry.errors++;
    entry.host.report(error, entry);
    return 0;
  }
}

function checkRequest(request: ShrinkRequest): void {
  const { priority, mode } = request;
  if (priority !== undefined && !(Number.isInteger(priority) && priority >= 0 && priority <= DEF_PRIORITY)) {
    const message = `Cannot shrink at priority ${String(priority)}: give an integer from 0 to ${DEF_PRIORITY}`;
    throw typeof priority === 'number' ? new RangeError(message) : new TypeError(message);
  }
  if (mode !== undefined && mode !== 'background' && mode !== 'direct') {
    const message = `Cannot shrink in mode ${String(mode)}: the modes are background, direct`;
    throw typeof mode === 'string' ? new RangeError(message) : new TypeError(message);
  }
}

function checkOutsideOwnScan(entry: Entry): void {
  if (isInsideOwnScan(entry)) {
    throw new ShrinkerError(
      'ERR_SHRINKER_FREE_IN_SCAN',
      `Cannot free shrinker ${entry.name}: its own count or scan would wait for that, free it after it has returned`,
    );
  }
}
