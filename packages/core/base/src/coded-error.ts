/**
 * The base of each package's one error class.
 *
 * A subclass sets `brand`, and gives a static `is` built on {@link hasBrand}: recognition goes by brand, not by
 * `instanceof`, so that it survives a package that is installed twice.
 */
export abstract class CodedError<Code extends string> extends Error {
  /** Says what happened, for programs. Each package's README lists its codes. */
  readonly code: Code;
  /** The name of the class, equal across duplicated installs. */
  abstract readonly brand: string;

  constructor(code: Code, message: string, options?: ErrorOptions) {
    super(message, options);
    this.code = code;
  }

  override get name(): string {
    return this.brand;
  }
}

/** Whether `value` is an error of the class with this brand, from whichever copy of its package. */
export function hasBrand(value: unknown, brand: string): boolean {
  return value instanceof Error && (value as { brand?: unknown }).brand === brand;
}
