/** Keys that rounds write to. */
export const SLOTS = 40;
const SLOTS_A_ROUND = 7;

export function keyOfSlot(slot: number): Uint8Array {
  return Uint8Array.from([slot >>> 16, (slot >>> 8) & 255, slot & 255]);
}

/** Which slots a round writes. */
export function slotsOf(round: number): number[] {
  return Array.from({ length: SLOTS_A_ROUND }, (_, index) => (round * 13 + index * 5) % SLOTS);
}

/** What it writes there; null: it deletes. Every round that comes by has another value for a slot. */
export function valueOf(round: number, slot: number): Uint8Array | null {
  if ((round + slot) % 5 === 0) {
    return null;
  }
  const value = new Uint8Array(round % 11 === 0 ? 9000 : 12);
  new DataView(value.buffer).setUint32(0, round);
  return value;
}

/** The round that wrote each slot last, of rounds 1 to `rounds`. */
export function lastRounds(rounds: number): Map<number, number> {
  const last = new Map<number, number>();
  for (let round = Math.max(1, rounds - SLOTS); round <= rounds; round++) {
    for (const slot of slotsOf(round)) {
      last.set(slot, round);
    }
  }
  return last;
}
