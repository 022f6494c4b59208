import { createHost } from '@core/framework';
import { TtlCache, ttlCache } from './ttl-cache.js';

let failures = 0;

function expect(what: string, actual: unknown, wanted: unknown): void {
  const ok = Object.is(actual, wanted);
  failures += ok ? 0 : 1;
  console.log(`${ok ? 'ok  ' : 'FAIL'} ${what}: ${String(actual)}${ok ? '' : `, wanted ${String(wanted)}`}`);
}

// Two instances of one plugin, told apart by their names and by their values.
const pages = ttlCache<string>({ name: 'pages', ttlMs: 60_000 });
const sessions = ttlCache<{ user: string }>({ name: 'sessions', ttlMs: 60_000 });

{
  await using host = await createHost({ memory: 'auto', plugins: [pages, sessions] });
  const cache = host.get(pages);
  for (let page = 0; page < 1000; page++) {
    cache.set(`/page/${page}`, `<h1>${page}</h1>`);
  }
  host.get(sessions).set('s1', { user: 'ada' });
  expect('a hit', cache.get('/page/7'), '<h1>7</h1>');
  expect('a miss', cache.get('/nowhere'), undefined);
  expect('by class and name it is the same cache', host.get(TtlCache, 'pages') === cache, true);

  expect('the mildest pass takes nothing of so small a cache', await host.reclaim({ priority: 12 }), 0);
  expect('a firmer pass takes a batch of the oldest', await host.reclaim({ priority: 3 }), 128);
  expect('the oldest page is gone', cache.get('/page/0'), undefined);
  expect('the newest is not', cache.get('/page/999'), '<h1>999</h1>');
  expect('the rest, and the session, go when asked for everything', await host.reclaim({ priority: 0 }), 1001 - 128);
  expect('nothing is left', cache.size + host.get(sessions).size, 0);

  const stats = host.stats();
  console.log('plugins:', stats.plugins.map(({ name, kind }) => `${name} (${kind})`).join(', '));
  console.log('shrinkers:', stats.shrinkers.map(({ name, freed }) => `${name} freed ${freed}`).join(', '));
}

console.log(failures === 0 ? 'everything as expected' : `${failures} expectations failed`);
process.exitCode = failures === 0 ? 0 : 1;
