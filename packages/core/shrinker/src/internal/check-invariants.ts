import { assert } from '@core/base';

import type { ShrinkerRegistry } from '../registry.js';
import type { Entry } from './entry.js';
import type { GroupNode } from './group-node.js';
import { type GroupTable, SLOTS } from './group-table.js';
import { ALL_ZONES } from './limits.js';
import { ANY_ZONE, ZONES } from './zones.js';

/** Checks the list, the references, the groups and the books of a registry. O(shrinkers × groups), for tests. */
export function checkRegistry(registry: ShrinkerRegistry): void {
  checkTable(registry['table']);
  const { list, names } = { list: registry['list'], names: registry['names'] };
  let before: Entry | null = null;
  let findable = 0;
  for (let entry = list.first; entry !== null; entry = entry.next) {
    const { name } = entry;
    assert(entry.linked, `${name} is on the list and says it is not`);
    assert(entry.prev === before, `${name} has another one before it than the list has`);
    assert(entry.order > (before?.order ?? 0), `${name} is out of order`);
    assert(entry.order <= list.registrations, `${name} is later than the last registration`);
    assert(entry.state !== 'allocated', `${name} is on the list but was never registered`);
    assert(entry.refs !== 0, `${name} is on the list but nobody keeps it`);
    assert(entry.refs > 0 === (entry.state === 'registered'), `${name} is ${entry.state} and has ${entry.refs} refs`);
    assert(entry.refs > 0 === (entry.gone === null), `${name} has ${entry.refs} refs, and its end is awaited or not`);
    assert(entry.inFlight >= 0 && entry.inFlight <= Math.abs(entry.refs), `${name} has ${entry.inFlight} in flight`);
    assert(entry.bitId >= 0 === entry.groupAware, `${name} has bit ${entry.bitId}, and knows groups or not`);
    assert((names.get(name) === entry) === entry.refs > 0, `${name} can be found, or cannot, against its refs`);
    findable += entry.refs > 0 ? 1 : 0;
    for (const index of ZONES.keys()) {
      const deferred = entry.deferredAt(index);
      assert(Number.isFinite(deferred) && deferred >= 0, `${name} has put off ${deferred} in ${ZONES[index]}`);
    }
    for (const total of [entry.runs, entry.freed, entry.scanned, entry.errors]) {
      assert(Number.isFinite(total) && total >= 0, `${name} has a total of ${total}`);
    }
    before = entry;
  }
  assert(list.last === before, 'the last of the list is another one');
  assert(names.size === findable, `${names.size} names, and ${findable} shrinkers that can be found`);
}

/** Checks ids, bits, counts put off, and the bytes of the groups. */
function checkTable(table: GroupTable): void {
  const { root, groups, entries } = table;
  assert(root.index === 0 && root.above === null && root.online, 'the root is not at its place');
  for (const [id, entry] of entries.entries()) {
    assert(entry === null || entry.bitId === id, `${entry?.name} is at bit ${id} and says ${entry?.bitId}`);
  }
  const seen = new Set<GroupNode>();
  let protecting = 0;
  const visit = (group: GroupNode): void => {
    const { path, index, used, own, infos } = group;
    assert(group.online && groups[index] === group && !seen.has(group), `${path} is not where it says it is`);
    seen.add(group);
    protecting += group.set?.isProtecting === true ? 1 : 0;
    const sums = [...own, 0];
    for (const child of group.below()) {
      assert(child.above === group, `${child.path} is below ${path} and does not know`);
      for (const zone of ZONES.keys()) {
        sums[zone] = (sums[zone] as number) + (child.used[zone] as number);
      }
      visit(child);
    }
    sums[ALL_ZONES] = sums.slice(0, ZONES.length).reduce((sum, bytes) => sum + bytes, 0);
    for (const [at, sum] of sums.entries()) {
      assert(used[at] === sum, `${path} says it uses ${used[at]} bytes at ${at}, and its parts ${sum}`);
      assert(sum >= 0 && Number.isSafeInteger(sum), `${path} uses ${sum} bytes`);
    }
    for (let slot = 0; slot < SLOTS; slot++) {
      const info = infos[slot] ?? null;
      const any = ((table.any[slot]?.[index >>> 5] ?? 0) & (1 << (index & 31))) !== 0;
      assert(any === (info !== null && info.live > 0), `${path} is told to have bits, or not, against its bits`);
      assert(info === null || index !== 0, 'the root has bits');
      let live = 0;
      for (const [at, unit] of (info?.units ?? []).entries()) {
        const summary = ((info?.summary[at >>> 5] ?? 0) & (1 << (at & 31))) !== 0;
        assert(summary === ((unit?.map ?? 0) !== 0), `the summary of ${path} is wrong about unit ${at}`);
        live += summary ? 1 : 0;
        for (let bit = 0; bit < 32; bit++) {
          const entry = entries[at * 32 + bit] ?? null;
          const isSet = ((unit?.map ?? 0) & (1 << bit)) !== 0;
          const deferred = unit?.deferred?.[bit] ?? 0;
          assert(
            entry !== null || (!isSet && deferred === 0),
            `${path} has something of bit ${at * 32 + bit}, which is free`,
          );
          assert(deferred >= 0 && Number.isFinite(deferred), `${entry?.name} has put off ${deferred} in ${path}`);
          if (entry !== null && (isSet || deferred > 0)) {
            assert(entry.marked, `${entry.name} has something in ${path} and was never told of`);
            assert(entry.zoneAware === (slot !== ANY_ZONE), `${entry.name} has something in the wrong slot of ${path}`);
          }
        }
      }
      assert((info?.live ?? 0) === live, `${path} counts ${info?.live} units with bits, of ${live}`);
    }
  };
  visit(root);
  assert(protecting === table.protecting, `${table.protecting} groups are said to protect, of ${protecting}`);
  assert(seen.size === groups.filter((group) => group !== null).length, 'a group is in the table and not in the tree');
}
