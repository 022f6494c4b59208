export type { DirectoryEntry, FileKind, FileSystemSource, SourceFile } from './file-system-source.js';
