/** Asks for the pages of a listing, and asks again until they come or cannot come. */
import { setTimeout as sleep } from 'node:timers/promises'
import { isRetriable, TransferError } from '../../errors.ts'
import type { Origins } from '../../http/origins.ts'
import type { RequestHeaders } from '../../http/request-headers.ts'
import { backoffDelayMs } from '../../limits/backoff.ts'
import { queryOf } from './address.ts'
import { s3AnswerOf } from './answer.ts'
import { askSeat } from './ask-seat.ts'
import type { Bucket, Seat } from './bucket.ts'
import { isErrorBody, type ListPage, parseListPage } from './list-page.ts'

export interface PageQuestion {
  readonly prefix: string
  /** Names one level: what lies deeper comes as a prefix. */
  readonly delimiter?: '/' | undefined
  /** Only names behind this one. */
  readonly after?: string | undefined
  /** Where an earlier page said that the next one begins. */
  readonly token?: string | undefined
}

export interface PagesParts {
  readonly bucket: Bucket
  readonly origins: Origins
  /** For people. */
  readonly uri: string
  /** Signed along. */
  readonly extra: RequestHeaders
  readonly headers: Readonly<Record<string, string>> | undefined
  /** Ms before the n-th attempt after failures. Default: as for parts. */
  readonly delayMs?: ((failures: number) => number) | undefined
}

const PER_PAGE = '1000'
const MOST_ATTEMPTS = 8
/** A page that is not valid is hardly ever better the next time. */
const MOST_OF_BAD_PAGE = 3
const MOST_PATIENCE_MS = 300_000

export class Pages {
  readonly #p: PagesParts
  readonly #extra: RequestHeaders
  /** The store knows only the first version of the operation. */
  #isOld = false

  constructor(parts: PagesParts) {
    this.#p = parts
    const { 'x-amz-checksum-mode': _, ...extra } = parts.extra
    // Tells which archived objects can be read at present; other stores might not like what they do not know.
    const isAmazon = parts.bucket.seat.place.isAmazon
    this.#extra = isAmazon ? { ...extra, 'x-amz-optional-object-attributes': 'RestoreStatus' } : extra
  }

  /** One page. Whatever passes is waited for; anything else rejects. */
  async get(question: PageQuestion, signal: AbortSignal): Promise<ListPage> {
    for (let attempt = 1; ; attempt++) {
      signal.throwIfAborted()
      try {
        return await this.#get(question, signal)
      } catch (error) {
        if (signal.aborted) throw signal.reason
        if (this.#isForOld(error)) continue
        const isBadPage = error instanceof TransferError && error.code === 'Protocol' && !s3AnswerOf(error)
        const most = isBadPage ? MOST_OF_BAD_PAGE : MOST_ATTEMPTS
        const pause = attempt < most && isRetriable(error) ? this.#pauseAfter(error, attempt) : undefined
        if (pause === undefined) throw error
        await sleep(pause, undefined, { signal }).catch(() => signal.throwIfAborted())
      }
    }
  }

  async #get(question: PageQuestion, signal: AbortSignal): Promise<ListPage> {
    const page = await this.#p.bucket.ask(seat => this.#ask(seat, question, signal), signal)
    if (!page.isTruncated || this.#isOld || page.token !== undefined) return page
    // Asked by the second version, answered by the first: the names are right, and so is where they end.
    this.#isOld = true
    return page
  }

  async #ask(seat: Seat, question: PageQuestion, signal: AbortSignal): Promise<ListPage> {
    const { origins, uri, bucket, headers } = this.#p
    const target = `${seat.place.base || '/'}${queryOf(this.#query(question))}`
    const answer = await askSeat(origins, seat, { method: 'GET', target, extra: this.#extra, headers, uri, signal })
    const { status, body } = answer
    if (status === 200 && !isErrorBody(body.toString('latin1', 0, 1024))) return parseListPage(body, uri)
    const failed = { status: status === 200 ? 500 : status, headers: answer.headers, body: body.toString('utf8') }
    throw bucket.failureOf(failed, { uri, verb: 'list' })
  }

  #query({ prefix, delimiter, after, token }: PageQuestion): Record<string, string | undefined> {
    const common = { prefix, delimiter, 'encoding-type': 'url', 'max-keys': PER_PAGE }
    if (this.#isOld) return { ...common, marker: after }
    return {
      ...common,
      'list-type': '2',
      'continuation-token': token,
      'start-after': token === undefined ? after : undefined,
    }
  }

  /** Stores that do not know the second version say so in various ways. */
  #isForOld(error: unknown): boolean {
    const answer = s3AnswerOf(error)
    if (this.#isOld || !answer) return false
    const isUnknown = answer.status === 501 || answer.code === 'NotImplemented' || answer.code === 'MethodNotAllowed'
    const isMisread = answer.status === 400 && /list-type|continuation|start-after/i.test(answer.message)
    this.#isOld = isUnknown || isMisread
    return this.#isOld
  }

  #pauseAfter(error: unknown, failures: number): number | undefined {
    const until = error instanceof TransferError ? error.details.until : undefined
    const pause = (this.#p.delayMs ?? backoffDelayMs)(failures)
    if (until === undefined) return pause
    const told = until - this.#p.bucket.account.now()
    return told > MOST_PATIENCE_MS ? undefined : Math.max(told, pause)
  }
}
