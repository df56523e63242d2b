/** The typed client: every endpoint of the table by group and name, against our own librarians and real ones. */
import { type Address, baseUrl } from './connection/address.ts'
import { basicAuthorization } from './connection/basic.ts'
import { exchange, type NotReceived, type Received } from './connection/exchange.ts'
import { createGreeter, type Greeting, IDEMPOTENCY } from './connection/greeting.ts'
import { createOutage, type Patience, type Wait } from './connection/patience.ts'
import { type Read, readAnswer } from './connection/read-answer.ts'
import { type Sleep, sleep as sleepByTimer, waitBefore } from './connection/wait.ts'
import type { AnswerOf, Endpoint, RequestInput } from './endpoint.ts'
import { type Endpoints, endpoints } from './endpoints/index.ts'
import { LibrarianError } from './errors.ts'

/** Options of `connect()`. */
export type ConnectOptions = Address & {
  readonly user: string
  readonly password: string
  /**
   * Default: the one of the platform. Node’s gives up on headers after five minutes, and a real librarian hashes whole files
   * before it answers; give one without that limit.
   */
  readonly fetch?: typeof globalThis.fetch
  /** Ends all calls of this connection. */
  readonly signal?: AbortSignal
  /** For the greeting before the first call, in milliseconds; default 20,000. The calls themselves have no limit. */
  readonly connectTimeoutMs?: number
  /** Makes the key of one logical call, which repetitions keep; default: a random UUID. */
  readonly idempotencyKeys?: () => string
  /** How often a call is repeated at most, where that is safe; default 4. */
  readonly retries?: number
  /** Of a server that cannot be reached, instead of `retries`. */
  readonly patience?: Patience | undefined
  /** Told before each wait. */
  readonly onWait?: ((wait: Wait) => void) | undefined
  /** Milliseconds, rising; default `performance.now`. */
  readonly now?: () => number
  /** Longest wait that a server may ask for, in milliseconds; default one hour. */
  readonly longestWaitMs?: number
  /** Largest answer, in bytes; default 256 MiB. */
  readonly maxAnswerBytes?: number
  /** 0 to 1, exclusive; default `Math.random`. */
  readonly random?: () => number
  readonly sleep?: Sleep
}

/** Options of one call. */
export interface CallOptions {
  readonly signal?: AbortSignal
  /** Of a call that an earlier process may have sent already; default: a new one. */
  readonly idempotencyKey?: string
}

/** A call without required fields may leave out the request. */
export type Method<E extends Endpoint> =
  Record<never, never> extends RequestInput<E>
    ? (request?: RequestInput<E>, options?: CallOptions) => Promise<AnswerOf<E>>
    : (request: RequestInput<E>, options?: CallOptions) => Promise<AnswerOf<E>>

type Methods = {
  readonly [Group in keyof Endpoints]: {
    readonly [Name in keyof Endpoints[Group]]: Endpoints[Group][Name] extends Endpoint
      ? Method<Endpoints[Group][Name]>
      : never
  }
}

export interface Caller {
  /** Scheme, name, port and prefix, without credentials. */
  readonly address: string
  /** Who is there; asked once. @throws LibrarianError PeerUnreachable */
  greet(options?: { readonly signal?: AbortSignal }): Promise<Greeting>
  /** Calls any endpoint. An empty search is an empty array. @throws LibrarianError, or the signal’s reason */
  call<E extends Endpoint>(endpoint: E, request: RequestInput<E>, options?: CallOptions): Promise<AnswerOf<E>>
}

/** All calls of a librarian, by group and name. */
export type Connection = Caller & Methods

/**
 * Opens nothing yet: the first call does.
 *
 * Calls that only read are repeated after lost connections and busy servers. Calls that change something are repeated only if
 * they were never sent, or if the server is ours and keeps to their Idempotency-Key.
 *
 * @example
 * ```ts
 * const librarian = connect({ url: 'https://data.example.org', user: 'ada', password })
 * const files = await librarian.search.file({ name: 'night-1/a.fits' })
 * ```
 */
export function connect(options: ConnectOptions): Connection {
  const caller = createCaller(options)
  const methodsOf = (group: Readonly<Record<string, Endpoint>>) =>
    mapValues(group, endpoint => (request: unknown, call?: CallOptions) => caller.call(endpoint, request ?? {}, call))
  return { ...caller, ...mapValues(endpoints, methodsOf) } as unknown as Connection
}

