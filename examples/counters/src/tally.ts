import type { Hit } from './protocol.js';

/** What the service acknowledged, as its clients heard of it. */
export class Tally {
  acknowledged = 0;
  /** Answers that are none: not of the service, or not counted. */
  refused = 0;
  readonly #clients = new Map<string, { acknowledged: number; highest: number }>();

  /** The answer to a hit. */
  hear(status: number, body: string): void {
    if (status !== 200 && status !== 429) {
      this.refused++;
      return;
    }
    const { client, hits } = JSON.parse(body) as Hit;
    const heard = this.#clients.get(client) ?? { acknowledged: 0, highest: 0 };
    heard.acknowledged++;
    heard.highest = Math.max(heard.highest, hits);
    this.#clients.set(client, heard);
    this.acknowledged++;
  }

  /**
   * Compares it to what the service has.
   *
   * @param mayBeMore hits that may have been counted without anyone hearing of it
   */
  compare(service: readonly Hit[], mayBeMore: number): Comparison {
    const counted = new Map(service.map(({ client, hits }) => [client, hits]));
    let lost = 0;
    let more = 0;
    for (const [client, { acknowledged, highest }] of this.#clients) {
      const hits = counted.get(client) ?? 0;
      // A count that was told once must never be told again as less.
      lost += Math.max(0, Math.max(acknowledged, highest) - hits);
      more += Math.max(0, hits - acknowledged);
      counted.delete(client);
    }
    for (const hits of counted.values()) {
      more += hits;
    }
    const total = service.reduce((sum, { hits }) => sum + hits, 0);
    return { total, lost, more, mayBeMore };
  }
}

export interface Comparison {
  /** Hits that the service has. */
  readonly total: number;
  /** Acknowledged, and not there. */
  readonly lost: number;
  /** There, and not acknowledged. */
  readonly more: number;
  readonly mayBeMore: number;
}

/** What is wrong, as sentences. */
export function faultsOf({ lost, more, mayBeMore }: Comparison, { acknowledged, refused }: Tally): string[] {
  return [
    ...(acknowledged === 0 ? ['Not one hit was acknowledged'] : []),
    ...(refused > 0 ? [`${refused} answers were neither 200 nor 429`] : []),
    ...(lost > 0 ? [`${lost} acknowledged hits are missing`] : []),
    ...(more > mayBeMore
      ? [`${more} hits were counted that nobody heard of, and at most ${mayBeMore} were under way`]
      : []),
  ];
}
