/**
 * Questions to a service, short answers: what data commons, resolvers and object stores are asked beside the bytes
 * (gen3 7.4). Follows redirects without carrying secrets along, waits and asks again where that may help, and gives
 * every status that will stay as it is to its caller, who knows what it means.
 */
import type { Clock } from '../clock.ts'
import { systemClock } from '../clock.ts'
import { TransferError } from '../errors.ts'
import type { AnswerHead } from '../http/answer-head.ts'
import { parseHttpDate } from '../http/http-date.ts'
import type { Origins } from '../http/origins.ts'
import { firstHop, type Hop } from '../http/redirects.ts'
import { requestHeaders } from '../http/request-headers.ts'
import { originOf, parseRequestUrl } from '../http/request-url.ts'
import { retryAfter } from '../http/retry-after.ts'
import { follow, wholeBody } from '../http/short-answer.ts'
import { oneHeader } from '../integrity/headers.ts'
import { backoffDelayMs } from '../limits/backoff.ts'
import { redactUrl } from '../redact.ts'

export interface ApiOptions {
  readonly origins: () => Promise<Origins>
  /** For hosts that nobody here named. Default: the same. */
  readonly outside?: (() => Promise<Origins>) | undefined
  /** Questions at once per origin. Default 16. */
  readonly perOrigin?: number | undefined
  readonly clock?: Clock | undefined
  /** In [0, 1). Default Math.random. */
  readonly random?: (() => number) | undefined
}

export interface ApiRequest {
  /** Default GET, or POST with a body. */
  readonly method?: 'GET' | 'POST' | undefined
  readonly url: string
  readonly headers?: Readonly<Record<string, string>> | undefined
  readonly body?: string | undefined
  readonly signal: AbortSignal
  /** Nobody here named the host: it must not be inside. So for where redirects lead, in any case. */
  readonly isForeign?: boolean | undefined
  /** Statuses to try again besides network failures. Default: 408, 425, 429, 500, 502, 503, 504. */
  readonly retries?: Readonly<Record<number, number>> | undefined
  /** Attempts when there is no answer at all. Default 6. */
  readonly attempts?: number | undefined
}

export interface ApiAnswer extends AnswerHead {
  readonly body: string
  /** Where redirects ended. */
  readonly url: URL
}

const ATTEMPTS = 6
const PASSING = new Set([408, 425, 429, 500, 502, 503, 504])
const LONGEST_RETRY_AFTER_MS = 600_000
const MOST_BODY = 64 << 20

export class Api {
  readonly #origins: () => Promise<Origins>
  readonly #outside: () => Promise<Origins>
  readonly #perOrigin: number
  readonly #clock: Clock
  readonly #random: () => number
  readonly #gates = new Map<string, Gate>()

  constructor({ origins, outside = origins, perOrigin = 16, clock = systemClock, random = Math.random }: ApiOptions) {
    this.#origins = origins
    this.#outside = outside
    this.#perOrigin = perOrigin
    this.#clock = clock
    this.#random = random
  }

  /** The answer, whatever its status, once no retry will change it. Rejects with a TransferError or the signal's reason. */
  async ask(request: ApiRequest): Promise<ApiAnswer> {
    const { signal, retries = {}, attempts = ATTEMPTS } = request
    const uri = redactUrl(request.url)
    const gate = this.#gateOf(request.url)
    for (let attempt = 1; ; attempt++) {
      let wait: number | undefined
      const leave = await gate.enter(signal)
      try {
        const answer = await this.#askOnce(request, uri)
        const most = retries[answer.status] ?? (PASSING.has(answer.status) ? ATTEMPTS : 1)
        if (attempt >= most) return answer
        wait = this.#retryAfterMs(answer)
        // A service that asks for more patience than anybody has is given up.
        if (wait !== undefined && wait > LONGEST_RETRY_AFTER_MS) return answer
      } catch (error) {
        if (!(error instanceof TransferError) || !error.retriable || attempt >= attempts) throw error
      } finally {
        leave()
      }
      const delay = backoffDelayMs(attempt, { capMs: 60_000, random: this.#random })
      await this.#clock.sleep(Math.max(wait ?? 0, delay), signal)
    }
  }

  async #askOnce(request: ApiRequest, uri: string): Promise<ApiAnswer> {
    const { body, method = body === undefined ? 'GET' : 'POST', signal, isForeign } = request
    const first = firstHop(parseRequestUrl(request.url), requestHeaders(request.headers))
    const send = async ({ url, headers, hasLeftOrigin }: Hop) => {
      const origins = await (isForeign || hasLeftOrigin ? this.#outside() : this.#origins())
      await origins.checkAddress(url, uri)
      return origins.general.send({ method, url, headers, body, signal, uri, identity: 'api' })
    }
    const { exchange, hop } = method === 'GET' ? await follow(first, send) : { exchange: await send(first), hop: first }
    const text = await wholeBody(exchange, MOST_BODY, `ask ${uri}`, uri)
    return { status: exchange.status, headers: exchange.headers, body: text.toString('utf8'), url: hop.url }
  }

  #retryAfterMs({ headers }: ApiAnswer): number | undefined {
    const now = this.#clock.wallNow()
    const until = retryAfter(oneHeader(headers, 'retry-after'), now, parseHttpDate(oneHeader(headers, 'date')))
    return until === undefined ? undefined : until - now
  }

  #gateOf(url: string): Gate {
    const origin = originOf(parseRequestUrl(url).url)
    const gate = this.#gates.get(origin) ?? new Gate(this.#perOrigin)
    this.#gates.set(origin, gate)
    return gate
  }
}

/** Lets so many in at once, in the order in which they came. */
class Gate {
  readonly #waiting: (() => void)[] = []
  #free: number

  constructor(places: number) {
    this.#free = places
  }

  /** Call what it resolves with to leave. */
  async enter(signal: AbortSignal): Promise<() => void> {
    signal.throwIfAborted()
    if (this.#free > 0) this.#free--
    else await this.#turn(signal)
    return () => {
      const next = this.#waiting.shift()
      if (next) next()
      else this.#free++
    }
  }

  #turn(signal: AbortSignal): Promise<void> {
    return new Promise((resolve, reject) => {
      const onTurn = () => {
        signal.removeEventListener('abort', onAbort)
        resolve()
      }
      const onAbort = () => {
        this.#waiting.splice(this.#waiting.indexOf(onTurn), 1)
        reject(signal.reason)
      }
      signal.addEventListener('abort', onAbort, { once: true })
      this.#waiting.push(onTurn)
    })
  }
}

/** The answer's JSON object or array. A page where data should be is the usual sign of a wrong address. */
export function jsonOf(answer: ApiAnswer, uri: string): unknown {
  try {
    return JSON.parse(answer.body)
  } catch (cause) {
    const what = /^\s*</.test(answer.body) ? 'a web page' : 'something else'
    const message = `Cannot use the answer of ${redactUrl(uri)}: it must be JSON, got ${what}`
    throw new TransferError('Protocol', message, {
      url: redactUrl(uri),
      status: answer.status,
      retriable: false,
      cause,
    })
  }
}
