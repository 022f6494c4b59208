import { describe, expect, it } from 'vitest';
import { type DentryCache, KIND_NONE } from '../src/index.js';
import { SEARCHED } from '../src/internal/dentry-node.js';
import { runConcurrently } from './support/concurrent-run.js';
import { insidesOf } from './support/insides.js';
import { runModel } from './support/model-run.js';

const SEEDS = [1, 2, 3, 4, 5, 6];

/** Caches with one thing wrong each: what the model tests would not see, they do not test. */
const BUSTED: Readonly<Record<string, (cache: DentryCache) => void>> = {
  'a child does not pin its parent'(cache) {
    const { tree } = insidesOf(cache);
    const link = tree['link'].bind(tree);
    tree['link'] = (parent, node) => {
      link(parent, node);
      parent.refs--;
    };
  },
  'a name that is moved keeps its sequence number, and so do paths through it'(cache) {
    const { tree, changes } = insidesOf(cache);
    const move = tree.move.bind(tree);
    tree.move = (node, parent, name) => {
      const { seq } = node;
      const { bends } = tree;
      move(node, parent, name);
      node.seq = seq;
      tree.bends = bends;
    };
    Object.assign(changes, { paths: { clear() {} } });
  },
  'a listing does not hear of what is created'(cache) {
    const { tree } = insidesOf(cache);
    tree.forgetListed = () => {};
  },
  'a negative dentry outlives what is created'(cache) {
    const { tree } = insidesOf(cache);
    const drop = tree.drop.bind(tree);
    tree.drop = (node) => {
      if (node.kind !== KIND_NONE) {
        drop(node);
      }
    };
  },
  'the sequence number stays when a dentry is dropped'(cache) {
    const { tree } = insidesOf(cache);
    const unhash = tree.unhash.bind(tree);
    tree.unhash = (node) => {
      const { seq } = node;
      unhash(node);
      node.seq = seq;
    };
  },
  'a listing is believed in a directory that nobody may search'(cache) {
    const { tree } = insidesOf(cache);
    const addListing = tree.addListing.bind(tree);
    tree.addListing = (directory, ...rest) => {
      addListing(directory, ...rest);
      directory.flags |= SEARCHED;
    };
  },
  'symlinks that go do not bend paths'(cache) {
    const { tree } = insidesOf(cache);
    Object.defineProperty(tree, 'bends', { get: () => 0, set() {} });
  },
  'the parent of a changed name keeps its attributes'(cache) {
    const { changes } = insidesOf(cache);
    changes['forget'] = ({ directory, name }) => insidesOf(cache).tree.forgetListed(directory, name);
  },
};

describe('the model notices that', () => {
  it.each(Object.keys(BUSTED))('%s', (name) => {
    const sabotage = BUSTED[name] as (cache: DentryCache) => void;
    const fails = (seed: number): boolean => {
      try {
        runModel({ seed, steps: 600, sabotage });
        return false;
      } catch {
        return true;
      }
    };
    expect(SEEDS.some(fails)).toBe(true);
  });
});

const BUSTED_LATER: Readonly<Record<string, (cache: DentryCache) => void>> = {
  'an answer is kept that something has overtaken'(cache) {
    const { resolver } = insidesOf(cache);
    const ask = resolver['ask'].bind(resolver);
    resolver['ask'] = (request, call, end) =>
      ask(request, call, (answer) => {
        request.cancelled = false;
        end(answer, true);
      });
  },
  'changes do not cancel what is being asked'(cache) {
    insidesOf(cache).tree.cancel = () => {};
  },
  'an inode is released twice'(cache) {
    const { pending } = insidesOf(cache);
    const enqueue = pending.enqueue.bind(pending);
    pending.enqueue = (retired) => {
      enqueue(retired);
      enqueue({ inode: retired.inode, rcuNext: null });
    };
  },
  'a dentry that is dropped keeps its inode for ever'(cache) {
    const { tree } = insidesOf(cache);
    tree.retire = () => {};
    insidesOf(cache).pending.enqueue = () => {};
  },
};

describe('walks that wait notice that', () => {
  it.each(Object.keys(BUSTED_LATER))('%s', async (name) => {
    const sabotage = BUSTED_LATER[name] as (cache: DentryCache) => void;
    let noticed = false;
    for (let at = 0; at < SEEDS.length && !noticed; at++) {
      noticed = await runConcurrently({ seed: SEEDS[at] as number, steps: 400, sabotage }).then(
        () => false,
        () => true,
      );
    }
    expect(noticed).toBe(true);
  });
});
