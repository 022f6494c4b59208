import { type Rng, SeededRng } from '@core/base';
import { expect, test } from 'vitest';
import { definePlugin } from '../src/index.js';
import { type Needy, startOrder } from '../src/internal/start-order.js';

/** A random graph without a cycle: nodes need only those before them in a hidden order, and are given shuffled. */
function randomNodes(rng: Rng): Needy[] {
  const size = Math.floor(rng.next() * 12);
  const names = Array.from({ length: size }, (_, index) => `p${index}`);
  const nodes = names.map((name, index) => ({
    plugin: definePlugin({ name, create: () => {} }),
    needs: names.slice(0, index).filter(() => rng.next() < 0.3),
  }));
  for (let last = nodes.length - 1; last > 0; last--) {
    const other = Math.floor(rng.next() * (last + 1));
    [nodes[last], nodes[other]] = [nodes[other]!, nodes[last]!];
  }
  return nodes;
}

/** Each after what it needs; nobody lost; and nobody ahead of its place unless somebody ahead needs it. */
function expectGoodOrder(nodes: readonly Needy[], ordered: readonly Needy[]): void {
  expect(new Set(ordered)).toEqual(new Set(nodes));
  expect(ordered).toHaveLength(nodes.length);
  const place = new Map(ordered.map((node, index) => [node.plugin.name, index]));
  const given = new Map(nodes.map((node, index) => [node.plugin.name, index]));
  for (const node of ordered) {
    const own = place.get(node.plugin.name) as number;
    for (const need of node.needs) {
      expect(place.get(need as string)).toBeLessThan(own);
    }
    const overtaken = ordered
      .slice(own + 1)
      .filter(({ plugin }) => (given.get(plugin.name) as number) < (given.get(node.plugin.name) as number));
    for (const other of overtaken) {
      // Whoever is overtaken has given way to a chain of needs, its own or that of somebody before it.
      const cause = ordered
        .slice(own + 1)
        .some(
          (later) =>
            reaches(later, node, nodes) &&
            (given.get(later.plugin.name) as number) <= (given.get(other.plugin.name) as number),
        );
      expect(cause, `${node.plugin.name} overtook ${other.plugin.name}`).toBe(true);
    }
  }
}

function reaches(from: Needy, to: Needy, nodes: readonly Needy[]): boolean {
  return from.needs.some(
    (need) => need === to.plugin.name || reaches(nodes.find(({ plugin }) => plugin.name === need) as Needy, to, nodes),
  );
}

function trial(order: (nodes: readonly Needy[]) => Needy[], seed: number): void {
  const rng = new SeededRng(seed);
  for (let round = 0; round < 300; round++) {
    const nodes = randomNodes(rng);
    expectGoodOrder(nodes, order(nodes));
  }
}

const seed = Math.floor(Math.random() * 2 ** 32);

test(`plugins start after what they need, and else in the order given (seed ${seed})`, () => {
  trial(startOrder, seed);
});

test.each<[string, (nodes: readonly Needy[]) => Needy[]]>([
  ['as given', (nodes) => [...nodes]],
  ['by the number of needs', (nodes) => [...nodes].sort((a, b) => a.needs.length - b.needs.length)],
  ['one lost', (nodes) => startOrder(nodes).slice(1)],
  // Right for every need, and yet not stable.
  ['from the back', (nodes) => startOrder(nodes.toReversed())],
])('a wrong order is noticed: %s', (_name, order) => {
  expect(() => trial(order, seed)).toThrow();
});
