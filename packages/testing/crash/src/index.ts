export {
  crashStates,
  type CrashStatesOptions,
  type DiskCall,
  type DiskCapture,
  type Fault,
  SimDisk,
} from './sim-disk.js';
export { type JournalTortureOptions, type JournalTortureReport, runJournalTorture } from './journal-torture.js';
export { type KeyCacheTortureOptions, type KeyCacheTortureReport, runKeyCacheTorture } from './key-cache-torture.js';
