import nodeFs from 'node:fs';
import { join } from 'node:path';
import { createHost } from '@core/framework';
import { ShrinkerRegistry } from '@core/shrinker';
import { CACHED_FS, cachedFs, createCachedFs } from '@cache/fs';
import { expect, it } from 'vitest';
import { plant, scratch } from './support/scratch.js';

it('lives in a host, which takes its memory back', async () => {
  using area = scratch();
  plant(area.path);
  const plugin = cachedFs({ revalidate: { ageMs: 60_000 } });
  const host = await createHost({ plugins: [plugin] });
  const fs = host.get(plugin);
  expect(host.get(CACHED_FS)).toBe(fs);
  expect(fs.readdirSync(area.path)).toEqual(nodeFs.readdirSync(area.path));
  fs.statSync(join(area.path, 'dir/one'));
  const before = fs.stats().names?.dentries ?? 0;
  expect(before).toBeGreaterThan(0);
  await host.reclaim({ priority: 0 });
  await host.reclaim({ priority: 0 });
  expect(fs.stats().names?.dentries).toBeLessThan(before);
  await host.close();
  expect(fs.stats().closed).toBe(true);
  expect(fs.readFileSync(join(area.path, 'dir/one'), 'utf8')).toBe('1');
});

it('lives beside a host that it was not made by', async () => {
  using area = scratch();
  plant(area.path);
  const host = await createHost();
  const fs = createCachedFs({ host });
  fs.statSync(join(area.path, 'dir/one'));
  const before = fs.stats().names?.dentries ?? 0;
  await host.reclaim({ priority: 0 });
  await host.reclaim({ priority: 0 });
  expect(fs.stats().names?.dentries).toBeLessThan(before);
  await fs.close();
  await host.close();
});

it('gives way to a registry, and is right afterwards', async () => {
  using area = scratch();
  plant(area.path);
  const shrinkers = new ShrinkerRegistry();
  await using fs = createCachedFs({ shrinkers, group: shrinkers.root.child('files') });
  for (let round = 0; round < 3; round++) {
    expect(fs.statSync(join(area.path, 'to-dir/one')).size).toBe(1);
    expect(fs.readFileSync(join(area.path, 'file.txt'))).toEqual(nodeFs.readFileSync(join(area.path, 'file.txt')));
    shrinkers.shrinkSlabSync({ priority: 0 });
  }
  expect(fs.stats().names?.evictions).toBeGreaterThan(0);
});
