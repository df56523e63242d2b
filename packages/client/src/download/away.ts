/**
 * A librarian that is away, or cannot give its bytes just now, while they are fetched: how long it is waited for, what the
 * user hears of it, and what is said at the end.
 *
 *     one librarian     the engine goes on trying for minutes: it is being started again, or its disk comes back
 *     several           each is tried a few times only, and the next one takes over where it was
 */
import { LibrarianError } from '@arriero/api'
import { type DownloadOptions as EngineOptions, type Hooks, TransferError } from '@arriero/transfer'
import { networkError } from '../http/network-error.ts'
import type { Librarian } from '../librarian.ts'

export type Patience = Pick<EngineOptions, 'retries' | 'maxRetryAfterMs'>

/** Some two minutes for a server that is gone: the waits grow to half a minute, each anything up to that by chance. */
const LONE: Patience = { retries: 14, maxRetryAfterMs: 120_000 }
const ONE_OF_SEVERAL: Patience = { retries: 3, maxRetryAfterMs: 5_000 }

export function patienceWith(holders: readonly Librarian[]): Patience {
  return holders.length > 1 ? ONE_OF_SEVERAL : LONE
}

/** Longest that a librarian is believed that it will do better soon. */
const THROTTLED_MS = 300_000

export interface AwayOptions {
  /** Milliseconds, rising; default `performance.now`. */
  readonly now?: () => number
}

/** Tells each wait to the librarian's user; one that has nothing but promises is given up after five minutes. */
export function tellingHooks(
  librarians: readonly Librarian[],
  { now = () => performance.now() }: AwayOptions = {},
): Pick<Hooks, 'onRetry'> {
  const byOrigin = new Map(librarians.map(each => [new URL(each.connection.url).origin, each]))
  const throttled = new Map<string, { since: number; last: number }>()
  return {
    onRetry: ({ uri, error, delayMs }) => {
      if (!(error instanceof TransferError)) return undefined
      const { origin } = new URL(error.url ?? uri)
      const until = error.details.until
      const ms = until === undefined ? delayMs : Math.max(delayMs, until - Date.now())
      byOrigin.get(origin)?.tellWait({ error: reasonOf(error, origin), ms })
      if (error.code !== 'Throttled' || librarians.length > 1) return undefined
      const at = now()
      const known = throttled.get(origin)
      const since = known && at - known.last < THROTTLED_MS / 2 ? known.since : at
      throttled.set(origin, { since, last: at })
      return at - since > THROTTLED_MS ? false : undefined
    },
  }
}

function reasonOf(error: TransferError, origin: string): Error {
  const { status, cause, code } = error
  if (status !== undefined) return new Error(`The librarian at ${origin} answers ${saidOf(error)}`)
  if (cause !== undefined) return networkError(cause, new URL(origin))
  return new Error(code === 'Network' ? `The librarian at ${origin} closed the connection` : withoutUrl(error.message))
}

/** `503: its reason`. */
function saidOf({ message, status }: TransferError): string {
  return /the server answered (\d.*)$/s.exec(message)?.[1] ?? String(status)
}

function withoutUrl(message: string): string {
  return message.replace(/^Cannot fetch \S+: /, '')
}

const KEPT = 'What has arrived is kept: the same command goes on from there'

/** An error of the engine in the words of whoever asked for a name. */
export function explainedFetch(error: unknown, name: string): unknown {
  if (!(error instanceof TransferError)) return error
  if (error.status === 409) {
    return new LibrarianError('NoGoodCopy', `Cannot fetch ${name}: its librarian answers ${saidOf(error)}`, {
      remedy: `Name another librarian that keeps it with --librarian, or tell the operator: \`arriero validate ${name}\` says what is wrong with each copy.`,
      cause: error,
    })
  }
  if (error.code === 'Throttled') return error.with({ remedy: `${KEPT}, when the librarian is ready again.` })
  return isAway(error) ? error.with({ remedy: `${KEPT}, once the librarian is back.` }) : error
}

/** Whether nothing more can be had from there for now: the rest of a list would only wait as long, each by itself. */
export function isAway(error: unknown): boolean {
  return (
    error instanceof TransferError &&
    (error.code === 'Network' || error.code === 'Timeout' || error.code === 'Tls') &&
    error.status === undefined
  )
}
