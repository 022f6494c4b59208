import nodeFs from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { createCachedFs } from '@cache/fs';
import resolve from 'enhanced-resolve';
import { type Backing, countingFs } from './backing.js';
import { resolveAll } from './clients/enhanced-resolve.js';
import { fastest, type Measured, measure } from './measure.js';
import type { Report } from './report.js';
import { type Request, requestsBelow } from './requests.js';
import type { Settings } from './settings.js';

const INSTALLED = fileURLToPath(new URL('../../../node_modules/.pnpm', import.meta.url));
/** For how long both caches believe what they know. */
const AGE_MS = 60_000;
const REVALIDATE = { ageMs: AGE_MS } as const;
/** Of the calls that enhanced-resolve's own cache makes: 2,900 of 9,681. */
const SHARE_OF_OWN = 2900 / 9681;
const WARM_RUNS = 5;
/** Calls for one file that has changed: its name, its attributes, its content. */
const CALLS_OF_FILE = 6;

/** enhanced-resolve over requests as they are written in this repository's packages. */
export async function runResolver(settings: Settings, report: Report): Promise<void> {
  const requests = requestsBelow(INSTALLED, settings.requests);
  const what = `${settings.requests.toLocaleString('en')} × resolve`;
  const backing = countingFs(0);
  const plain = await measure(backing, () => resolveAll(backing.fs, requests));
  report.add(what, 'node:fs', plain, plain);

  const own = new resolve.CachedInputFileSystem(backing.fs, AGE_MS);
  const ownCold = await measure(backing, () => resolveAll(own, requests));
  report.add(what, 'its own cache, cold', ownCold, plain);
  const cached = createCachedFs({ fs: backing.fs, revalidate: REVALIDATE });
  const cold = await measure(backing, () => resolveAll(cached, requests));
  report.add(what, 'cached, cold', cold, plain);
  report.bar(
    cold.calls <= ownCold.calls * SHARE_OF_OWN,
    `${what}: ${cold.calls} calls; ${Math.floor(ownCold.calls * SHARE_OF_OWN)} or fewer are wanted`,
  );

  const [warm, ownWarm] = await fastest(WARM_RUNS, [
    () => measure(backing, () => resolveAll(cached, requests)),
    () => measure(backing, () => resolveAll(own, requests)),
  ]);
  report.add(what, 'its own cache, warm', ownWarm, plain);
  report.add(what, 'cached, warm', warm, plain);
  const share = warm.cpuMs / ownWarm.cpuMs;
  report.bar(share <= 1, `${what}: ${share.toFixed(2)} of the CPU of its own cache, warm; 1 or less is wanted`);
  own.purge();

  cached.purge(packageOf(requests));
  const changed = await measure(backing, () => resolveAll(cached, requests));
  report.add(what, 'cached, one file changed', changed, plain);
  report.check(
    changed.calls > 0 && changed.calls <= CALLS_OF_FILE,
    `${what}: ${changed.calls} calls after one file has changed; up to ${CALLS_OF_FILE} are for that file`,
  );
  const { names, files } = cached.stats();
  await cached.close();
  await runCapped(what, requests, backing, plain, report, {
    maxNames: Math.ceil((names?.dentries ?? 0) / 10),
    maxBytes: Math.ceil((files?.derivedBytes ?? 0) / 10),
  });
}

/** With a tenth of the memory it still beats node:fs. */
async function runCapped(
  what: string,
  requests: readonly Request[],
  backing: Backing,
  plain: Measured<unknown>,
  report: Report,
  limits: { maxNames: number; maxBytes: number },
): Promise<void> {
  const capped = createCachedFs({ fs: backing.fs, revalidate: REVALIDATE, ...limits });
  await measure(backing, () => resolveAll(capped, requests));
  const again = await measure(backing, () => resolveAll(capped, requests));
  report.add(what, 'cached, a tenth of the memory', again, plain);
  report.check(again.calls < plain.calls, `${what}: ${again.calls} calls with a tenth of the memory`);
  report.bar(again.ms < plain.ms, `${what}: not faster than node:fs with a tenth of the memory`);
  await capped.close();
}

/** Some package.json that the requests lead by. */
function packageOf(requests: readonly Request[]): string {
  for (const { from } of requests) {
    for (let folder = from; folder !== dirname(folder); folder = dirname(folder)) {
      const file = join(folder, 'package.json');
      if (nodeFs.existsSync(file)) {
        return file;
      }
    }
  }
  throw new Error('Cannot find a package: the requests are in none; install the packages');
}
