import type { FaultRequest } from '../fault-server/log.ts'
import type { Route } from './routes.ts'

export type AuthKind = 'none' | 'bearer' | 'basic' | 'x-auth-token' | 'other'

/** One request, to whichever of the hosts. Header and query values are not kept: they may be secrets. */
export interface CommonsRequest {
  readonly route: Route
  readonly method: string
  /** Without the query. */
  readonly path: string
  readonly queryNames: readonly string[]
  /** The object it was about, when it was about one. */
  readonly guid: string | undefined
  readonly hasAuth: boolean
  readonly authKind: AuthKind
  /** The Range header as sent. */
  readonly range: string | undefined
  /** The Host header as sent. */
  readonly host: string | undefined
  /** Status sent; undefined when there was none. */
  readonly status: number | undefined
  /** Body bytes handed to the socket so far. */
  readonly bytesSent: number
  /** Milliseconds since the server started. */
  readonly startedAt: number
  /** Milliseconds since the server started; undefined while it is being answered. */
  readonly endedAt: number | undefined
  /** Names of the headers, lower case. */
  readonly headerNames: readonly string[]
}

export class RequestLog {
  readonly requests: CommonsRequest[] = []
  readonly #started = performance.now()

  add(request: FaultRequest, route: Route, guid: string | undefined): void {
    const startedAt = performance.now() - this.#started
    const names = new URLSearchParams(request.query).keys()
    const authKind = authKindOf(request)
    this.requests.push({
      route,
      method: request.method,
      path: request.path,
      queryNames: [...names],
      guid,
      hasAuth: authKind !== 'none',
      authKind,
      range: request.headers.range,
      host: request.headers.host,
      headerNames: Object.keys(request.headers),
      startedAt,
      get status() {
        return request.status
      },
      get bytesSent() {
        return request.sent
      },
      get endedAt() {
        return request.endedAt === undefined ? undefined : startedAt + request.endedAt - request.at
      },
    })
  }
}

/** The most requests that were being answered at the same time. */
export function maxConcurrent(requests: readonly CommonsRequest[]): number {
  const edges = requests.flatMap(({ startedAt, endedAt = Infinity }) => [
    { at: startedAt, change: 1 },
    { at: endedAt, change: -1 },
  ])
  // One that ends when another begins was not beside it.
  edges.sort((a, b) => a.at - b.at || a.change - b.change)
  let open = 0
  let most = 0
  for (const { change } of edges) most = Math.max(most, (open += change))
  return most
}

function authKindOf({ headers }: FaultRequest): AuthKind {
  if (headers['x-auth-token'] !== undefined) return 'x-auth-token'
  const { authorization } = headers
  if (authorization === undefined) return 'none'
  if (/^bearer /i.test(authorization)) return 'bearer'
  return /^basic /i.test(authorization) ? 'basic' : 'other'
}
