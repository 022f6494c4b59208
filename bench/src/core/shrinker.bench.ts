import { assert } from '@core/base';
import { type ShrinkControl, type ShrinkerSpec, ShrinkerRegistry } from '@core/shrinker';
import { wallClock } from '../harness/clocks.js';
import { type Competitor, type Target, atLeast, atMost } from '../harness/competitor.js';
import { nextTurn } from '../harness/event-loop.js';
import { race } from '../harness/race.js';
import type { Case, Question } from '../harness/result.js';

const SHRINKERS = 100;
const ENTRIES = 1_024;
/** At this priority, and 2 seeks, 1,024 entries come to one batch of 128. */
const PRIORITY = 4;
const BATCH = 128;

/** A cache whose entries have referenced bits; a scan looks at some of them. */
class Bits implements ShrinkerSpec {
  readonly name: string;
  scanned = 0;
  private readonly bits = new Uint8Array(ENTRIES).fill(1);
  private hand = 0;

  constructor(index: number) {
    this.name = `bits-${index}`;
  }

  count(): number {
    return ENTRIES;
  }

  scan(sc: ShrinkControl): number {
    const { bits } = this;
    let { hand } = this;
    let freed = 0;
    for (let left = sc.nrToScan; left > 0; left--) {
      freed += bits[hand] as number;
      bits[hand] = 1;
      hand = (hand + 1) % ENTRIES;
    }
    this.hand = hand;
    this.scanned += sc.nrToScan;
    return freed;
  }
}

/** Callbacks that do nothing, so that the pass is all there is. */
class Idle implements ShrinkerSpec {
  readonly name: string;
  scanned = 0;

  constructor(index: number) {
    this.name = `idle-${index}`;
  }

  count(): number {
    return ENTRIES;
  }

  scan(sc: ShrinkControl): number {
    this.scanned += sc.nrToScan;
    return sc.nrToScan;
  }
}

interface Counted extends ShrinkerSpec {
  scanned: number;
}

/** Only how much was scanned since the last look: a run leaves nothing behind that another would add to. */
function scannedBy(specs: readonly Counted[]): number {
  let scanned = 0;
  for (const spec of specs) {
    scanned += spec.scanned;
    spec.scanned = 0;
  }
  return scanned;
}

function directCalls(specs: readonly Counted[], passes: number): Competitor {
  const sc = {
    zone: 'heap' as const,
    group: null,
    nrToScan: 0,
    nrScanned: 0,
    priority: PRIORITY,
    mode: 'direct' as const,
  };
  const sink = new Float64Array(1);
  return {
    name: 'direct calls',
    operations: passes * specs.length,
    run() {
      scannedBy(specs);
      let freed = 0;
      for (let pass = 0; pass < passes; pass++) {
        for (let index = 0; index < specs.length; index++) {
          const spec = specs[index] as Counted;
          if (spec.count(sc) > 0) {
            sc.nrToScan = BATCH;
            sc.nrScanned = BATCH;
            const result = spec.scan(sc);
            if (typeof result === 'number') {
              freed += result;
            }
          }
        }
      }
      sink[0] = freed;
    },
    hash: () => (sink[0] as number) + scannedBy(specs),
  };
}

function passes(specs: readonly Counted[], count: number): Competitor {
  const registry = new ShrinkerRegistry();
  for (const spec of specs) {
    registry.register(registry.alloc(spec));
  }
  const sink = new Float64Array(1);
  const request = { priority: PRIORITY };
  return {
    name: 'shrinkSlabSync',
    operations: count * specs.length,
    run() {
      scannedBy(specs);
      let freed = 0;
      for (let pass = 0; pass < count; pass++) {
        freed += registry.shrinkSlabSync(request);
      }
      sink[0] = freed;
    },
    hash: () => (sink[0] as number) + scannedBy(specs),
  };
}

function passCase(name: string, create: (index: number) => Counted, count: number, target: Target | null): Case {
  return {
    name,
    run(size) {
      const many = size === 'real' ? count : 3;
      const specs = (): Counted[] => Array.from({ length: SHRINKERS }, (_, index) => create(index));
      return race(
        {
          competitors: [directCalls(specs(), many), passes(specs(), many)],
          comparisons: [
            {
              what: name,
              of: 'shrinkSlabSync',
              against: 'direct calls',
              as: 'cost',
              ...(target === null ? {} : { target }),
            },
          ],
        },
        size,
      );
    },
  };
}

/** Passes that go on at the same time, each in a scan of 1 ms nearly always. */
const PASSES = 4;
/** Between two turns of the event loop. */
const BETWEEN_TURNS = 100;

/** Registers and frees shrinkers; another one of the same registry scans, or does not. */
function comeAndGo(name: string, pairs: number, scans: boolean): Competitor {
  const registry = new ShrinkerRegistry();
  const sink = new Int32Array(2);
  const scanning = { on: false };
  registry.register(
    registry.alloc({
      name: 'slow',
      batch: 1,
      count: () => 1,
      scan: () =>
        new Promise((resolve) => {
          setTimeout(() => {
            sink[1] = (sink[1] as number) + 1;
            resolve(1);
          }, 1);
        }),
    }),
  );
  const spec: ShrinkerSpec = { name: 'short-lived', count: () => 0, scan: () => 0 };
  async function scanOn(): Promise<void> {
    while (scanning.on) {
      await registry.shrinkSlab({ priority: 0 });
    }
  }
  return {
    name,
    operations: pairs,
    async run() {
      sink.fill(0);
      scanning.on = scans;
      const passesOn = Array.from({ length: PASSES }, () => scanOn());
      let freed = 0;
      for (let pair = 1; pair <= pairs; pair++) {
        const shrinker = registry.alloc(spec);
        registry.register(shrinker);
        await registry.free(shrinker);
        freed++;
        if (pair % BETWEEN_TURNS === 0) {
          await nextTurn();
        }
      }
      sink[0] = freed;
      scanning.on = false;
      await Promise.all(passesOn);
      assert((sink[1] as number) > 0 === scans, 'Cannot compare: scans ran where none should, or the other way round');
    },
    hash: () => sink[0] as number,
    facts: () => ({ scans: sink[1] as number }),
  };
}

export const shrinkerQuestion: Question = {
  id: 'shrinker',
  asks: 'What does a pass cost besides the callbacks, and does registration wait for it?',
  cases: [
    passCase('a pass, scans of 128 entries', (index) => new Bits(index), 100, atMost(1.5)),
    passCase('a pass, empty callbacks', (index) => new Idle(index), 1_000, null),
    {
      name: 'register, free',
      run(size) {
        const pairs = size === 'real' ? 100_000 : 500;
        return race(
          {
            competitors: [comeAndGo('idle', pairs, false), comeAndGo('beside 1 ms scans', pairs, true)],
            comparisons: [
              { what: 'register, free', of: 'beside 1 ms scans', against: 'idle', as: 'speedup', target: atLeast(0.8) },
            ],
            // Who waits for a scan uses no CPU time.
            clock: wallClock,
          },
          size,
        );
      },
    },
  ],
};
