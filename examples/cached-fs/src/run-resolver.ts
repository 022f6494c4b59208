import { fileURLToPath } from 'node:url';
import { createCachedFs } from '@cache/fs';
import resolve from 'enhanced-resolve';
import { countingFs } from './backing.js';
import { resolveAll } from './clients/enhanced-resolve.js';
import { measure } from './measure.js';
import type { Report } from './report.js';
import { requestsBelow } from './requests.js';
import type { Settings } from './settings.js';

const INSTALLED = fileURLToPath(new URL('../../../node_modules/.pnpm', import.meta.url));
const OWN_CACHE_MS = 60_000;
/** Of the calls that enhanced-resolve's own cache makes: 2,900 of 9,681. */
const SHARE_OF_OWN = 2900 / 9681;

/** enhanced-resolve over requests as they are written in this repository's packages. */
export async function runResolver(settings: Settings, report: Report): Promise<void> {
  const requests = requestsBelow(INSTALLED, settings.requests);
  const what = `${settings.requests.toLocaleString('en')} × resolve`;
  const backing = countingFs(0);
  const plain = await measure(backing, () => resolveAll(backing.fs, requests));
  report.add(what, 'node:fs', plain, plain);

  const own = new resolve.CachedInputFileSystem(backing.fs, OWN_CACHE_MS);
  const ownCold = await measure(backing, () => resolveAll(own, requests));
  report.add(what, 'its own cache, cold', ownCold, plain);
  report.add(what, 'its own cache, warm', await measure(backing, () => resolveAll(own, requests)), plain);
  own.purge();

  const cached = createCachedFs({ fs: backing.fs });
  const cold = await measure(backing, () => resolveAll(cached, requests));
  report.add(what, 'cached, cold', cold, plain);
  report.add(what, 'cached, warm', await measure(backing, () => resolveAll(cached, requests)), plain);
  await cached.close();
  report.bar(
    cold.calls <= ownCold.calls * SHARE_OF_OWN,
    `${what}: ${cold.calls} calls; ${Math.floor(ownCold.calls * SHARE_OF_OWN)} or fewer are wanted`,
  );
}
