import { type Clock, type Scheduled, type Scheduler, reportUncaught, systemClock, systemScheduler } from '@core/base';
import { DEF_PRIORITY, type ShrinkerRegistry, type Zone } from '@core/shrinker';
import { Cooldown } from './internal/cooldown.js';
import { startPriority } from './internal/start-priority.js';
import type { MemoryBudget } from './memory-budget.js';
import type { MemoryMonitor } from './memory-monitor.js';

/** Why somebody should be told. */
export type ShortReason = 'near-limit' | 'reclaim-failed';

export interface ReclaimerOptions {
  readonly registry: ShrinkerRegistry;
  readonly monitor: MemoryMonitor;
  readonly clock?: Clock;
  readonly scheduler?: Scheduler;
  /**
   * Less than half of a `min` watermark is free, or direct reclaim freed next to nothing: about once in 10 s while that
   * lasts. It is called inside of a charge: answer quickly. What it throws is thrown where nobody catches it.
   */
  readonly onShort?: (reason: ShortReason, budget: MemoryBudget) => void;
  /** Takes what background reclaim rejects with. Default: an uncaught exception. */
  readonly onError?: (error: unknown) => void;
}

export interface ReclaimerStats {
  /** Times that a charge had to reclaim, and bytes that it freed so, as charged. */
  readonly direct: number;
  readonly directBytes: number;
  /** Milliseconds spent in it. */
  readonly directMs: number;
  /** Slices in the background, and bytes that they freed. */
  readonly background: number;
  readonly backgroundBytes: number;
  /** Times that less was freed than was asked for. */
  readonly shortfalls: number;
  /** Milliseconds for which background reclaim rests, since what it freed did not make the heap smaller; or 0. */
  readonly cooldownMs: number;
  /** Whether background reclaim is at work. */
  readonly active: boolean;
}

const MIB = 2 ** 20;
/** Between two looks at the heap while it fills: a part of the limit, within bounds. */
const STEPS_PER_LIMIT = 256;
const STEP_MIN_BYTES = MIB / 2;
const STEP_MAX_BYTES = 8 * MIB;
const EXACT_STEP_MIN_BYTES = MIB / 16;
/** What one direct reclaim may take from the caches, and how long, unless there is next to nothing free. */
const DIRECT_STEPS = 2;
const DIRECT_MS = 0.5;
const SLICE_BYTES = 4 * MIB;
const SLICE_MS = 2;
/** Background ticks: while it reclaims, while it might have to soon, and at rest. */
const BUSY_MS = 5;
const WATCHFUL_MS = 100;
const REST_MS = 1000;
/** Every source is read at each tick at rest, and after long in which nothing was charged less often: that takes ms. */
const IDLE_POLL_MS = 4000;
const TELL_AGAIN_MS = 10_000;
/** A stall of so much of the time is a request to give something back, whatever the budgets say. */
const STALLED_SHARE = 0.1;
const PRESS_WAIT_MAX_MS = 60_000;

/**
 * Keeps enough memory free: in the background from below `low` up to `high`, and below `min` inside of the very charge
 * that wants more.
 *
 * A loop that fills caches and never yields lets no timer run, so everything that keeps it within the limit happens in
 * its charges. Each step of some hundred kilobytes the heap is looked at; a look costs tens of microseconds.
 *
 * @see Linux mm/vmscan.c, kswapd and direct reclaim
 */
export class Reclaimer {
  private readonly registry: ShrinkerRegistry;
  private readonly monitor: MemoryMonitor;
  private readonly clock: Clock;
  private readonly scheduler: Scheduler;
  private readonly onShort: ((reason: ShortReason, budget: MemoryBudget) => void) | null;
  private readonly onError: (error: unknown) => void;
  private readonly cooldown = new Cooldown();
  private timer: Scheduled | null = null;
  private timerDueMs = 0;
  private slicing = false;
  private closed = false;
  private reclaiming = false;
  private readonly latched = new Set<MemoryBudget['name']>();
  private delayMs = BUSY_MS;
  private pollMs = REST_MS;
  private lastPollMs = -Infinity;
  private lastToldMs = -Infinity;
  private pressAgainMs = -Infinity;
  private pressWaitMs = REST_MS;
  private watchedBytes = 0;
  /** Priority of the next pass where nothing is charged, so that nothing says how much a pass frees. */
  private blindPriority = DEF_PRIORITY;
  private direct = 0;
  private directBytes = 0;
  private directMs = 0;
  private background = 0;
  private backgroundBytes = 0;
  private shortfalls = 0;

  private readonly onCharge = (): void => this.charged();

