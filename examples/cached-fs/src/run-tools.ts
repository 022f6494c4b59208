import { join } from 'node:path';
import { createCachedFs } from '@cache/fs';
import { countingFs } from './backing.js';
import { makeProject, TOOLS } from './clients/bundlers.js';
import { measure } from './measure.js';
import type { Report } from './report.js';
import type { Settings } from './settings.js';

/** Bundlers and glob: what they make on the cache is what they make on node:fs. */
export async function runTools(settings: Settings, scratch: string, report: Report): Promise<void> {
  const project = join(scratch, 'project');
  makeProject(project, settings.modules);
  for (const { name, run } of TOOLS) {
    const backing = countingFs(0);
    // By itself, so that what it loads once is loaded.
    await run(null, project);
    const plain = await measure(backing, () => run(backing.fs, project));
    report.add(name, 'node:fs', plain, plain);
    const cached = createCachedFs({ fs: backing.fs });
    report.add(name, 'cached, cold', await measure(backing, () => run(cached as never, project)), plain);
    report.add(name, 'cached, warm', await measure(backing, () => run(cached as never, project)), plain);
    await cached.close();
  }
}
