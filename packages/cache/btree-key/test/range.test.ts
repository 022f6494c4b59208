import { describe, expect, test } from 'vitest';
import { bytes, collect, gate, insides, makeCache, text, turns } from './support/make-cache.js';
import { control, rested } from './support/shrink.js';
import { TestStore } from './support/test-store.js';

// Tests named by a commit are of what the kernel's cache had to fix.
describe('ranges', () => {
  test('0eaca8c0e: deleted keys that are still in the cache, and new ones, are where they belong', async () => {
    const { cache } = await makeCache({ store: new TestStore().preset({ a: '1', b: '2', c: '3', d: '4' }) });
    await cache.del('b');
    await cache.put('bb', bytes('new'));
    await cache.put('c', bytes('33'));
    const all = [
      ['a', '1'],
      ['bb', 'new'],
      ['c', '33'],
      ['d', '4'],
    ];
    expect(await collect(cache.range())).toEqual(all);
    expect(await collect(cache.range({ reverse: true }))).toEqual(all.toReversed());
    expect(await collect(cache.range({ limit: 2 }))).toEqual(all.slice(0, 2));
    expect(await collect(cache.range({ gt: 'a', limit: 1 }))).toEqual([['bb', 'new']]);
    expect(await collect(cache.range({ gte: 'bb', lt: 'd' }))).toEqual(all.slice(1, 3));
    expect(await collect(cache.range({ gt: 'bb', lte: 'd', reverse: true, limit: 1 }))).toEqual([['d', '4']]);
    expect(await collect(cache.range({ limit: 0 }))).toEqual([]);
    expect(await collect(cache.range({ gte: 'x' }))).toEqual([]);
    expect(await collect(cache.range({ lt: '' }))).toEqual([]);
    expect(await collect(cache.range({ gte: '', lte: Uint8Array.of(0xff) }))).toEqual(all);
    await cache.close();
  });

  test('are of one moment, whatever is flushed, evicted and written while they go on', async () => {
    const made = await makeCache({ store: new TestStore().preset({ a: '1', b: '2', c: '3' }) });
    const { cache } = made;
    await cache.put('b', bytes('20'));
    await cache.put('bb', bytes('25'));
    const entries = cache.range()[Symbol.asyncIterator]();
    const first = await entries.next();
    await cache.put('b', bytes('200'));
    await cache.del('bb');
    await cache.put('c', bytes('300'));
    await cache.flush();
    await rested(made);
    cache.asShrinker().scan(control(100));
    cache.asShrinker().scan(control(100));
    const rest = await collect({ [Symbol.asyncIterator]: () => entries });
    expect([first.value, ...rest].map((entry) => text(entry?.[1] as Uint8Array) ?? entry?.[1])).toEqual([
      '1',
      ...rest.map(([, value]) => value),
    ]);
    expect(rest).toEqual([
      ['b', '20'],
      ['bb', '25'],
      ['c', '3'],
    ]);
    await cache.close();
  });

  test('no flush begins while a store takes its snapshot', async () => {
    const made = await makeCache({ store: new TestStore().preset({ a: '1', b: '2' }) });
    const { cache, store } = made;
    const { promise, open } = gate();
    store.before = (action) => (action === 'range' ? promise : undefined);
    const reading = collect(cache.range());
    await cache.put('b', bytes('20'));
    const flushed = cache.flush();
    await turns(5);
    expect(store.contents).toEqual({ a: '1', b: '2' });
    open();
    expect(await reading).toEqual([
      ['a', '1'],
      ['b', '2'],
    ]);
    await flushed;
    expect(store.contents).toEqual({ a: '1', b: '20' });
    await cache.close();
  });

  test('busted: a flush at that moment is seen', async () => {
    const made = await makeCache({ store: new TestStore().preset({ a: '1', b: '2' }) });
    const { cache, store } = made;
    insides(cache).flusher.holdOff = (take: () => Promise<unknown>) => take();
    const { promise, open } = gate();
    store.before = (action) => (action === 'range' ? promise : undefined);
    const reading = collect(cache.range());
    await cache.put('b', bytes('20'));
    await cache.flush();
    open();
    expect(await reading).toEqual([
      ['a', '1'],
      ['b', '20'],
    ]);
    await cache.close();
  });

  test('that are left early, that fail, and that are none', async () => {
    const { cache, store } = await makeCache({ store: new TestStore().preset({ a: '1', b: '2' }) });
    for await (const [key] of cache.range()) {
      expect(text(key)).toBe('a');
      break;
    }
    store.before = (action) => {
      if (action === 'range') {
        throw new Error('broken');
      }
    };
    await expect(collect(cache.range())).rejects.toThrow('broken');
    store.before = null;
    expect(() => cache.range({ limit: -1 })).toThrow(RangeError);
    expect(() => cache.range({ limit: 1.5 })).toThrow(RangeError);
    expect(() => cache.range({ gte: 5 as never })).toThrow(TypeError);
    expect(() => cache.range({ reverse: 'yes' as never })).toThrow(TypeError);
    // A flush is not held off for ever by the one that failed.
    await cache.put('c', bytes('3'));
    await cache.flush();
    await cache.close();
  });
});
