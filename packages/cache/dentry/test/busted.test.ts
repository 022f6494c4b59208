import { countingSource, delayedSource, memorySource, type MemorySource } from '@core/fs-source';
import { describe, expect, it } from 'vitest';
import { DentryCache, KIND_NONE } from '../src/index.js';
import { SEARCHED } from '../src/internal/dentry-node.js';
import { runConcurrently } from './support/concurrent-run.js';
import { check, insidesOf } from './support/insides.js';
import { runModel } from './support/model-run.js';
import { cacheOutcome, sourceOutcome } from './support/outcome.js';
import { microtasks, TestLoop } from './support/test-loop.js';

/** A file system and a cache before it, which take their time when asked by promises. */
interface Stage {
  readonly memory: MemorySource;
  readonly cache: DentryCache;
  readonly loop: TestLoop;
}

/** Something that must go well, and a cache broken so that it cannot. */
interface Scenario {
  readonly broken: string;
  sabotage(cache: DentryCache): void;
  play(stage: Stage): void | Promise<void>;
}

function agrees({ memory, cache }: Stage, ...paths: string[]): void {
  for (const path of paths) {
    expect([path, cacheOutcome(cache, path, true)]).toEqual([path, sourceOutcome(memory, path, true)]);
  }
}

const SCENARIOS: readonly Scenario[] = [
  {
    broken: 'a child does not pin its parent',
    sabotage(cache) {
      const { tree } = insidesOf(cache);
      const link = tree['link'].bind(tree);
      tree['link'] = (parent, node) => {
        link(parent, node);
        parent.refs--;
      };
    },
    play({ memory, cache }) {
      memory.mkdirSync('/a/b', { recursive: true });
      memory.writeFileSync('/a/b/f');
      const file = cache.walkSync('/a/b/f');
      cache.hold(file);
      cache.prune(100);
      cache.prune(100);
      check(cache, [file]);
      expect(cache.pathOf(cache.peek('/a/b/f') as typeof file)).toBe('/a/b/f');
      cache.release(file);
    },
  },
  {
    broken: 'what moves takes its old paths along',
    sabotage(cache) {
      const { tree, changes } = insidesOf(cache);
      const move = tree.move.bind(tree);
      tree.move = (node, parent, name) => {
        const { seq } = node;
        move(node, parent, name);
        node.seq = seq;
      };
      Object.assign(changes, { paths: { clear() {} } });
    },
    play(stage) {
      const { memory, cache } = stage;
      memory.mkdirSync('/a');
      memory.writeFileSync('/a/f');
      agrees(stage, '/a', '/a/f');
      memory.renameSync('/a', '/b');
      cache.rename('/a', '/b', { certain: true });
      agrees(stage, '/a', '/a/f', '/b', '/b/f');
    },
  },
  {
    broken: 'a listing does not hear of what is created',
    sabotage(cache) {
      insidesOf(cache).tree.forgetListed = () => {};
    },
    play(stage) {
      const { memory, cache } = stage;
      memory.writeFileSync('/f');
      agrees(stage, '/f', '/new');
      memory.writeFileSync('/new');
      cache.created('/new');
      agrees(stage, '/new');
    },
  },
  {
    broken: 'a negative dentry outlives what is created',
    sabotage(cache) {
      const { tree } = insidesOf(cache);
      const drop = tree.drop.bind(tree);
      tree.drop = (node) => {
        if (node.kind !== KIND_NONE) {
          drop(node);
        }
      };
    },
    play(stage) {
      const { memory, cache } = stage;
      cache.walkSync('/new', { fresh: true });
      expect(cache.stats().negative).toBe(1);
      memory.writeFileSync('/new');
      cache.created('/new');
      agrees(stage, '/new');
    },
  },
  {
    broken: 'the sequence number stays when a dentry is dropped',
    sabotage(cache) {
      const { tree } = insidesOf(cache);
      const unhash = tree.unhash.bind(tree);
      tree.unhash = (node) => {
        const { seq } = node;
        unhash(node);
        node.seq = seq;
      };
    },
    play(stage) {
      const { memory, cache } = stage;
      memory.writeFileSync('/f');
      agrees(stage, '/f');
      memory.unlinkSync('/f');
      cache.unlink('/f');
      agrees(stage, '/f');
    },
  },
  {
    broken: 'a listing is believed in a directory that nobody may search',
    sabotage(cache) {
      const { tree } = insidesOf(cache);
      const addListing = tree.addListing.bind(tree);
      tree.addListing = (directory, ...rest) => {
        addListing(directory, ...rest);
        directory.flags |= SEARCHED;
      };
    },
    play(stage) {
      stage.memory.mkdirSync('/d');
      stage.memory.writeFileSync('/d/f');
      stage.memory.chmodSync('/d', 0o600);
      agrees(stage, '/d/f', '/d/nothing', '/d/f/x', '/d/.', '/d/..');
    },
  },
  {
    broken: 'symlinks that go do not bend paths',
    sabotage(cache) {
      Object.defineProperty(insidesOf(cache).tree, 'bends', { get: () => 0, set() {} });
    },
    play(stage) {
      const { memory, cache } = stage;
      memory.mkdirSync('/a');
      memory.mkdirSync('/b');
      memory.writeFileSync('/a/f');
      memory.symlinkSync('a', '/l');
      agrees(stage, '/l/f');
      memory.unlinkSync('/l');
      cache.unlink('/l');
      memory.symlinkSync('b', '/l');
      cache.created('/l');
      agrees(stage, '/l/f');
    },
  },
  {
    broken: 'a directory keeps its attributes when a name in it changes',
    sabotage(cache) {
      const { tree, changes } = insidesOf(cache);
      changes['forget'] = ({ directory, name }) => tree.forgetListed(directory, name);
    },
    play(stage) {
      const { memory, cache } = stage;
      memory.mkdirSync('/d');
      agrees(stage, '/d');
      memory.mkdirSync('/d/e');
      cache.created('/d/e', { kind: 'directory', certain: true });
      agrees(stage, '/d');
    },
  },
  {
    broken: 'every directory that was made is taken for a new one',
    sabotage(cache) {
      const { changes } = insidesOf(cache);
      const created = changes.created.bind(changes);
      changes.created = (path, options) => created(path, { ...options, isNew: true });
    },
    play(stage) {
      const { memory, cache } = stage;
      memory.mkdirSync('/d/e', { recursive: true });
      memory.writeFileSync('/d/e/x');
      agrees(stage, '/d');
      cache.created('/d/e', { kind: 'directory', certain: true });
      agrees(stage, '/d/e/x');
    },
  },
  {
    broken: 'an answer is kept that something has overtaken',
    sabotage(cache) {
      const { resolver } = insidesOf(cache);
      const ask = resolver['ask'].bind(resolver);
      resolver['ask'] = (request, call, end) => ask(request, call, (answer) => end(answer, true));
    },
    async play(stage) {
      const { memory, cache, loop } = stage;
      // The first look-up lists the directory; then names are asked for one by one.
      cache.readdirSync('/');
      const walk = cache.walk('/new', { fresh: true });
      await microtasks();
      memory.writeFileSync('/new');
      cache.created('/new');
      await loop.runAll();
      // It was asked before, and answers again once it knows that it was too early.
      expect((await walk).missing).toBe(null);
      agrees(stage, '/new');
    },
  },
  {
    broken: 'a listing that is on its way does not hear of what is created',
    sabotage(cache) {
      insidesOf(cache).tree.cancel = () => {};
    },
    async play(stage) {
      const { memory, cache, loop } = stage;
      memory.mkdirSync('/d');
      agrees(stage, '/d');
      const listing = cache.readdir('/d');
      await microtasks();
      memory.writeFileSync('/d/new');
      cache.created('/d/new');
      await loop.runAll();
      await listing;
      agrees(stage, '/d/new');
    },
  },
  {
    broken: 'walks that want to know the same ask each for itself',
    sabotage(cache) {
      const { tree } = insidesOf(cache);
      const find = tree.find.bind(tree);
      tree.find = (parent, name) => {
        const node = find(parent, name);
        return node === null || node.request === null ? node : null;
      };
    },
    async play({ memory, loop }) {
      memory.writeFileSync('/f');
      const source = countingSource(delayedSource(memory, 1, loop, 'answer'));
      const cache = new DentryCache({ source, maxListed: 0 });
      this.sabotage(cache);
      const walks = Array.from({ length: 20 }, () => cache.walk('/f'));
      await loop.runAll();
      expect(new Set(await Promise.all(walks)).size).toBe(1);
      expect(source.counts.lstat).toBe(1);
    },
  },
];

