import type { Rcu } from '@core/rcu';
import type { ShrinkerRegistry } from '@core/shrinker';
import { expectTypeOf, test } from 'vitest';
import {
  cachePlugin,
  createHost,
  definePlugin,
  type Host,
  type HostStats,
  type Plugin,
  pluginOf,
  type Provided,
  type Reclaimer,
  token,
  TOKENS,
} from '../src/index.js';

class Box<V> {
  readonly values: V[] = [];
  readonly sizeOf: (value: V) => number = () => 1;
}

@cachePlugin({ name: 'box', provides: Box })
class BoxPlugin<V> {
  readonly provided: Box<V> = new Box<V>();
}

@cachePlugin({ name: 'self' })
class Self {
  readonly answer = 42;
}

const box = <V>(): Plugin<Box<V>> => pluginOf(BoxPlugin<V>);

test('host.get knows what it returns', async () => {
  const strings = box<string>();
  const defined = definePlugin({ name: 'defined', create: async () => ({ port: 80 }) });
  const PORT = token<number>('port');
  await using host = await createHost({
    plugins: [strings, pluginOf(Self), defined, definePlugin({ name: 'port', provides: PORT, create: () => 80 })],
  });
  expectTypeOf(host).toEqualTypeOf<Host>();
  // By plugin value: with its type arguments.
  expectTypeOf(host.get(strings)).toEqualTypeOf<Box<string>>();
  expectTypeOf(host.get(defined)).toEqualTypeOf<{ port: number }>();
  // By class.
  expectTypeOf(host.get(Self)).toEqualTypeOf<Self>();
  expectTypeOf(host.get(Box)).toEqualTypeOf<Box<unknown>>();
  expectTypeOf(host.get<Box<string>>(Box, 'box')).toEqualTypeOf<Box<string>>();
  expectTypeOf(host.get(BoxPlugin<string>)).toEqualTypeOf<BoxPlugin<string>>();
  // By token.
  expectTypeOf(host.get(PORT)).toEqualTypeOf<number>();
  expectTypeOf(host.get(TOKENS.Rcu)).toEqualTypeOf<Rcu>();
  expectTypeOf(host.get(TOKENS.ShrinkerRegistry)).toEqualTypeOf<ShrinkerRegistry>();
  expectTypeOf(host.get(TOKENS.Reclaimer)).toEqualTypeOf<Reclaimer>();
  // By name nobody can know.
  expectTypeOf(host.get('box')).toEqualTypeOf<unknown>();
  expectTypeOf(host.stats()).toEqualTypeOf<HostStats>();
});

test('what is wrong does not compile', () => {
  expectTypeOf<Provided<BoxPlugin<string>>>().toEqualTypeOf<Box<string>>();
  expectTypeOf<Provided<Self>>().toEqualTypeOf<Self>();
  expectTypeOf(pluginOf(Self)).toEqualTypeOf<Plugin<Self>>();
  const wrong = (host: Host): void => {
    // @ts-expect-error No service is called by a number.
    host.get(7);
    // @ts-expect-error A factory is not a plugin.
    void createHost({ plugins: [box] });
    // @ts-expect-error A limit is a number of bytes.
    void createHost({ memory: { limitBytes: '512mb' } });
    // @ts-expect-error There is no such event.
    host.events.on('exploded', () => {});
    host.events.on('reclaimed', (event) => expectTypeOf(event.freed).toEqualTypeOf<number>());
    // @ts-expect-error The class promises something and does not show it.
    cachePlugin({ name: 'liar', provides: Box })(Self);
  };
  expectTypeOf(wrong).toBeFunction();
});