  constructor(options: ReclaimerOptions) {
    this.registry = options.registry;
    this.monitor = options.monitor;
    this.clock = options.clock ?? systemClock;
    this.scheduler = options.scheduler ?? systemScheduler;
    this.onShort = options.onShort ?? null;
    this.onError = options.onError ?? reportUncaught;
  }

  /** Bytes that may be charged between two looks at the heap. */
  get stepBytes(): number {
    const heap = this.monitor.budgetOf('heap').limitBytes;
    let step = Math.min(STEP_MAX_BYTES, Math.max(STEP_MIN_BYTES, Math.floor(heap / STEPS_PER_LIMIT)));
    for (const { name, watermarks } of this.monitor.budgets) {
      // A step that is larger than what is kept free would go beyond the limit before anybody looks.
      if (name !== 'heap' && watermarks.min > 0) {
        step = Math.min(step, Math.max(EXACT_STEP_MIN_BYTES, watermarks.min));
      }
    }
    return step;
  }

  /** From now on charges are watched, and a timer that keeps nothing alive looks about once a second. */
  start(): void {
    if (!this.closed) {
      this.watch();
      this.wake(REST_MS);
    }
  }

  /** Watches no more. A slice that is under way ends by itself. Idempotent. */
  close(): void {
    if (!this.closed) {
      this.closed = true;
      if (this.watchedBytes > 0) {
        this.registry.watchCharges(STEP_MAX_BYTES, null);
      }
      this.timer?.cancel();
      this.timer = null;
    }
  }

  /**
   * Makes room for something large before it is built: reclaims until the `min` watermark would still be free with so
   * many bytes more.
   *
   * @returns whether there is room
   * @throws {TypeError | RangeError} when bytes is not a number from 0, or the zone is unknown
   */
  reserve(bytes: number, zone: Zone = 'heap'): boolean {
    if (typeof bytes !== 'number' || !(bytes >= 0)) {
      const message = `Cannot reserve ${String(bytes)} bytes: give a number from 0`;
      throw typeof bytes === 'number' ? new RangeError(message) : new TypeError(message);
    }
    if (!this.monitor.budgets.some(({ zones }) => zones.includes(zone))) {
      throw new RangeError(`Cannot reserve memory in zone ${String(zone)}: the zones are heap, external, shared`);
    }
    this.monitor.sample();
    let fits = true;
    for (const budget of this.monitor.budgets) {
      if (budget.zones.includes(zone)) {
        const lacking = (): number => budget.watermarks.min + bytes - this.monitor.freeBytes(budget);
        // What can never fit is not worth what it would cost the others.
        if (lacking() > 0 && bytes <= budget.limitBytes - budget.watermarks.min) {
          this.reclaimSync(budget, lacking(), Infinity);
        }
        fits &&= lacking() <= 0;
      }
    }
    return fits;
  }

  stats(): ReclaimerStats {
    return {
      direct: this.direct,
      directBytes: this.directBytes,
      directMs: this.directMs,
      background: this.background,
      backgroundBytes: this.backgroundBytes,
      shortfalls: this.shortfalls,
      cooldownMs: this.cooldown.leftMs(this.clock.now()),
      active: this.latched.size > 0,
    };
  }

  /** A step has been charged. */
  private charged(): void {
    this.pollMs = REST_MS;
    this.look();
    for (const budget of this.monitor.budgets) {
      const free = this.monitor.freeBytes(budget);
      if (free < budget.watermarks.min) {
        this.reclaimDirectly(budget, free);
      } else if (free < budget.watermarks.low && !this.latched.has(budget.name)) {
        this.latched.add(budget.name);
        this.delayMs = BUSY_MS;
        this.wake(BUSY_MS);
      }
    }
  }

  private reclaimDirectly(budget: MemoryBudget, free: number): void {
    const { monitor } = this;
    const { min } = budget.watermarks;
    const isCritical = free < min / 2;
    const startedMs = this.clock.now();
    this.latched.add(budget.name);
    this.wake(BUSY_MS);
    if (!isCritical && this.isResting(budget, startedMs)) {
      return;
    }
    // Near the end all that is lacking, before that as much as the caller can be expected to wait for.
    const lacking = isCritical ? min - free : Math.min(min - free, DIRECT_STEPS * this.stepBytes);
    const freed = this.reclaimSync(budget, lacking, isCritical ? Infinity : startedMs + DIRECT_MS);
    this.direct++;
    this.directBytes += freed;
    this.directMs += this.clock.now() - startedMs;
    const isLittle = freed * monitor.factorOf(budget) < lacking / 2;
    if (isLittle) {
      this.shortfalls++;
    }
    if (isCritical || (isLittle && freed === 0)) {
      this.tell(monitor.freeBytes(budget) < min / 2 ? 'near-limit' : 'reclaim-failed', budget, freed === 0);
    }
  }

