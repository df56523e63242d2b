/**
 * Reads http and https resources through the two lanes (retrieval 7, 8, 12).
 *
 *     first contact     general lane: redirects, credentials, odd bodies; learns the origin's shape
 *     afterwards        fast lane, if the general lane has seen an answer that it can carry
 *     surprise          the fast lane gave up before a byte landed: asked once more in the general lane
 *
 * One attempt per `fetch`. What repeats inside it repeats without a byte having landed: the other lane, a redirect, the
 * same question without a condition or range that the server takes wrongly, fresh credentials after a refusal.
 */
import { type ErrorCode, TransferError } from '../errors.ts'
import type { AnswerHead } from '../http/answer-head.ts'
import { parseLength } from '../http/content-range.ts'
import { expiryOf } from '../http/expiry.ts'
import type { FastBody } from '../http/fast-connection.ts'
import { isFastShape } from '../http/fast-head.ts'
import type { Exchange } from '../http/general-lane.ts'
import { HopLanes } from '../http/hop-lanes.ts'
import type { OriginState, Origins } from '../http/origins.ts'
import { type Accepted, judgeAnswer, type Question, type Verdict } from '../http/range-answer.ts'
import { receiveBody } from '../http/receive-body.ts'
import { firstHop, type Hop, isRedirect, nextHop } from '../http/redirects.ts'
import { readStart, refusalError, withReason } from '../http/refusal.ts'
import { headerLines, requestHeaders } from '../http/request-headers.ts'
import { type AcceptedCoding, type Ask, askHeaders, conditionFor, requestText } from '../http/request-text.ts'
import { originOf, parseRequestUrl } from '../http/request-url.ts'
import { Resolution } from '../http/resolution.ts'
import { resourceFromHeaders } from '../http/resource-from-headers.ts'
import type { HttpSourceOptions } from '../http/source-options.ts'
import { isPlainFailure, statusFailure } from '../http/status-failure.ts'
import { FastExplanation, unwanted } from '../http/unwanted.ts'
import { oneHeader } from '../integrity/headers.ts'
import { nowhere } from '../nowhere.ts'
import { redactUrl } from '../redact.ts'
import type { Resource } from '../resource.ts'
import type { Answer, FetchRequest, Source } from '../source.ts'
import { checkRange } from './local-answer.ts'

export function createHttpSource(uri: string, options: HttpSourceOptions): Source {
  return new HttpSource(uri, options)
}

/** Statuses by which servers mean "not by HEAD", among other things. */
const HEAD_REFUSED = new Set([400, 401, 403, 404, 405, 501])

/** Failures that another resolution of the redirects would not mend. */
const KEEPS_RESOLVED = new Set<ErrorCode>(['ResourceChanged', 'RangeUnsupported', 'Throttled', 'Usage'])

class HttpSource implements Source {
  readonly origin: string
  readonly capabilities = { parallel: true, list: false } as const
  readonly #given: string
  readonly #options: HttpSourceOptions
  readonly #origins: Origins
  readonly #resolution: Resolution
  readonly #secretHeaders: ReadonlySet<string>
  readonly #lanes: HopLanes
  #uri: string | undefined
  /** This very resource has surprised the fast lane by the shape of its answers. */
  #isOdd = false

