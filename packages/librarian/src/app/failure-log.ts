/**
 * Failures of calls as lines of the log. What callers did wrong is told as it comes; what is wrong with this server is told once,
 * and while it goes on once a minute with how often it was met: a full disk meets every call, and must not fill the log's disk too.
 */
import type { ErrorCode, LibrarianError } from '@arriero/api'
import { outsideOfCalls } from '../log/call-context.ts'
import type { Log } from '../log.ts'

/** Of one call. */
export interface FailedCall {
  /** As the answer’s `x-request-id`. */
  readonly id: string
  /** Of the route, not of the call: without what callers chose. */
  readonly path: string | undefined
  readonly status: number
}

export interface FailureLog {
  /** @param thrown before it was put into words that may leave the house */
  tell(error: LibrarianError, thrown: unknown, call: FailedCall): void
}

/** Troubles that are foreseen and pass by themselves, or when an operator does something: no fault of the program. */
const passing: ReadonlySet<ErrorCode> = new Set([
  'Busy',
  'NoSpace',
  'StoreUnavailable',
  'OutcomeUnknown',
  'PeerUnreachable',
])

const QUIET_MS = 60_000

interface Trouble {
  count: number
  readonly timer: NodeJS.Timeout
}

/** @param options.quietMs between lines about one trouble. Default 60,000 */
export function createFailureLog(log: Log, { quietMs = QUIET_MS }: { quietMs?: number } = {}): FailureLog {
  const troubles = new Map<string, Trouble>()

  function again(key: string, level: 'warn' | 'error', fields: object, message: string): void {
    const { count } = troubles.get(key)!
    troubles.delete(key)
    if (count === 0) return
    log[level]({ ...fields, count }, `${message} (met ${count} more times within ${Math.round(quietMs / 1000)} s)`)
    watch(key, level, fields, message)
  }

  function watch(key: string, level: 'warn' | 'error', fields: object, message: string): void {
    const timer = setTimeout(() => again(key, level, fields, message), quietMs).unref()
    troubles.set(key, { count: 0, timer })
  }

  return {
    tell(error, thrown, { id, path, status }) {
      const { code, message } = error
      if (status < 500) {
        log.info({ request: id, path, status, code }, message)
        return
      }
      const isPassing = passing.has(code)
      const key = `${code} ${path} ${isPassing ? '' : placeOf(thrown)}`
      const known = troubles.get(key)
      if (known) {
        known.count++
        log.debug({ request: id, path, status, code }, message)
        return
      }
      const level = isPassing ? 'warn' : 'error'
      const fields = { request: id, path, status, code }
      log[level](isPassing ? fields : { ...fields, err: thrown }, message)
      outsideOfCalls(() => watch(key, level, { path, status, code }, message))
    },
  }
}

/** Where it was thrown: two faults of the program are two troubles, also behind one route. */
function placeOf(thrown: unknown): string {
  let deepest = thrown
  for (let depth = 0; deepest instanceof Error && deepest.cause instanceof Error && depth < 8; depth++) {
    deepest = deepest.cause
  }
  return deepest instanceof Error ? (deepest.stack?.split('\n').find(line => /^\s+at /.test(line)) ?? '') : ''
}