  /** @param lacking live bytes @returns charged bytes that were freed */
  private reclaimSync(budget: MemoryBudget, lacking: number, deadlineMs: number): number {
    if (this.reclaiming) {
      return 0;
    }
    this.reclaiming = true;
    let freed = 0;
    try {
      const wanted = lacking / this.monitor.factorOf(budget);
      for (const zone of this.zonesOf(budget)) {
        const pass = new Passes(this.registry, zone, wanted - freed, this.blindPriority);
        while (pass.wantsMore()) {
          pass.ended(this.registry.shrinkSlabSync({ zone, priority: pass.priority }));
          // Mild passes may free nothing at all, and that is no answer.
          if (pass.freedBytes > 0 && this.clock.now() >= deadlineMs) {
            break;
          }
        }
        freed += this.took(zone, pass);
        if (freed >= wanted) {
          break;
        }
      }
    } finally {
      this.reclaiming = false;
    }
    return freed;
  }

  /** The zone with the most first. */
  private zonesOf(budget: MemoryBudget): Zone[] {
    const { root } = this.registry;
    return budget.zones
      .filter((zone, index) => index === 0 || root.usage(zone) > 0)
      .toSorted((one, other) => root.usage(other) - root.usage(one));
  }

  /** Looks at the heap, and judges whether what was freed since the last collection has made it smaller. */
  private look(): void {
    const { monitor } = this;
    if (monitor.sample() > 0) {
      this.cooldown.collected(monitor.takeSurprise(), this.clock.now());
      this.watch();
    }
  }

  private watch(): void {
    const { stepBytes } = this;
    if (stepBytes !== this.watchedBytes && !this.closed) {
      this.watchedBytes = stepBytes;
      this.registry.watchCharges(stepBytes, this.onCharge);
    }
  }

  private wake(delayMs: number): void {
    if (this.closed || this.slicing) {
      return;
    }
    const dueMs = this.clock.now() + delayMs;
    if (this.timer !== null && this.timerDueMs <= dueMs) {
      return;
    }
    this.timer?.cancel();
    this.timerDueMs = dueMs;
    this.timer = this.scheduler.after(delayMs, () => {
      this.timer = null;
      this.tick().catch(this.onError);
    });
  }

  private async tick(): Promise<void> {
    if (this.closed) {
      return;
    }
    const now = this.clock.now();
    this.slicing = true;
    let progress = 0;
    try {
      // First, since a poll would take the collections that the cooldown has to hear of.
      this.look();
      if (now - this.lastPollMs >= this.pollMs) {
        this.lastPollMs = now;
        this.monitor.poll();
        this.watch();
        this.pollMs = this.isPressed || this.isNear() ? REST_MS : Math.min(2 * this.pollMs, IDLE_POLL_MS);
      }
      const pressed = this.pressed();
      for (const budget of this.monitor.budgets) {
        progress += await this.slice(budget, budget === pressed ? SLICE_BYTES : 0, now);
      }
    } finally {
      this.slicing = false;
      this.delayMs = progress > 0 ? BUSY_MS : Math.min(this.delayMs * 2, REST_MS);
      if (this.latched.size === 0) {
        this.blindPriority = DEF_PRIORITY;
      }
      this.wake(this.latched.size > 0 ? this.delayMs : this.isNear() ? WATCHFUL_MS : REST_MS);
    }
  }

  /** @param pressedBytes wanted whatever is free */
  private async slice(budget: MemoryBudget, pressedBytes: number, startedMs: number): Promise<number> {
    const { monitor } = this;
    const { low, high } = budget.watermarks;
    const free = monitor.freeBytes(budget);
    if (free < low) {
      this.latched.add(budget.name);
    } else if (free >= high) {
      this.latched.delete(budget.name);
    }
    // Between the two it goes on, and does not begin.
    const lacking = Math.max(pressedBytes, this.latched.has(budget.name) ? high - free : 0);
    if (lacking <= 0 || this.closed || this.isResting(budget, startedMs)) {
      return 0;
    }
    const freed = await this.reclaimSlice(budget, Math.min(lacking, SLICE_BYTES), startedMs + SLICE_MS);
    this.background++;
    this.backgroundBytes += freed;
    return freed;
  }

