import type { Size, Target } from './competitor.js';

/** What one competitor took, in nanoseconds an operation: of the medians of all rounds. */
export interface Timing {
  readonly competitor: string;
  readonly operations: number;
  readonly medianNs: number;
  readonly p25Ns: number;
  readonly minNs: number;
  readonly facts: Readonly<Record<string, number>>;
}

/** `x` is a ratio: its unit is that of the other competitor. */
export type Unit = 'x' | '%' | 'ns' | 'ms' | 'MiB' | 'bytes' | 'objects' | 'points' | 'cases';

/** What a case found out. */
export interface Figure {
  readonly what: string;
  readonly of: string;
  /** Null for a figure that is no ratio. */
  readonly against: string | null;
  /** The median of the rounds, and the quartiles around it. */
  readonly value: number;
  readonly low: number;
  readonly high: number;
  readonly unit: Unit;
  readonly target: Target | null;
}

export interface CaseResult {
  readonly timings: readonly Timing[];
  readonly figures: readonly Figure[];
}

/** Runs in a process of its own. */
export interface Case {
  readonly name: string;
  /** Left out of smoke runs: there it is the same as another. */
  readonly onlyReal?: boolean;
  readonly run: (size: Size) => Promise<CaseResult>;
}

/** One bench file: one question, and the cases that answer it. */
export interface Question {
  readonly id: string;
  readonly asks: string;
  readonly cases: readonly Case[];
  /** What the cases that were run say together; not of smoke sizes. */
  readonly overAll?: (cases: ReadonlyMap<string, CaseResult>) => readonly Figure[];
}
