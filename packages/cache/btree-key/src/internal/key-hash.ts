/** Of a string that is not the characters of its own bytes. */
export const NOT_ASCII = -1;
const PRIME = 0x01_00_01_93;

/** 31 bits, so that it is a small integer everywhere. All three give the same for the same bytes. */
export function hashOfText(key: string, seed: number): number {
  let hash = seed;
  for (let at = 0; at < key.length; at++) {
    const unit = key.charCodeAt(at);
    if (unit > 0x7f) {
      return NOT_ASCII;
    }
    hash = Math.imul(hash ^ unit, PRIME);
    hash ^= hash >>> 15;
  }
  return mixed(hash);
}

export function hashOfLatin(key: string, seed: number): number {
  let hash = seed;
  for (let at = 0; at < key.length; at++) {
    hash = Math.imul(hash ^ key.charCodeAt(at), PRIME);
    hash ^= hash >>> 15;
  }
  return mixed(hash);
}

export function hashOfBytes(key: Uint8Array, seed: number): number {
  let hash = seed;
  for (let at = 0; at < key.length; at++) {
    hash = Math.imul(hash ^ (key[at] as number), PRIME);
    hash ^= hash >>> 15;
  }
  return mixed(hash);
}

/** Buckets are told apart by the low bits, so these must depend on all. */
function mixed(hash: number): number {
  let result = Math.imul(hash ^ (hash >>> 16), 0x85eb_ca6b);
  result = Math.imul(result ^ (result >>> 13), 0xc2b2_ae35);
  return (result ^ (result >>> 16)) >>> 1;
}