  /**
   * The budget that has to give back although enough of it is free, since the container is nearly full, or tasks stall:
   * the one of which most is charged. A slice at a time, and twice as long after it for each that has not helped: the
   * resident set may be large for other reasons.
   */
  private pressed(): MemoryBudget | null {
    if (!this.isPressed) {
      this.pressWaitMs = REST_MS;
      this.pressAgainMs = -Infinity;
      return null;
    }
    if (this.lastPollMs < this.pressAgainMs) {
      return null;
    }
    this.pressAgainMs = this.lastPollMs + this.pressWaitMs;
    this.pressWaitMs = Math.min(2 * this.pressWaitMs, PRESS_WAIT_MAX_MS);
    const { root } = this.registry;
    const chargedOf = ({ zones }: MemoryBudget): number => zones.reduce((sum, zone) => sum + root.usage(zone), 0);
    const [heap, external] = [this.monitor.budgetOf('heap'), this.monitor.budgetOf('external')];
    return chargedOf(external) > chargedOf(heap) ? external : heap;
  }

  private get isPressed(): boolean {
    return this.monitor.overflowBytes > 0 || this.monitor.stalledShare > STALLED_SHARE;
  }

  private async reclaimSlice(budget: MemoryBudget, lacking: number, deadlineMs: number): Promise<number> {
    const wanted = lacking / this.monitor.factorOf(budget);
    let freed = 0;
    for (const zone of this.zonesOf(budget)) {
      const pass = new Passes(this.registry, zone, wanted - freed, this.blindPriority);
      while (!this.closed && pass.wantsMore()) {
        pass.ended(await this.registry.shrinkSlab({ zone, priority: pass.priority }));
        if (this.clock.now() >= deadlineMs) {
          break;
        }
      }
      freed += this.took(zone, pass);
      if (freed >= wanted || this.closed) {
        break;
      }
    }
    return freed;
  }

  /** The passes over a zone are over. @returns charged bytes that they freed */
  private took(zone: Zone, { freedBytes, nextBlindPriority }: Passes): number {
    this.blindPriority = nextBlindPriority;
    if (zone === 'heap') {
      this.cooldown.reclaimed(freedBytes * this.monitor.factorOf(this.monitor.budgetOf('heap')));
    }
    return freedBytes;
  }

  /** A collection judges what was freed of the heap; the others are counted exactly, and need no such judge. */
  private isResting(budget: MemoryBudget, nowMs: number): boolean {
    return budget.name === 'heap' && this.cooldown.rests(nowMs);
  }

  private isNear(): boolean {
    const { monitor } = this;
    // Where the marks are close together, a budget that is back above `high` is at rest all the same.
    return monitor.budgets.some((budget) => {
      const { low, high } = budget.watermarks;
      return monitor.freeBytes(budget) < Math.min(1.25 * low, high);
    });
  }

  private tell(reason: ShortReason, budget: MemoryBudget, force: boolean): void {
    const now = this.clock.now();
    const isShort = force || this.monitor.freeBytes(budget) < budget.watermarks.min / 2;
    if (this.onShort === null || !isShort || now - this.lastToldMs < TELL_AGAIN_MS) {
      return;
    }
    this.lastToldMs = now;
    try {
      this.onShort(reason, budget);
    } catch (error) {
      reportUncaught(error);
    }
  }
}

/** Passes over one zone at rising priority, until so many bytes are free that were charged. */
class Passes {
  priority: number;
  freedBytes = 0;
  nextBlindPriority: number;
  private readonly registry: ShrinkerRegistry;
  private readonly zone: Zone;
  private readonly wanted: number;
  private readonly blind: boolean;
  private lastUsage: number;
  private done = false;

  constructor(registry: ShrinkerRegistry, zone: Zone, wanted: number, blindPriority: number) {
    this.registry = registry;
    this.zone = zone;
    this.wanted = wanted;
    this.lastUsage = registry.root.usage(zone);
    this.blind = this.lastUsage === 0;
    this.nextBlindPriority = blindPriority;
    this.priority = this.blind ? blindPriority : startPriority(this.lastUsage, wanted);
  }

  wantsMore(): boolean {
    return !this.done && this.wanted > 0;
  }

  /** A pass has ended. */
  ended(objects: number): void {
    const usage = this.registry.root.usage(this.zone);
    // Whoever runs between the batches of an asynchronous pass may charge meanwhile.
    const freed = Math.max(0, this.lastUsage - usage);
    this.lastUsage = usage;
    this.freedBytes += freed;
    if (this.blind) {
      // One pass at a time: the next collection says what it did.
      this.nextBlindPriority = Math.max(0, this.priority - 1);
      this.done = true;
    } else if (this.freedBytes >= this.wanted) {
      this.done = true;
    } else if (this.priority > 0) {
      this.priority--;
    } else {
      this.done = objects === 0 || freed === 0;
    }
  }
}