  constructor(uri: string, options: HttpSourceOptions) {
    this.#given = uri
    this.#options = options
    this.#origins = options.origins
    this.#secretHeaders = new Set(options.secretHeaders?.map(name => name.toLowerCase()))
    const first = firstHop(parseRequestUrl(uri), requestHeaders(options.headers), options.target)
    this.#resolution = new Resolution(first, options.now ?? Date.now)
    this.#lanes = new HopLanes({
      origins: options.origins,
      credentials: options.credentials,
      secretHeaders: this.#secretHeaders,
      accepted: this.#accepted,
      uri: () => this.uri,
    })
    this.origin = originOf(first.url)
  }

  get uri(): string {
    this.#uri ??= this.#options.label ?? redactUrl(this.#given)
    return this.#uri
  }

  /** By HEAD, which servers may refuse or answer without a length; then by a GET of one byte (retrieval 7). */
  async probe({ signal }: { signal: AbortSignal }): Promise<Resource> {
    return (await this.#probeByHead(signal)) ?? (await this.#probeByGet(signal))
  }

  async fetch(request: FetchRequest): Promise<void> {
    request.signal.throwIfAborted()
    checkRange(request.range, this.uri)
    try {
      await this.#fetch(this.#askFor(request), request)
    } catch (error) {
      throw this.#failed(error, request)
    }
  }

  async close(): Promise<void> {
    this.#resolution.forget()
    this.#lanes.close()
  }

  #askFor({ range, expected }: FetchRequest): Ask {
    const hop = this.#resolution.current
    const state = this.#origins.of(originOf(hop.url))
    if (range && state.ignoresRanges(hop.url.pathname)) {
      if (range.start === 0) return { range: undefined, condition: undefined }
      throw new TransferError('RangeUnsupported', `Cannot fetch a part of ${this.uri}: the server ignores ranges`)
    }
    const { condition = 'if-range', etagPolicy = 'strict' } = this.#options
    const isUseful = expected && range && etagPolicy === 'strict' && !(condition === 'if-range' && state.ignoresIfRange)
    return { range, condition: isUseful ? conditionFor(expected, condition) : undefined }
  }

  /** Goes from hop to hop until one answers, each time by the fastest lane that may. */
  async #fetch(firstAsk: Ask, request: FetchRequest): Promise<void> {
    let hop = this.#resolution.current
    let ask = firstAsk
    let isFirstRefusal = true
    let mayGoFast = !this.#isOdd
    for (;;) {
      const state = this.#origins.of(originOf(hop.url))
      if (mayGoFast && this.#origins.mayGoFast(hop.url, state)) {
        const outcome = await this.#fetchFast(hop, ask, request, state)
        if (outcome === 'done') return
        if (outcome !== 'surprise') {
          hop = outcome
          continue
        }
        mayGoFast = false
      }
      const headers = askHeaders(ask, this.#accepted)
      const { signal, fresh } = request
      const exchange = await this.#lanes.send(hop, { method: 'GET', headers, signal, fresh })
      const verdict = judgeAnswer(exchange, this.#question(ask, request))
      if (this.#isOwnMatter(exchange.status)) {
        const explained = this.#explain(exchange, await readStart(exchange))
        if (explained) throw explained
      }
      switch (verdict.is) {
        case 'redirect':
          await exchange.drain()
          hop = nextHop(hop, verdict.location, this.#redirectOptions)
          break
        case 'repeat':
          exchange.cancel()
          ask = { range: verdict.without === 'range' ? undefined : ask.range, condition: undefined }
          break
        case 'refused':
          if (!isFirstRefusal || !(await this.#hasNewWay(exchange, hop, request.signal))) {
            throw await refusalError(exchange, this.uri, this.#lanes.secretsSent(exchange, hop))
          }
          isFirstRefusal = false
          await exchange.drain()
          hop = this.#resolution.first
          break
        case 'failed':
          if (exchange.status < 300) exchange.cancel()
          throw await withReason(this.#noted(verdict, hop, state), exchange, this.#lanes.secretsSent(exchange, hop))
        case 'nothing':
          await exchange.drain()
          this.#resolution.remember(hop)
          request.answered(this.#emptyAnswer(verdict.resource, verdict.start, hop, exchange))
          return
        case 'accepted':
          this.#learn(verdict, exchange, hop, state, ask, firstAsk)
          return receiveBody(exchange, verdict, {
            uri: this.uri,
            where: hop.url.host,
            keepsCoding: this.#options.keepEncoding,
            signal,
            answered: accepted => request.answered(this.#answer(accepted, hop, exchange)),
          })
      }
      request.signal.throwIfAborted()
    }
  }

  // ---- fast lane

  /** A hop: where the answer redirects to. After a surprise nothing has landed. */
  async #fetchFast(hop: Hop, ask: Ask, request: FetchRequest, state: OriginState): Promise<'done' | 'surprise' | Hop> {
    const checking = this.#origins.checkAddress(hop.url, this.uri)
    if (checking) await checking
    const route = this.#lanes.routeTo(hop)
    const more = this.#lanes.credentialHeaders('GET', hop)
    const fields = more ? route.fields + headerLines(more instanceof Promise ? await more : more) : route.fields
    let isShown = false
    let redirect: Hop | undefined
    let failure: TransferError | undefined
    let explained: FastExplanation | undefined
    const answered = (head: AnswerHead): FastBody | undefined => {
      isShown = true
      if (this.#isOwnMatter(head.status)) {
        explained = new FastExplanation(head)
        return explained.body
      }
      if (isRedirect(head.status)) {
        redirect = nextHop(hop, oneHeader(head.headers, 'location'), this.#redirectOptions)
        return unwanted(head)
      }
      if (isPlainFailure(head.status)) {
        failure = statusFailure(head, this.uri, this.#now())
        return unwanted(head)
      }
      return this.#answeredFast(head, hop, ask, request, state)
    }
    const isDone = await route.pool.fetch(
      { text: requestText(route.target, ask, fields), signal: request.signal, uri: this.uri, answered },
      request.fresh ?? false,
    )
    if (isDone) state.carried()
    else if (!isShown) this.#surprised(state)
    if (explained?.isKnown) failure = this.#explain(explained.head, explained.text)
    if (failure) throw failure
    return redirect ?? (isDone ? 'done' : 'surprise')
  }

  #answeredFast(head: AnswerHead, hop: Hop, ask: Ask, request: FetchRequest, state: OriginState): FastBody | undefined {
    if (!isFastShape(head)) {
      if (head.status < 300) this.#surprised(state)
      return undefined
    }
    const verdict = judgeAnswer(head, this.#question(ask, request))
    if (verdict.is === 'failed') throw this.#noted(verdict, hop, state)
    if (verdict.is !== 'accepted' || verdict.bodyLength === undefined) return undefined
    this.#learn(verdict, head, hop, state, ask, ask)
    const landing = request.answered(this.#answer(verdict, hop, head))
    return { landing, length: verdict.bodyLength }
  }

  /** This resource, and perhaps its origin, does not answer in the form that the fast lane knows. */
  #surprised(state: OriginState): void {
    this.#isOdd = true
    state.surprised()
  }

  // ---- general lane

  /** After a refusal: the chain of redirects may be out of date, or the credentials may be renewed. */
  async #hasNewWay(exchange: Exchange, hop: Hop, signal: AbortSignal): Promise<boolean> {
    // Requests are refused together: the first of them to say so has made the others' hop a forgotten one.
    const wasResolved = hop !== this.#resolution.first
    if (this.#resolution.isRemembered(hop)) this.#resolution.forget()
    const { url } = this.#resolution.first
    const isRenewed = await this.#lanes.renew(exchange, hop, { url, signal })
    return isRenewed || wasResolved
  }

  #learn(verdict: Accepted, head: AnswerHead, hop: Hop, state: OriginState, ask: Ask, firstAsk: Ask): void {
    this.#resolution.remember(hop)
    if (isFastShape(head)) state.prove()
    const { range, condition } = firstAsk
    if (range && verdict.resource.ranges === 'no') state.noteIgnoresRanges(hop.url.pathname)
    // The same question was answered well as soon as it was put without If-Range.
    if (condition?.name === 'if-range' && !ask.condition && head.status === 206) state.ignoresIfRange = true
  }

  // ---- probing

  /** Undefined: HEAD cannot tell. */
  async #probeByHead(signal: AbortSignal): Promise<Resource | undefined> {
    const headers = { 'accept-encoding': this.#accepted }
    let hop = this.#resolution.current
    for (;;) {
      const exchange = await this.#lanes.send(hop, { method: 'HEAD', headers, signal })
      await exchange.drain()
      const { status } = exchange
      if (this.#isOwnMatter(status)) {
        // The answer to HEAD has no words: GET will say what it is about.
        if (status < 500) return undefined
        throw this.#explain(exchange, '') ?? statusFailure(exchange, this.uri, this.#now())
      }
      if (isRedirect(status)) {
        hop = nextHop(hop, oneHeader(exchange.headers, 'location'), this.#redirectOptions)
        continue
      }
      if (status !== 200) {
        if (status < 400 || HEAD_REFUSED.has(status)) return undefined
        throw statusFailure(exchange, this.uri, this.#now())
      }
      const isFramed = exchange.headers['transfer-encoding'] === undefined
      const resource = resourceFromHeaders(exchange.headers, {
        size: parseLength(isFramed ? oneHeader(exchange.headers, 'content-length') : undefined),
        ranges: 'unproven',
        hasWholeBody: true,
        warn: this.#options.onWarning,
      })
      if (resource.size === undefined || resource.contentEncoding !== undefined) return undefined
      return this.#placed(resource, hop)
    }
  }

  async #probeByGet(signal: AbortSignal): Promise<Resource> {
    const heads: Resource[] = []
    await this.fetch({
      range: { start: 0, end: 1 },
      expected: undefined,
      answered: answer => {
        heads.push(answer.resource)
        return nowhere
      },
      signal,
    })
    const [resource] = heads
    if (!resource) throw new TransferError('Protocol', `Cannot look at ${this.uri}: there was no answer`)
    return resource
  }

  // ---- shared

  /** What only `explain` can tell. The other statuses of 300 and more are about ranges and conditions: ours. */
  #isOwnMatter(status: number): boolean {
    return this.#options.explain !== undefined && status >= 300 && ![304, 412, 416].includes(status)
  }

  #explain({ status, headers }: AnswerHead, body: string): TransferError | undefined {
    return this.#options.explain?.({ status, headers, body })
  }

  #question(ask: Ask, { expected }: FetchRequest): Question {
    return {
      uri: this.uri,
      range: ask.range,
      expected,
      condition: ask.condition?.name,
      etagPolicy: this.#options.etagPolicy ?? 'strict',
      storedCoding: this.#accepted === 'identity' ? undefined : this.#options.keepEncoding ? 'keep' : 'decode',
      warn: this.#options.onWarning,
      now: () => this.#now(),
    }
  }

  #answer({ resource, start, end, bodyLength, framing }: Accepted, hop: Hop, head: AnswerHead): Answer {
    // The end of a coded body as it is sent: of the resource itself nothing is known.
    const isCoded = resource.contentEncoding !== undefined
    const ends = resource.isDecoded ? undefined : (end ?? (isCoded ? bodyLength : undefined))
    return { resource: this.#placed(resource, hop), start, end: ends, framing, head }
  }

  #emptyAnswer(resource: Resource, start: number, hop: Hop, head: AnswerHead): Answer {
    return { resource: this.#placed(resource, hop), start, end: start, framing: 'length', head }
  }

  #placed(resource: Resource, hop: Hop): Resource {
    const isFirst = hop === this.#resolution.first
    const expiresAt = expiryOf(hop.url)
    if (isFirst && expiresAt === undefined) return resource
    return { ...resource, resolvedUrl: isFirst ? undefined : hop.url.href, expiresAt }
  }

  #noted(verdict: Verdict & { is: 'failed' }, hop: Hop, state: OriginState): TransferError {
    if (verdict.ignoresRange) state.noteIgnoresRanges(hop.url.pathname)
    return verdict.error
  }

  /** A failure where redirects led makes the next attempt resolve them anew. */
  #failed(error: unknown, { signal }: FetchRequest): unknown {
    if (signal.aborted) return signal.reason
    if (!(error instanceof TransferError)) return error
    if (!KEEPS_RESOLVED.has(error.code)) this.#resolution.forget()
    const { url } = this.#resolution.first
    const isExpired = error.code === 'Denied' && (expiryOf(url) ?? Number.POSITIVE_INFINITY) <= this.#now()
    return isExpired ? new TransferError('Expired', error.message, error.details) : error
  }

  get #accepted(): AcceptedCoding {
    return this.#options.acceptCoding ?? 'identity'
  }

  get #redirectOptions() {
    return { secretHeaders: this.#secretHeaders, allowDowngrade: this.#options.allowDowngrade }
  }

  #now(): number {
    return (this.#options.now ?? Date.now)()
  }
}
