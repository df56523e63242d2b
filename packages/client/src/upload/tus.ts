/**
 * Sending one file, or the archive of a directory, by tus 1.0 (https://tus.io/protocols/resumable-upload) to an upload that the server has made: in pieces
 * with a digest each, and continued from what the server says it has.
 *
 *     offset    HEAD, whenever we do not know what the server has
 *     piece     read, digest, PATCH; the next one is read while this one is sent
 *     trouble   wait, ask for the offset again; attempts count only while nothing moves
 *
 * Does not promise that the server keeps it: that is the commit's.
 */
import { createHash } from 'node:crypto'
import { setTimeout as sleep } from 'node:timers/promises'
import type { Wait } from '@arriero/api'
import { isRetriable, TransferError } from '@arriero/transfer'
import { networkError } from '../http/network-error.ts'
import type { NodeFetch } from '../http/node-fetch.ts'
import type { Outgoing } from './outgoing.ts'

export interface TusOptions {
  readonly fetch: NodeFetch | typeof globalThis.fetch
  /** The upload's own address. */
  readonly url: URL
  /** Goes with every request. */
  readonly authorization: string
  /** The server has made it just now, and has nothing of it: it need not be asked. Default false. */
  readonly isFresh?: boolean | undefined
  /** Bytes of files that the server has taken in this run. */
  readonly onBytes: (count: number) => void
  /** Bytes of files that it had from an earlier one. */
  readonly onHeld: (count: number) => void
  readonly signal: AbortSignal
  /** Attempts that get nowhere. Default 8. */
  readonly retries?: number | undefined
  /** So long a server that cannot be reached is waited for, even beyond `retries`; ms. Default 0. */
  readonly patienceMs?: number | undefined
  /** Told before each wait. */
  readonly onWait?: ((wait: Wait) => void) | undefined
  /** Bytes of a piece. Default 16 MiB: two of them are in memory. */
  readonly pieceSize?: number | undefined
  /** First wait after a failure, ms; it doubles. Default 250. */
  readonly waitMs?: number | undefined
  /** From 0 to 1, for jitter. */
  readonly random?: (() => number) | undefined
}

const VERSION = '1.0.0'
/** Two of them are in memory at once. */
export const PIECE = 16 << 20
const LONGEST_WAIT_MS = 10_000

/** The bytes stay the caller's to dispose of. */
export async function sendByTus(outgoing: Outgoing, options: TusOptions): Promise<void> {
  await new Sending(outgoing, options).run()
}

class Sending {
  readonly #outgoing: Outgoing
  readonly #o: TusOptions
  #failures = 0
  /** When the first of these failures was. */
  #failingSince = 0
  #isHeldTold: boolean
  #ahead: { readonly offset: number; readonly piece: Promise<Piece> } | undefined

  constructor(outgoing: Outgoing, options: TusOptions) {
    this.#outgoing = outgoing
    this.#o = options
    this.#isHeldTold = options.isFresh ?? false
  }

  async run(): Promise<void> {
    let offset = this.#o.isFresh ? 0 : await this.#persistently(() => this.#offset())
    while (offset < this.#outgoing.size) {
      const next = await this.#sendPiece(offset).catch(error => this.#offsetAfter(error))
      if (next > offset) this.#failures = 0
      offset = next
    }
    await this.#ahead?.piece.catch(() => {})
  }

  /** Until it is done, or has failed too often without getting anywhere. */
  async #persistently(step: () => Promise<number>): Promise<number> {
    for (;;) {
      try {
        return await step()
      } catch (error) {
        this.#o.signal.throwIfAborted()
        if (this.#isHopeless(error)) throw error
        await this.#wait(error as TransferError)
      }
    }
  }

  /** Where to go on after a failure: a server that was cut off may have taken some of the piece, or all of it. */
  async #offsetAfter(error: unknown): Promise<number> {
    this.#o.signal.throwIfAborted()
    if (this.#isHopeless(error)) throw error
    await this.#wait(error as TransferError)
    return this.#persistently(() => this.#offset())
  }

