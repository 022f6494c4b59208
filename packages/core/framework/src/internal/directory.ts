import { Container } from 'inversify';
import { FrameworkError } from '../framework-error.js';
import { type Plugin, isPlugin } from '../plugin.js';
import { type ServiceId, TOKENS, describeId, isServiceId } from '../token.js';
import { isModule, pluginOfModule } from './module-plugin.js';
import { names, provides } from './start-order.js';
import { type Unit, kindOf } from './unit.js';

/** Why a token of ours may be unbound. */
const UNBOUND = new Map<symbol, string>([
  [TOKENS.Context, 'each plugin has its own; inject it'],
  [TOKENS.Options, 'each plugin has its own; inject it'],
  [TOKENS.Scheduler, 'each plugin has its own; inject it'],
]);

/** Finds what the host and its plugins provide, and says precisely why not. */
export class Directory {
  /** Holds the host's services, and what the plugins that have started provide. */
  readonly root: Container = new Container({ defaultScope: 'Singleton', jitless: true });
  readonly host: string;
  units: readonly Unit[] = [];

  constructor(host: string) {
    this.host = host;
  }

  bind<T>(value: T, ...ids: readonly ServiceId<T>[]): void {
    for (const id of ids) {
      this.root.bind<T>(id as symbol).toConstantValue(value);
    }
  }

  /** @throws {FrameworkError} see `ServiceSource` */
  get(wanted: unknown, name?: string): unknown {
    if (typeof wanted === 'string') {
      return this.#valueOf(this.#byName(wanted), `plugin "${wanted}"`);
    }
    if (isPlugin(wanted)) {
      return this.#valueOf(this.#byPlugin(wanted), `plugin "${wanted.name}"`);
    }
    if (isModule(wanted)) {
      return this.get(pluginOfModule(wanted, 'the module'));
    }
    if (!isServiceId(wanted)) {
      throw new TypeError(`Cannot get ${kindOf(wanted)} from a host: pass a class, a token, a plugin or a name`);
    }
    return this.#byId(wanted, name);
  }

  /** The plugins that provide `id`. */
  providers(id: ServiceId): Unit[] {
    return this.units.filter(({ plugin }) => provides(plugin, id));
  }

  /** Lets others have what `unit` provides injected. */
  publish(unit: Unit): void {
    for (const [id, value] of unit.services()) {
      this.bind(value, id);
    }
  }

  /** @param asker the plugin that wants `id` injected */
  missing(id: ServiceId, asker: string): FrameworkError {
    const why = UNBOUND.get(id as symbol) ?? "add a plugin that provides it, or bind it in pluginOf's third argument";
    return new FrameworkError(
      'ERR_MISSING_BINDING',
      `Cannot build plugin "${asker}": it wants ${describeId(id)} injected, and nothing in host "${this.host}" provides that: ${why}`,
      { plugin: asker },
    );
  }

  ambiguous(id: ServiceId, candidates: readonly Unit[], asker?: string): FrameworkError {
    return new FrameworkError(
      'ERR_AMBIGUOUS_SERVICE',
      `Cannot ${asker === undefined ? 'get' : `inject into plugin "${asker}"`} ${describeId(id)}: plugins ${names(candidates)} provide it; ask for one by its plugin value, or as get(${describeId(id)}, name)`,
      asker === undefined ? {} : { plugin: asker },
    );
  }

  #byName(name: string): Unit {
    const unit = this.units.find((candidate) => candidate.name === name);
    if (unit === undefined) {
      throw this.#unknown(`plugin "${name}"`, 'add it to createHost({ plugins })');
    }
    return unit;
  }

  #byPlugin(plugin: Plugin): Unit {
    const unit = this.units.find((candidate) => candidate.plugin === plugin);
    if (unit === undefined) {
      const twin = this.units.some((candidate) => candidate.name === plugin.name);
      throw this.#unknown(
        twin ? `this plugin "${plugin.name}"` : `plugin "${plugin.name}"`,
        twin ? 'its own is another value: keep the one that createHost was given' : 'add it to createHost({ plugins })',
      );
    }
    return unit;
  }

  #byId(id: ServiceId, name: string | undefined): unknown {
    const candidates = this.providers(id);
    const unit = name === undefined ? candidates[0] : candidates.find((candidate) => candidate.name === name);
    if (unit !== undefined) {
      if (name === undefined && candidates.length > 1) {
        throw this.ambiguous(id, candidates);
      }
      this.#valueOf(unit, describeId(id));
      return (unit.services().find(([service]) => service === id) as [ServiceId, unknown])[1];
    }
    if (name !== undefined) {
      throw this.#unknown(
        `${describeId(id)} of plugin "${name}"`,
        `${describeId(id)} is provided by ${names(candidates)}`,
      );
    }
    if (this.root.isBound(id)) {
      return this.root.get(id);
    }
    if (typeof id === 'function') {
      throw this.#unknown(describeId(id), 'add a plugin that provides it to createHost({ plugins })');
    }
    const why = UNBOUND.get(id) ?? 'provide it by a plugin: provides: token';
    throw new FrameworkError(
      'ERR_UNKNOWN_TOKEN',
      `Cannot get ${describeId(id)}: nothing in host "${this.host}" is bound to it: ${why}`,
    );
  }

  #valueOf(unit: Unit, what: string): unknown {
    if (unit.state === 'new' || unit.state === 'built') {
      throw new FrameworkError(
        'ERR_MISSING_REQUIREMENT',
        `Cannot get ${what} yet: plugin "${unit.name}" has not started; name it in the requires of the plugin that asks`,
        { plugin: unit.name },
      );
    }
    return unit.value;
  }

  #unknown(what: string, next: string): FrameworkError {
    return new FrameworkError(
      'ERR_UNKNOWN_PLUGIN',
      `Cannot get ${what}: host "${this.host}" has only ${names(this.units)}; ${next}`,
    );
  }
}
