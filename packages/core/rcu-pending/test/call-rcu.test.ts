import { Rcu, Srcu } from '@core/rcu';
import { describe, expect, it } from 'vitest';
import { CallRcu, type CallRcuHead, PendingError, type RcuHead } from '../src/index.js';
import { dryPool, range } from './support/bench.js';
import { uncaught } from './support/uncaught.js';

class Head implements CallRcuHead {
  rcuNext: RcuHead | null = null;
  rcuCallback: ((head: never) => unknown) | null = null;
  readonly id: number;

  constructor(id: number) {
    this.id = id;
  }
}

function turn(): Promise<void> {
  return new Promise((resolve) => {
    setImmediate(resolve);
  });
}

describe('CallRcu', () => {
  it.each([[{}], [{ nodes: dryPool() }]])('calls each back once, with its head, after its readers', async (options) => {
    const srcu = new Srcu();
    const calls = new CallRcu({ rcu: srcu, ...options });
    const index = srcu.readLock();
    const ran: unknown[] = [];
    const heads = range(20).map((id) => new Head(id));
    for (const head of heads) {
      calls.call(head, (given) => ran.push(given));
    }
    expect(calls.count).toBe(20);
    await turn();
    await turn();
    expect(ran).toEqual([]);
    srcu.readUnlock(index);
    await calls.barrier();
    expect(new Set(ran)).toEqual(new Set(heads));
    expect(ran.length).toBe(20);
    expect([calls.count, calls.stats().processed]).toEqual([0, 20]);
    expect(heads.every((head) => head.rcuCallback === null && head.rcuNext === null)).toBe(true);
    await calls.exit();
  });

  it('lets a callback call its head again', async () => {
    const calls = new CallRcu({ rcu: new Rcu() });
    let rounds = 0;
    const again = (head: Head): void => {
      if (++rounds < 5) {
        calls.call(head, again);
      }
    };
    calls.call(new Head(1), again);
    await calls.exit();
    expect(rounds).toBe(5);
  });

  it('refuses a head that waits already, and leaves it its callback', async () => {
    const calls = new CallRcu({ rcu: new Rcu() });
    const head = new Head(1);
    const ran: string[] = [];
    calls.call(head, () => ran.push('first'));
    expect(() => calls.call(head, () => ran.push('second'))).toThrow(
      expect.toSatisfy((error) => PendingError.is(error) && error.code === 'ERR_PENDING_TWICE'),
    );
    expect(calls.count).toBe(1);
    await calls.exit();
    expect(ran).toEqual(['first']);
  });

  it('refuses heads after exit, and they can go elsewhere', async () => {
    const calls = new CallRcu({ rcu: new Rcu() });
    await calls[Symbol.asyncDispose]();
    const head = new Head(1);
    expect(() => calls.call(head, () => {})).toThrow(
      expect.toSatisfy((error) => PendingError.is(error) && error.code === 'ERR_PENDING_CLOSED'),
    );
    expect([head.rcuCallback, calls.count]).toEqual([null, 0]);
    const others = new CallRcu({ rcu: new Rcu() });
    const ran: number[] = [];
    others.call(head, ({ id }) => ran.push(id));
    await others.exit();
    expect(ran).toEqual([1]);
  });

  it('sends errors with the head', async () => {
    const told: unknown[] = [];
    const calls = new CallRcu({
      rcu: new Rcu(),
      budgetMs: 1,
      onError: (error, head) => told.push([(error as Error).message, (head as Head).id]),
    });
    calls.call(new Head(1), () => {
      throw new Error('sync');
    });
    calls.call(new Head(2), () => Promise.reject(new Error('async')));
    calls.call(new Head(3), () => 'fine');
    await calls.exit();
    expect(told).toEqual([
      ['sync', 1],
      ['async', 2],
    ]);
  });

  it('without onError lets errors be uncaught exceptions', async () => {
    const caught = await uncaught(() => {
      const calls = new CallRcu({ rcu: new Rcu() });
      calls.call(new Head(1), () => {
        throw new Error('nobody listens');
      });
    });
    expect(caught).toMatchObject([{ message: 'nobody listens' }]);
  });

  it.each([
    ['no callback', new Head(1), undefined],
    ['a callback that is none', new Head(1), 'later'],
    ['no head', null, () => {}],
    ['a head that is no object', 7, () => {}],
  ])('refuses %s', (_what, head, callback) => {
    const calls = new CallRcu({ rcu: new Rcu() });
    expect(() => calls.call(head as Head, callback as () => void)).toThrow(TypeError);
    expect(calls.count).toBe(0);
  });

  it('takes a head whose fields were not initialised', async () => {
    const calls = new CallRcu({ rcu: new Rcu(), nodes: dryPool() });
    const ran: unknown[] = [];
    calls.call({} as Head, (head) => ran.push(head));
    await calls.exit();
    expect(ran).toEqual([{ rcuNext: null, rcuCallback: null }]);
  });
});