  /** Counts the failure. */
  #isHopeless(error: unknown): boolean {
    if (!isRetriable(error)) return true
    if (this.#failures++ === 0) this.#failingSince = performance.now()
    if (this.#failures < (this.#o.retries ?? 8)) return false
    const isAway = error instanceof TransferError && (error.code === 'Network' || error.code === 'Timeout')
    return !isAway || performance.now() - this.#failingSince >= (this.#o.patienceMs ?? 0)
  }

  async #wait(error: TransferError): Promise<void> {
    const { signal, random = Math.random, waitMs = 250 } = this.#o
    const backoff = Math.min(LONGEST_WAIT_MS, waitMs * 2 ** (this.#failures - 1)) * (0.5 + random() / 2)
    const asked = error.details.until === undefined ? 0 : error.details.until - Date.now()
    const ms = Math.max(backoff, Math.min(asked, 30 * LONGEST_WAIT_MS))
    this.#o.onWait?.({ error, ms })
    await sleep(ms, undefined, { signal }).catch(() => {
      signal.throwIfAborted()
    })
  }

  /** What the server has. */
  async #offset(): Promise<number> {
    const answer = await this.#ask('HEAD', {})
    if (answer.status === 404 || answer.status === 410) throw this.#unknown()
    if (answer.status !== 200 && answer.status !== 204) throw await this.#refusal(answer, 'continue')
    const offset = Number(answer.headers.get('upload-offset') ?? Number.NaN)
    const length = answer.headers.get('upload-length')
    // Another upload than ours.
    if (length !== null && Number(length) !== this.#outgoing.size) throw this.#unknown()
    if (!Number.isSafeInteger(offset) || offset < 0 || offset > this.#outgoing.size) {
      throw this.#protocol(`it has ${offset} bytes of ${this.#outgoing.size}`)
    }
    if (!this.#isHeldTold) this.#o.onHeld(this.#outgoing.countOf(0, offset))
    this.#isHeldTold = true
    return offset
  }

  async #sendPiece(offset: number): Promise<number> {
    const piece = await this.#pieceAt(offset)
    const end = offset + piece.bytes.length
    if (end < this.#outgoing.size) this.#readAhead(end)
    const answer = await this.#ask(
      'PATCH',
      {
        'content-type': 'application/offset+octet-stream',
        'upload-offset': String(offset),
        'upload-checksum': `sha256 ${piece.digest}`,
      },
      piece.bytes,
    )
    if (answer.status !== 204 && answer.status !== 200) throw await this.#refusal(answer, 'send')
    const now = Number(answer.headers.get('upload-offset') ?? Number.NaN)
    if (now !== end) throw this.#protocol(`it has ${now} bytes, sent were ${end}`)
    this.#o.onBytes(this.#outgoing.countOf(offset, end))
    return now
  }

  async #pieceAt(offset: number): Promise<Piece> {
    const ahead = this.#ahead
    this.#ahead = undefined
    if (ahead?.offset === offset) return ahead.piece
    // Its buffer is still being filled.
    await ahead?.piece.catch(() => {})
    return this.#read(offset)
  }

  #readAhead(offset: number): void {
    const piece = this.#read(offset)
    piece.catch(() => {})
    this.#ahead = { offset, piece }
  }

  async #read(offset: number): Promise<Piece> {
    const length = Math.min(this.#o.pieceSize ?? PIECE, this.#outgoing.size - offset)
    const bytes = Buffer.allocUnsafe(length)
    await this.#outgoing.read(bytes, offset)
    return { bytes, digest: createHash('sha256').update(bytes).digest('base64') }
  }

  async #ask(method: string, headers: Record<string, string>, body?: Buffer<ArrayBuffer>): Promise<Response> {
    const { fetch, url, authorization, signal } = this.#o
    try {
      return await fetch(url, {
        method,
        headers: { 'tus-resumable': VERSION, authorization, ...this.#outgoing.headers, ...headers },
        redirect: 'manual',
        signal,
        ...(body === undefined ? {} : { body }),
      })
    } catch (error) {
      signal.throwIfAborted()
      throw networkError(error, url)
    }
  }

  #unknown(): TransferError {
    const what = `Cannot continue the upload of ${this.#outgoing.path}`
    return new TransferError('NotFound', `${what}: ${this.#o.url.origin} knows nothing of it any more`, {
      file: this.#outgoing.path,
      remedy: 'Say the same again: it begins anew.',
    })
  }

  #protocol(why: string): TransferError {
    return new TransferError('Protocol', `Cannot send ${this.#outgoing.path} to ${this.#o.url.origin}: ${why}`, {
      file: this.#outgoing.path,
    })
  }

  async #refusal(answer: Response, doing: string): Promise<TransferError> {
    const { status, headers } = answer
    const text = reasonIn(await answer.text())
    const seconds = Number(headers.get('retry-after') ?? Number.NaN)
    const what = `Cannot ${doing} the upload of ${this.#outgoing.path} to ${this.#o.url.origin}`
    return new TransferError(codeFor(status), `${what}: the server answers ${status}${text}`, {
      file: this.#outgoing.path,
      status,
      retriable: retriableStatuses.has(status) || status >= 500,
      until: Number.isFinite(seconds) ? Date.now() + seconds * 1000 : undefined,
      remedy: status >= 500 || status === 423 ? 'Say the same again later: it continues.' : undefined,
    })
  }
}

interface Piece {
  readonly bytes: Buffer<ArrayBuffer>
  readonly digest: string
}

/** Offset conflict, too early, locked, too many, and tus's own checksum mismatch: the next attempt asks for the offset first. */
const retriableStatuses: ReadonlySet<number> = new Set([408, 409, 423, 425, 429, 460])

function codeFor(status: number): TransferError['code'] {
  if (status === 401 || status === 403) return 'Denied'
  if (status === 404 || status === 410) return 'NotFound'
  if (status === 429) return 'Throttled'
  if (status === 507) return 'NoSpace'
  if (status === 460) return 'ChecksumMismatch'
  return 'Protocol'
}

/** `: why`, from a failure body; empty where it says nothing. */
function reasonIn(text: string): string {
  try {
    const { reason } = JSON.parse(text) as { reason?: unknown }
    return typeof reason === 'string' ? `: ${reason}` : ''
  } catch {
    return text.trim() === '' ? '' : `: ${text.trim().slice(0, 200)}`
  }
}
