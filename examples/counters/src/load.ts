import type { SeededRng } from '@core/base';
import autocannon from 'autocannon';
import type { Tally } from './tally.js';

const CLIENTS = 1000;
/** Far more than any phase takes. */
const FOREVER_SECONDS = 3600;
const SAMPLE_MS = 50;

/** Hits from many connections at once, each of which waits for its answer. */
export class Load {
  readonly #instance: autocannon.Instance;

  constructor(url: string, connections: number, rng: SeededRng, tally: Tally) {
    this.#instance = autocannon({
      url,
      connections,
      duration: FOREVER_SECONDS,
      // A hit that is given up and sent again would count as two under way.
      timeout: FOREVER_SECONDS,
      sampleInt: SAMPLE_MS,
      requests: [
        {
          method: 'POST',
          path: '/hits/first',
          setupRequest: (request) => ({ ...request, path: `/hits/${clientOf(rng)}` }),
          // Which answer belongs to which hit autocannon may mix up when a connection breaks: the answer names its client.
          onResponse: (status, body) => tally.hear(status, body),
        },
      ],
    });
  }

  /** Stops as soon as it hears of it. @returns latencies in milliseconds */
  async stop(): Promise<autocannon.Result['latency']> {
    this.#instance.stop();
    const { latency } = await this.#instance;
    return latency;
  }
}

/** Some clients come often, most rarely. */
function clientOf(rng: SeededRng): string {
  return `client-${Math.floor(CLIENTS ** rng.next())}`;
}
