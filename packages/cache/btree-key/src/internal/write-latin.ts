/** A call that writes a string costs more than a loop over so few characters. */
const LOOPED_CHARACTERS = 64;

/** Writes a string of characters 0 to 255, a byte each, for which there must be room. */
export function writeLatin(target: Uint8Array, text: string, at: number): void {
  const { length } = text;
  if (length > LOOPED_CHARACTERS) {
    const { buffer, byteOffset } = target;
    (target instanceof Buffer ? target : Buffer.from(buffer, byteOffset, target.length)).write(text, at, 'latin1');
    return;
  }
  for (let index = 0; index < length; index++) {
    target[at + index] = text.charCodeAt(index);
  }
}
