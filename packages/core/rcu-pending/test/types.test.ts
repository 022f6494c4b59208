import type { RcuFlavor } from '@core/rcu';
import { Rcu } from '@core/rcu';
import type { ShrinkerSpec } from '@core/shrinker';
import { describe, expectTypeOf, it } from 'vitest';
import {
  type BulkProcess,
  CallRcu,
  type CallRcuHead,
  type Freeable,
  KvFree,
  PendingError,
  type PendingErrorCode,
  type RcuHead,
  RcuPending,
  type RcuPendingOptions,
  type RcuPendingStats,
  type ShardPort,
  asShrinker,
} from '../src/index.js';

class Page implements RcuHead {
  rcuNext: RcuHead | null = null;
  readonly bytes = 4096;
}

const rcu = new Rcu();

describe('types', () => {
  it('of a pending follow its objects', () => {
    const pending = new RcuPending<Page>({ rcu, process: (page) => expectTypeOf(page).toEqualTypeOf<Page>() });
    expectTypeOf(pending.enqueue).parameter(0).toEqualTypeOf<Page>();
    expectTypeOf(pending.enqueue).returns.toEqualTypeOf<void>();
    expectTypeOf(pending.dequeue()).toEqualTypeOf<Page | undefined>();
    expectTypeOf(pending.dequeueExpired()).toEqualTypeOf<Page | undefined>();
    expectTypeOf(pending.dequeueFromAll()).toEqualTypeOf<Page | undefined>();
    expectTypeOf(pending.dequeueWhere).parameter(0).toEqualTypeOf<(page: Page) => boolean>();
    expectTypeOf(pending.count).toEqualTypeOf<number>();
    expectTypeOf(pending.bytes).toEqualTypeOf<number>();
    expectTypeOf(pending.barrier()).toEqualTypeOf<Promise<void>>();
    expectTypeOf(pending.exit()).toEqualTypeOf<Promise<void>>();
    expectTypeOf(pending.stats()).toEqualTypeOf<RcuPendingStats>();
    expectTypeOf(pending).toExtend<AsyncDisposable>();
    expectTypeOf(asShrinker(pending)).toEqualTypeOf<ShrinkerSpec>();
  });

  it('of a pending need objects with a head', () => {
    // @ts-expect-error: no rcuNext
    expectTypeOf<RcuPending<{ key: string }>>().not.toBeAny();
    const pending = new RcuPending<Page>({ rcu, process() {} });
    // @ts-expect-error: another object
    expectTypeOf(() => pending.enqueue({ rcuNext: null })).toBeFunction();
    // @ts-expect-error: count is not to be set
    expectTypeOf(() => (pending.count = 1)).toBeFunction();
  });

  it('of options', () => {
    expectTypeOf<RcuPendingOptions<Page>['rcu']>().toEqualTypeOf<RcuFlavor>();
    expectTypeOf<RcuPendingOptions<Page>['shards']>().toEqualTypeOf<ShardPort | undefined>();
    expectTypeOf<{ bulk(pages: readonly Page[], count: number): void }>().toExtend<BulkProcess<Page>>();
    expectTypeOf<{ bulk(pages: readonly Page[], count: number): Promise<void> }>().toExtend<BulkProcess<Page>>();
    expectTypeOf<BulkProcess<Page>>().toExtend<RcuPendingOptions<Page>['process']>();
    expectTypeOf<(page: Page) => Promise<void>>().toExtend<RcuPendingOptions<Page>['process']>();
    // @ts-expect-error: rcu is needed
    expectTypeOf<RcuPendingOptions<Page>>({ process() {} }).toBeObject();
    expectTypeOf<RcuPendingOptions<Page>>({
      rcu,
      process() {},
      sizeOf: (page) => page.bytes,
      isBulk: (page) => page.bytes > 0,
      onError: (error, page) => expectTypeOf([error, page] as const).toEqualTypeOf<readonly [unknown, Page]>(),
      expediteAt: { bytes: 1 },
    }).toBeObject();
  });

  it('of KvFree', () => {
    const kv = new KvFree({ rcu });
    expectTypeOf<Freeable>().toEqualTypeOf<Disposable | AsyncDisposable>();
    expectTypeOf(() => kv.free(Buffer.alloc(1), (buffer) => expectTypeOf(buffer).toExtend<Buffer>())).toBeFunction();
    // @ts-expect-error: nobody knows how
    expectTypeOf(() => kv.free({ key: 1 })).toBeFunction();
    expectTypeOf(kv).toExtend<AsyncDisposable>();
  });

  it('of CallRcu', () => {
    class Head extends Page implements CallRcuHead {
      rcuCallback: ((head: never) => unknown) | null = null;
    }
    const calls = new CallRcu({ rcu });
    expectTypeOf(() => calls.call(new Head(), (head) => expectTypeOf(head).toEqualTypeOf<Head>())).toBeFunction();
    // @ts-expect-error: no room for a callback
    expectTypeOf(() => calls.call(new Page(), () => {})).toBeFunction();
  });

  it('of errors', () => {
    const error: unknown = new PendingError('ERR_PENDING_CLOSED', 'Cannot');
    if (PendingError.is(error)) {
      expectTypeOf(error.code).toEqualTypeOf<PendingErrorCode>();
    }
    // @ts-expect-error: no such code
    expectTypeOf(() => new PendingError('ERR_OTHER', 'Cannot')).toBeFunction();
  });
});
