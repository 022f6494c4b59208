import type { ContainerModule } from 'inversify';
import type { Plugin } from './plugin.js';
import type { Class, Token } from './token.js';

/** Where services are had from. */
export interface ServiceSource {
  /** Needs no `this`, so it may be taken off. */
  readonly get: GetService;
}

/** Finds services by class, token, plugin or name. For composition: 60 to 200 ns a call, so keep what it returns. */
export interface GetService {
  /**
   * What is provided under a class.
   *
   * @param name picks one of several plugins that provide it
   * @throws {FrameworkError} `ERR_UNKNOWN_PLUGIN`, `ERR_AMBIGUOUS_SERVICE`, `ERR_MISSING_REQUIREMENT` (not started yet),
   *   `ERR_HOST_CLOSED`
   */
  <T>(type: Class<T>, name?: string): T;
  /**
   * What is bound to a token.
   *
   * @param name picks one of several plugins that provide it
   * @throws {FrameworkError} `ERR_UNKNOWN_TOKEN`, and as for a class
   */
  <T>(token: Token<T>, name?: string): T;
  /**
   * What this very plugin provides, whatever others do.
   *
   * @throws {FrameworkError} `ERR_UNKNOWN_PLUGIN`, `ERR_MISSING_REQUIREMENT`, `ERR_HOST_CLOSED`
   */
  <T>(plugin: Plugin<T>): T;
  /**
   * What the plugin that this bare module binds provides.
   *
   * @throws {FrameworkError} `ERR_UNKNOWN_PLUGIN`, `ERR_MISSING_REQUIREMENT`, `ERR_HOST_CLOSED`
   */
  (module: ContainerModule): unknown;
  /**
   * What the plugin of this name provides.
   *
   * @throws {FrameworkError} `ERR_UNKNOWN_PLUGIN`, `ERR_MISSING_REQUIREMENT`, `ERR_HOST_CLOSED`
   */
  (name: string): unknown;
}
