/** Returns `value`, or throws a RangeError when it is not an integer of at least `least`. */
export function checkCount(name: string, value: number, least = 1): number {
  if (!Number.isSafeInteger(value) || value < least) {
    throw new RangeError(`Cannot use ${name} ${value}: it must be an integer of at least ${least}`);
  }
  return value;
}
