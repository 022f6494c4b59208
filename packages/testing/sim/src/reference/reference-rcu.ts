import { type Scheduler, systemScheduler } from '@core/base';

import { ReferenceFlavor } from './reference-flavor.js';

export interface ReferenceOptions {
  /** Default: the event loop of this thread. */
  readonly scheduler?: Scheduler;
}

/** Readers are turns: the grace period is one turn boundary. */
export class ReferenceRcu extends ReferenceFlavor {
  readonly name: string = 'reference-rcu';
  protected readonly scheduler: Scheduler;

  constructor(options: ReferenceOptions = {}) {
    super();
    this.scheduler = options.scheduler ?? systemScheduler;
  }

  protected override startGracePeriod(): void {
    this.scheduler.nextTurn(() => {
      this.endGracePeriod();
    }, true);
  }
}
