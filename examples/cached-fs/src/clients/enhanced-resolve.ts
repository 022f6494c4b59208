import resolve from 'enhanced-resolve';
import type { Request } from '../requests.js';

type FileSystem = Parameters<typeof resolve.ResolverFactory.createResolver>[0]['fileSystem'];

/** What each request leads to, false for nothing, or the error. */
export function resolveAll(fileSystem: unknown, requests: readonly Request[]): unknown[] {
  const resolver = resolve.ResolverFactory.createResolver({
    fileSystem: fileSystem as FileSystem,
    extensions: ['.js', '.json', '.mjs', '.cjs', '.node'],
    conditionNames: ['node', 'import', 'require'],
    mainFields: ['module', 'main'],
    useSyncFileSystemCalls: true,
  });
  return requests.map(({ from, request }) => {
    try {
      return resolver.resolveSync({}, from, request);
    } catch (error) {
      return (error as Error).message;
    }
  });
}
