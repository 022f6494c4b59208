import type { Durability } from '@core/journal';

/** What the parent tells a child. */
export interface ChildSettings {
  readonly directory: string;
  readonly durability: Durability;
  readonly segmentBytes: number;
  readonly seed: number;
  /** The child kills itself at so many calls of its files; 0: it waits for its parent to do it. */
  readonly dieAtCall: number;
  /** Says that a record is committed before it is. */
  readonly busted: boolean;
}

/** Told from the sequence alone, so that the parent needs no list: up to 300 bytes, each of them checked. */
export function payloadOf(sequence: number): Buffer {
  const payload = Buffer.alloc((sequence * 37) % 301);
  for (let index = 0; index < payload.length; index++) {
    payload[index] = (sequence * 131 + index * 17) & 0xff;
  }
  return payload;
}
