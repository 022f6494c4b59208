const NAME_BYTES_MAX = 255;
/** No name of so many UTF-16 units has more bytes than that. */
const NAME_UNITS_SAFE = NAME_BYTES_MAX / 3;
const AMBIGUOUS = /[\uD800-\uDFFF\uFFFD]/;
const NOT_ASCII = /[^\0-\x7F]/;

/**
 * Whether a listing cannot tell if the name is there: bytes that are no UTF-8 are listed as U+FFFD, and what is no
 * UTF-16 is asked for as that. Surrogates that are in order are asked for too, rather than looked at more closely.
 */
export function isAmbiguous(name: string): boolean {
  return AMBIGUOUS.test(name);
}

/** Whether the source may say more than that the name is not there. */
export function isTooLong(name: string): boolean {
  return name.length > NAME_UNITS_SAFE && Buffer.byteLength(name) > NAME_BYTES_MAX;
}

/** Whether a source in which case does not count may find it under other spellings than we can tell. */
export function hasSpellings(name: string): boolean {
  return NOT_ASCII.test(name);
}
