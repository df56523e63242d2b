/** What an operator must know of: a row that `search/error` shows (librarian 3.12). */
import type { ErrorCategory, ErrorSeverity } from '@arriero/api'

export interface Alarm {
  readonly severity: ErrorSeverity
  readonly category: ErrorCategory
  /** What happened, to what, and what to do. */
  readonly message: string
  /** Which part of the server raised it. */
  readonly caller: string
}

export interface Alarms {
  /** Never throws: a failure that cannot be recorded is logged. */
  raise(alarm: Alarm): Promise<void>
}
