export type { Durability, JournalPin, JournalPort, JournalRecord } from './journal-port.js';
