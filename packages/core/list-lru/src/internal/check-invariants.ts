import { assert } from '@core/base';

import type { GroupList } from './group-list.js';
import type { ListLru, LruNode } from '../list-lru.js';
import { NO_SLOT, ON_NO_LIST } from '../slot-links.js';
import type { SlotLru } from '../slot-lru.js';

/** Checks all links, lengths and tags of a list. O(capacity), for tests; not from inside an isolate callback. */
export function checkSlotLru(lru: SlotLru): void {
  const { links } = lru;
  const id = lru['id'];
  assert(links.lists[id - 1] === lru, 'the list is not under its id');
  const first = lru['first'];
  let before = lru.tail();
  let length = 0;
  assert((first === NO_SLOT) === (lru.length === 0), `the head is ${first}, and the length ${lru.length}`);
  for (let slot = first; slot !== NO_SLOT && (slot !== first || length === 0); slot = links.next[slot] as number) {
    assert(links.owner[slot] === id, `slot ${slot} is linked but tagged ${links.owner[slot]}`);
    assert(links.prev[slot] === before, `slot ${slot} has prev ${links.prev[slot]}, not ${before}`);
    before = slot;
    length++;
    assert(length <= lru.length, `more than ${lru.length} slots are linked`);
  }
  assert(lru.tail() === before, `the tail is ${lru.tail()}, not ${before}`);
  assert(lru.length === length, `the length is ${lru.length}, and ${length} slots are linked`);
  let tagged = 0;
  for (const owner of links.owner) {
    assert(owner >= ON_NO_LIST && owner <= links.lists.length, `a slot has the tag ${owner}`);
    tagged += owner === id ? 1 : 0;
  }
  assert(tagged === length, `${tagged} slots are tagged, and ${length} linked`);
  assert(lru['walks'] === 0 && lru['paused'].length === 0, 'a walk that ended still counts');
  assert(lru['walkSlot'] === NO_SLOT && lru['walkNext'] === NO_SLOT, 'a walk that ended has left a trace');
}

/** As {@link checkSlotLru} for each list, and checks that objects and slots point at each other. */
export function checkListLru<T extends LruNode>(lru: ListLru<T>): void {
  const { owner, next, lists } = lru['links'];
  const objects = lru['objects'];
  const parts = new Set<SlotLru>(lru['spare']);
  assert(parts.size === lru['spare'].length, 'a spare list is there twice');
  for (const spare of parts) {
    assert(spare.length === 0, 'a spare list has objects');
  }
  let used = 0;
  const check = (list: GroupList): void => {
    let length = 0;
    for (const part of list.parts()) {
      checkSlotLru(part);
      assert(!parts.has(part), 'a list is in two hands');
      parts.add(part);
      assert(lru['owners'][part['id'] - 1] === list, 'a list belongs to another one than has it');
      length += part.length;
      for (const slot of part) {
        const object = objects[slot];
        assert(object !== null && object !== undefined, `slot ${slot} is linked but has no object`);
        assert(object.lruSlot === slot, `the object in slot ${slot} says ${object.lruSlot}`);
        used++;
      }
    }
    assert(list.length === length, `${list.group?.path} counts ${list.length} objects, of ${length}`);
  };
  for (const list of lru['lists']) {
    assert(list.group === null, 'the list of the root is that of another group');
    check(list);
  }
  for (const [group, ofGroup] of lru['groups']) {
    assert(!group.isOffline && group.parent !== null, `${group.path} has lists, and is offline, or the root`);
    for (const list of ofGroup) {
      if (list !== null) {
        assert(list.group === group, `the list of ${group.path} is that of ${list.group?.path}`);
        check(list);
      }
    }
  }
  assert(parts.size === lists.length, `${lists.length} lists were made, and ${parts.size} are somewhere`);
  assert(lru.length === used, `the length is ${lru.length}, and ${used} objects are listed`);
  let free = 0;
  for (let slot = lru['freeSlot']; slot !== NO_SLOT; slot = next[slot] as number) {
    assert(owner[slot] === ON_NO_LIST, `free slot ${slot} is linked`);
    assert(objects[slot] === null, `free slot ${slot} has an object`);
    free++;
    assert(free <= owner.length, 'the free slots go round in a circle');
  }
  assert(used + free === owner.length, `${used} slots are in use and ${free} free, of ${owner.length}`);
}
