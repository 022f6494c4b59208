import { describe, expectTypeOf, it } from 'vitest';
import {
  type AdvanceObserver,
  type Cookie,
  Rcu,
  RcuError,
  type RcuErrorCode,
  type RcuFlavor,
  type RcuOptions,
  type RcuStats,
  Srcu,
  type SrcuGuard,
  type SrcuIndex,
  type SrcuOptions,
  type SrcuReport,
} from '../src/index.js';

describe('types', () => {
  const rcu = new Rcu();
  const srcu = new Srcu();

  it('makes both a flavour', () => {
    expectTypeOf<Rcu>().toExtend<RcuFlavor>();
    expectTypeOf<Srcu>().toExtend<RcuFlavor>();
    expectTypeOf<Srcu>().toExtend<AsyncDisposable>();
    expectTypeOf<SrcuGuard>().toExtend<Disposable>();
  });

  it('gives every option a default', () => {
    expectTypeOf<ConstructorParameters<typeof Rcu>>().toEqualTypeOf<[options?: RcuOptions | undefined]>();
    expectTypeOf<ConstructorParameters<typeof Srcu>>().toEqualTypeOf<[options?: SrcuOptions | undefined]>();
    expectTypeOf<Record<never, never>>().toExtend<RcuOptions>();
    expectTypeOf<Record<never, never>>().toExtend<SrcuOptions>();
  });

  it('keeps cookies opaque', () => {
    expectTypeOf(rcu.getState()).toEqualTypeOf<Cookie>();
    expectTypeOf(srcu.startPoll()).toEqualTypeOf<Cookie>();
    expectTypeOf<number>().not.toExtend<Cookie>();
    expectTypeOf<Cookie>().not.toExtend<number>();
    expectTypeOf(rcu.poll).parameters.toEqualTypeOf<[cookie: Cookie]>();
    expectTypeOf(rcu.pollFirst).parameters.toEqualTypeOf<[cookies: ArrayLike<Cookie>]>();
    expectTypeOf(rcu.equal).parameters.toEqualTypeOf<[a: Cookie, b: Cookie]>();
  });

  it('has the methods of a flavour', () => {
    expectTypeOf<RcuFlavor['call']>().toEqualTypeOf<(callback: () => void) => void>();
    expectTypeOf<RcuFlavor['synchronize']>().toEqualTypeOf<() => Promise<void>>();
    expectTypeOf<RcuFlavor['synchronizeExpedited']>().toEqualTypeOf<() => Promise<void>>();
    expectTypeOf<RcuFlavor['barrier']>().toEqualTypeOf<() => Promise<void>>();
    expectTypeOf<RcuFlavor['stats']>().toEqualTypeOf<() => RcuStats>();
    expectTypeOf<RcuFlavor['notifyAdvance']>().toEqualTypeOf<((observer: AdvanceObserver) => void) | undefined>();
  });

  it('keeps what is synchronous synchronous in read()', () => {
    expectTypeOf(srcu.read(() => 7)).toEqualTypeOf<number>();
    expectTypeOf(srcu.read(() => Promise.resolve(7))).toEqualTypeOf<Promise<number>>();
    expectTypeOf(srcu.read(async () => 'x', 'label')).toEqualTypeOf<Promise<string>>();
    const either = (): number | Promise<number> => 7;
    expectTypeOf(srcu.read(either)).toEqualTypeOf<number | Promise<number>>();
    expectTypeOf(rcu.read(() => 7)).toEqualTypeOf<number>();
  });

  it('takes back only what a lock gave', () => {
    expectTypeOf(srcu.readLock()).toEqualTypeOf<SrcuIndex>();
    expectTypeOf(srcu.readUnlock).parameters.toEqualTypeOf<[index: SrcuIndex]>();
    expectTypeOf(srcu.guard()).toEqualTypeOf<SrcuGuard>();
    srcu[Symbol.asyncDispose] satisfies () => Promise<void>;
  });

  it('codes its errors and its reports', () => {
    expectTypeOf<RcuError['code']>().toEqualTypeOf<RcuErrorCode>();
    expectTypeOf(RcuError.is).guards.toEqualTypeOf<RcuError>();
    expectTypeOf<SrcuReport['kind']>().toEqualTypeOf<'stall' | 'leak' | 'abandoned'>();
  });
});
