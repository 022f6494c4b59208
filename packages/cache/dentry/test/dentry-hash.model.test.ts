import { SeededRng } from '@core/base';
import { expect, it } from 'vitest';
import { DentryHash, hashName } from '../src/internal/dentry-hash.js';
import { DentryNode } from '../src/internal/dentry-node.js';

const NAMES = ['a', 'b', 'ab', 'ba', '', 'a.js', 'b.js', '\u20AC', '\uD83D\uDE00', 'constructor', 'x'.repeat(300)];

it.each([1, 2, 3])('a hash of dentries finds what a map would, seed %i', (seed) => {
  const rng = new SeededRng(seed);
  const hash = new DentryHash<object>();
  const parents = Array.from({ length: 30 }, (_, at) => new DentryNode<object>(null, `${at}`, `${at}`, 0, at));
  const model = new Map<string, DentryNode<object>>();
  for (let step = 0; step < 20_000; step++) {
    const parent = rng.pick(parents);
    const name = rng.pick(NAMES) + (rng.below(3) === 0 ? '' : rng.below(40));
    const key = `${parent.id}/${name}`;
    const known = model.get(key);
    if (rng.below(3) === 0) {
      if (known === undefined) {
        const node = new DentryNode<object>(parent, name, name, hashName(name), step);
        hash.add(node);
        model.set(key, node);
      } else if (rng.below(2) === 0) {
        hash.remove(known);
        model.delete(key);
      }
    } else {
      // As a part of a longer text, and as nothing but itself.
      const text = `/before/${name}/after`;
      expect(hash.find(parent, hashName(name), text, 8, 8 + name.length), key).toBe(known ?? null);
      expect(hash.find(parent, hashName(name), name, 0, name.length)).toBe(known ?? null);
    }
    expect(hash.count).toBe(model.size);
  }
  expect(model.size).toBeGreaterThan(1000);
});

it('names with one hash are told apart', () => {
  const hash = new DentryHash<object>();
  const parent = new DentryNode<object>(null, '', '', 0, 1);
  const nodes = ['a', 'b', 'c'].map((name, at) => new DentryNode<object>(parent, name, name, 7, at));
  for (const node of nodes) {
    hash.add(node);
  }
  for (const node of nodes) {
    expect(hash.find(parent, 7, `/${node.name}`, 1, 2)).toBe(node);
  }
  hash.remove(nodes[1]!);
  expect(hash.find(parent, 7, 'b', 0, 1)).toBe(null);
  expect(hash.find(parent, 7, 'c', 0, 1)).toBe(nodes[2]);
});