function honest(): void {}

function setStage(): Stage {
  const loop = new TestLoop();
  let nowMs = 0;
  const memory = memorySource({ clock: { now: () => ++nowMs } });
  return { memory, loop, cache: new DentryCache({ source: delayedSource(memory, 1, loop, 'answer') }) };
}

describe.each(SCENARIOS.map((scenario) => [scenario.broken, scenario] as const))('where %s', (_, scenario) => {
  it('something goes wrong', async () => {
    const stage = setStage();
    scenario.sabotage(stage.cache);
    await expect((async () => scenario.play(stage))()).rejects.toThrow();
  });

  it('and only there', async () => {
    const stage = setStage();
    await { ...scenario, sabotage: honest }.play(stage);
    check(stage.cache);
  });
});

const SEEDS = [1, 2, 3, 4, 5, 6];
/** Of runs in which walks wait; most faults are noticed in the first few. */
const MANY = 60;

function sabotageOf(broken: string): (cache: DentryCache) => void {
  return (cache) => SCENARIOS.find((scenario) => scenario.broken === broken)?.sabotage(cache);
}

/** What the random tests do not see, they do not test. */
describe('random changes and questions notice that', () => {
  it.each([
    'a child does not pin its parent',
    'a listing does not hear of what is created',
    'a negative dentry outlives what is created',
    'the sequence number stays when a dentry is dropped',
    'symlinks that go do not bend paths',
    'a directory keeps its attributes when a name in it changes',
  ])('%s', (broken) => {
    const fails = (seed: number): boolean => {
      try {
        runModel({ seed, steps: 600, sabotage: sabotageOf(broken) });
        return false;
      } catch {
        return true;
      }
    };
    expect(SEEDS.some(fails)).toBe(true);
  });

  const inodesTwice = (cache: DentryCache): void => {
    const { pending } = insidesOf(cache);
    const enqueue = pending.enqueue.bind(pending);
    pending.enqueue = (retired) => {
      enqueue(retired);
      enqueue({ inode: retired.inode, rcuNext: null });
    };
  };
  const inodesNever = (cache: DentryCache): void => {
    insidesOf(cache).pending.enqueue = () => {};
  };
  it.each([
    ['an answer is kept that something has overtaken', sabotageOf('an answer is kept that something has overtaken')],
    ['an inode is released twice', inodesTwice],
    ['an inode is never released', inodesNever],
  ])('%s, while walks wait', async (_, sabotage) => {
    let noticed = false;
    for (let at = 1; at <= MANY && !noticed; at++) {
      noticed = await runConcurrently({ seed: at, steps: 400, sabotage }).then(
        () => false,
        () => true,
      );
    }
    expect(noticed).toBe(true);
  });
});
