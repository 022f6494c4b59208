export { Journal, type JournalStats } from './journal.js';
export { type JournalDamage, JournalError, type JournalErrorCode } from './journal-error.js';
export type { JournalFile, JournalFiles, JournalLock } from './journal-files.js';
export { type JournalOptions, MAX_RECORD_BYTES } from './journal-options.js';
export type { Durability, JournalPin, JournalPort, JournalRecord } from './journal-port.js';
export { NodeFiles } from './node-files.js';
export type { SalvageOptions, SalvageReport, SequenceRange } from './salvage.js';
