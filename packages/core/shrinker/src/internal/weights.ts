import { ZONES } from './zones.js';

/**
 * How large an object is that counts as one: the mean size of all objects that could be freed, weighed by their bytes.
 * With it as the unit, as many bytes are scanned as without weights, if sizes and counts stay what they are.
 *
 * What a pass meets is the unit for the next one, since it would take a walk of its own to know before.
 */
export class Weights {
  readonly #usual: Float64Array = new Float64Array(ZONES.length);
  readonly #bytes: Float64Array = new Float64Array(ZONES.length);
  readonly #squares: Float64Array = new Float64Array(ZONES.length);

  /** 0 as long as it is not known. */
  usualBytes(zoneIndex: number): number {
    return this.#usual[zoneIndex] as number;
  }

  /** So many objects of so many bytes could be freed. */
  add(zoneIndex: number, count: number, bytes: number): void {
    this.#bytes[zoneIndex] = (this.#bytes[zoneIndex] as number) + count * bytes;
    this.#squares[zoneIndex] = (this.#squares[zoneIndex] as number) + count * bytes * bytes;
  }

  /** A pass over everything has ended. */
  settle(zoneIndex: number): void {
    const bytes = this.#bytes[zoneIndex] as number;
    if (bytes > 0) {
      this.#usual[zoneIndex] = (this.#squares[zoneIndex] as number) / bytes;
    }
    this.#bytes[zoneIndex] = 0;
    this.#squares[zoneIndex] = 0;
  }
}
