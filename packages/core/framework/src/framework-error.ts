import { CodedError, hasBrand } from '@core/base';

/**
 * - `ERR_NOT_A_PLUGIN`: something in `plugins` is no plugin: its factory was not called, its promise not awaited.
 * - `ERR_BAD_PLUGIN`: a plugin class or definition that cannot work: no manifest, a parameter without `@inject`, nothing
 *   provided under the class it promised.
 * - `ERR_DUPLICATE_PLUGIN`: two plugins of one host have the same name.
 * - `ERR_MISSING_REQUIREMENT`: a plugin requires another that is not in the host.
 * - `ERR_PLUGIN_CYCLE`: plugins require each other in a circle.
 * - `ERR_MISSING_BINDING`: a plugin wants something injected that neither the host nor a plugin provides.
 * - `ERR_AMBIGUOUS_SERVICE`: several plugins provide what was asked for.
 * - `ERR_UNKNOWN_PLUGIN`: no plugin of this host is called so, or provides that class.
 * - `ERR_UNKNOWN_TOKEN`: nothing in this host is bound to that token.
 * - `ERR_START_FAILED`: the plugin in `plugin` threw while it was built or started; its error is the `cause`.
 * - `ERR_HOST_CLOSED`: the host is closed, or its start was aborted.
 * - `ERR_CLOSE_FAILED`: steps of the teardown threw; all of them ran; their errors are in the `cause`, an AggregateError.
 * - `ERR_HOST_LEAK`: after the teardown something was left; `leaks` lists it.
 */
export type FrameworkErrorCode =
  | 'ERR_NOT_A_PLUGIN'
  | 'ERR_BAD_PLUGIN'
  | 'ERR_DUPLICATE_PLUGIN'
  | 'ERR_MISSING_REQUIREMENT'
  | 'ERR_PLUGIN_CYCLE'
  | 'ERR_MISSING_BINDING'
  | 'ERR_AMBIGUOUS_SERVICE'
  | 'ERR_UNKNOWN_PLUGIN'
  | 'ERR_UNKNOWN_TOKEN'
  | 'ERR_START_FAILED'
  | 'ERR_HOST_CLOSED'
  | 'ERR_CLOSE_FAILED'
  | 'ERR_HOST_LEAK';

export interface FrameworkErrorOptions extends ErrorOptions {
  readonly plugin?: string;
  readonly leaks?: readonly string[];
}

const BRAND = 'FrameworkError';

/** Every domain fault of this package; see {@link FrameworkErrorCode}. */
export class FrameworkError extends CodedError<FrameworkErrorCode> {
  readonly brand: string = BRAND;
  /** Name of the plugin at fault, or null. */
  readonly plugin: string | null;
  /** What `close()` left behind, one line each; empty unless the code is `ERR_HOST_LEAK`. */
  readonly leaks: readonly string[];

  constructor(code: FrameworkErrorCode, message: string, options: FrameworkErrorOptions = {}) {
    super(code, message, options);
    this.plugin = options.plugin ?? null;
    this.leaks = options.leaks ?? [];
  }

  /** Whether `value` is a `FrameworkError`, from whichever copy of this package. */
  static is(value: unknown): value is FrameworkError {
    return hasBrand(value, BRAND);
  }
}