function createCaller(options: ConnectOptions): Caller {
  const { retries = 4, longestWaitMs = 3_600_000, random = Math.random, sleep = sleepByTimer } = options
  const { idempotencyKeys = () => crypto.randomUUID() } = options
  const address = baseUrl(options)
  const outage = options.patience && createOutage(options.patience, options.now ?? (() => performance.now()))
  const sendOnce = createSender(address, options)
  const send: Send = async (...given) => {
    const received = await sendOnce(...given)
    if (received.kind === 'answered') outage?.end()
    return received
  }
  const greeter = createGreeter(signal => send(endpoints.ping.any, {}, { signal, key: undefined }))

  const attempt = async <E extends Endpoint>(endpoint: E, request: unknown, call: SendOptions): Promise<Attempt<E>> => {
    const greeting = isGreeting(endpoint) ? undefined : await greeter.greet(call.signal)
    if (greeting && 'kind' in greeting) return { isSuccess: false, error: greeting.error, mayRepeat: !greeting.isFinal }
    const mayRepeat = !endpoint.mutates || greeting?.capabilities.has(IDEMPOTENCY) === true
    const received = await send(endpoint, request, call)
    if (received.kind !== 'answered') {
      greeter.forget()
      const isWorthIt = !received.isFinal && (mayRepeat || received.kind === 'refused')
      return { isSuccess: false, error: received.error, mayRepeat: isWorthIt }
    }
    const read = readAnswer(endpoint, received, request)
    return read.isSuccess ? read : { ...read, mayRepeat: mayRepeat && isBusy(received.status, read.error) }
  }

  const call: Caller['call'] = async (endpoint, request, { signal: own, idempotencyKey } = {}) => {
    const signal = anyOf(options.signal, own)
    const key = endpoint.mutates ? (idempotencyKey ?? idempotencyKeys()) : undefined
    const unreached = outage?.ofCall()
    for (let repetition = 0; ; repetition++) {
      const outcome = await attempt(endpoint, request, { signal, key })
      if (outcome.isSuccess) return outcome.answer
      const { error, mayRepeat } = outcome
      const { retryAfterSeconds } = error
      const left = error.code === 'PeerUnreachable' ? unreached?.left() : undefined
      const wait = waitBefore({ attempt: repetition, random, retryAfterSeconds, longestWaitMs })
      const isOver = left === undefined ? repetition >= retries : left <= 0
      if (!mayRepeat || isOver || wait === undefined) throw error
      const ms = Math.min(wait, left ?? wait)
      options.onWait?.({ error, ms })
      await sleep(ms, { signal })
    }
  }

  return {
    address,
    call,
    async greet({ signal } = {}) {
      const greeting = await greeter.greet(anyOf(options.signal, signal))
      if ('kind' in greeting) throw greeting.error
      return greeting
    },
  }
}

type Attempt<E extends Endpoint> =
  | Extract<Read<E>, { isSuccess: true }>
  | (Extract<Read<E>, { isSuccess: false }> & { readonly mayRepeat: boolean })

interface SendOptions {
  readonly signal: AbortSignal | undefined
  readonly key: string | undefined
}

type Send = (endpoint: Endpoint, request: unknown, options: SendOptions) => Promise<Received | NotReceived>

function createSender(address: string, options: ConnectOptions): Send {
  const { fetch = globalThis.fetch, connectTimeoutMs = 20_000, maxAnswerBytes = 256 * 2 ** 20 } = options
  const authorization = basicAuthorization(options.user, options.password)
  return async (endpoint, request, { signal, key }) => {
    const sent = {
      url: `${address}/api/v2/${endpoint.path}`,
      authorization,
      body: endpoint.bodyIsOptional ? undefined : JSON.stringify(request),
      idempotencyKey: key,
    }
    if (!isGreeting(endpoint)) return exchange({ ...sent, signal }, { fetch, maxAnswerBytes })
    const timeout = AbortSignal.timeout(connectTimeoutMs)
    try {
      return await exchange({ ...sent, signal: anyOf(signal, timeout) }, { fetch, maxAnswerBytes })
    } catch (error) {
      if (error !== timeout.reason || signal?.aborted) throw error
      const message = `Cannot reach the librarian at ${sent.url}: it must answer a greeting within ${connectTimeoutMs} ms`
      return { kind: 'refused', error: new LibrarianError('PeerUnreachable', message) }
    }
  }
}

const greetings: readonly Endpoint[] = Object.values(endpoints.ping)

function isGreeting(endpoint: Endpoint): boolean {
  return greetings.includes(endpoint)
}

/** Whether the same call may succeed in a moment: a server or a proxy says that it is not the call’s fault. */
function isBusy(status: number, error: LibrarianError): boolean {
  return error.code === 'Busy' || error.code === 'TooMany' || status === 502 || status === 504
}

function anyOf(...signals: readonly (AbortSignal | undefined)[]): AbortSignal | undefined {
  const given = signals.filter(signal => signal !== undefined)
  return given.length > 1 ? AbortSignal.any(given) : given[0]
}

function mapValues<Value, Result>(
  object: Readonly<Record<string, Value>>,
  map: (value: Value) => Result,
): Record<string, Result> {
  return Object.fromEntries(Object.entries(object).map(([name, value]) => [name, map(value)]))
}
