import type { Srcu } from '@core/rcu';

/** Something to be disposed of when the plugins have stopped; most of them are pendings. */
export interface Exitable extends AsyncDisposable {
  /** Objects that still wait in it. */
  readonly count?: number;
  stats?(): object;
}

export interface Belonging<T> {
  readonly owner: string;
  readonly value: T;
}

/** What the plugins of a host own besides shrinkers and timers. */
export class Belongings {
  readonly exitables: Belonging<Exitable>[] = [];
  readonly domains: Belonging<Srcu>[] = [];
}
