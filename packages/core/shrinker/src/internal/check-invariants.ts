import { assert } from '@core/base';

import type { ShrinkerRegistry } from '../registry.js';
import type { Entry } from './entry.js';
import { ZONES } from './zones.js';

/** Checks the list, the references and the books of a registry. O(shrinkers), for tests. */
export function checkRegistry(registry: ShrinkerRegistry): void {
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
