import { bareFailure, failure } from './errors.js';
import type { TurnAnswers } from './turn-answers.js';

/** Errors of one turn that are kept for one call: a resolver asks for so many names before it is done. */
const MAX_KEPT = 32_768;

/**
 * The errors that one call throws, or rejects with, on behalf of the system.
 *
 * Resolvers ask for the same names that are not there over and over, and to make an error costs several times as much as
 * to know the answer. So in a flood of failures errors have no stack, and within a turn of the event loop the same
 * question gets the same error.
 */
export class Failures {
  private readonly answers: TurnAnswers;
  private readonly syscall: string;
  private readonly missing = new Map<string, Error>();
  private readonly invalid = new Map<string, Error>();

  constructor(answers: TurnAnswers, syscall: string) {
    this.answers = answers;
    this.syscall = syscall;
    answers.onTurn(() => {
      this.missing.clear();
      this.invalid.clear();
    });
  }

  of(code: 'ENOENT' | 'EINVAL', path: unknown): Error {
    if (!this.answers.isFlood()) {
      return failure(code, this.syscall, path);
    }
    if (typeof path !== 'string') {
      return bareFailure(code, this.syscall, path);
    }
    const kept = code === 'ENOENT' ? this.missing : this.invalid;
    let error = kept.get(path);
    if (error === undefined) {
      error = bareFailure(code, this.syscall, path);
      if (kept.size < MAX_KEPT) {
        kept.set(path, error);
      }
    }
    return error;
  }

  /** For a promise, whose error tells what awaits it: each caller has one of its own. */
  later(code: 'ENOENT' | 'EINVAL', path: unknown): Error {
    return this.answers.isFlood() ? bareFailure(code, this.syscall, path) : failure(code, this.syscall, path);
  }
}
