import fs from 'node:fs';
import { dirname, join } from 'node:path';

/** What a file asks for, and the directory that it asks from. */
export interface Request {
  readonly from: string;
  readonly request: string;
}

const IMPORT = /(?:require\(|from\s+|import\s*\(?)\s*['"]([^'"\n]+)['"]/g;
const MAX_FILE_CHARS = 200_000;
const MAX_OF_PACKAGE = 400;

/** Requests as they are written in the packages below `folder`, spread over all of them, always the same. */
export function requestsBelow(folder: string, wanted: number): Request[] {
  const found: Request[] = [];
  for (const name of fs.readdirSync(folder).sort()) {
    const modules = join(folder, name, 'node_modules');
    if (fs.existsSync(modules)) {
      found.push(...requestsOf(modules));
    }
  }
  if (found.length < wanted) {
    throw new Error(`Cannot find ${wanted} requests below ${folder}: there are ${found.length}; install the packages`);
  }
  return Array.from({ length: wanted }, (_, index) => found[Math.floor((index * found.length) / wanted)] as Request);
}

function requestsOf(folder: string): Request[] {
  const requests: Request[] = [];
  for (const file of scriptsBelow(folder)) {
    const source = fs.readFileSync(file, 'utf8');
    if (source.length > MAX_FILE_CHARS) {
      continue;
    }
    for (const [, request = ''] of source.matchAll(IMPORT)) {
      if (!request.startsWith('node:') && !/[\s${}]/.test(request)) {
        requests.push({ from: dirname(file), request });
      }
      if (requests.length === MAX_OF_PACKAGE) {
        return requests;
      }
    }
  }
  return requests;
}

function* scriptsBelow(folder: string): Generator<string> {
  for (const entry of fs.readdirSync(folder, { withFileTypes: true }).sort((a, b) => (a.name < b.name ? -1 : 1))) {
    const path = join(folder, entry.name);
    if (entry.isDirectory()) {
      yield* scriptsBelow(path);
    } else if (entry.isFile() && /\.[cm]?js$/.test(entry.name)) {
      yield path;
    }
  }
}
