/**
 * Reads `s3://bucket/key` (retrieval 13.1): an HTTP source whose requests we sign, so that the bytes take the same two lanes
 * as any others.
 *
 *     first contact   the newest version, or the one that was named
 *     large objects   while the first bytes wait, HEAD tells the checksum of the whole or the size of its parts
 *     later parts     of the version that was seen first: by its id, and by If-Match
 *     refusals        another region, clock or credentials are learnt once for all sources of the bucket; asked again
 */
import { TransferError } from '../errors.ts'
import { parseLength } from '../http/content-range.ts'
import type { RequestHeaders } from '../http/request-headers.ts'
import { originOf } from '../http/request-url.ts'
import type { HttpSourceOptions } from '../http/source-options.ts'
import type { OfferedChecksum } from '../integrity/checksum.ts'
import { oneHeader } from '../integrity/headers.ts'
import { partCount } from '../integrity/parse-checksum.ts'
import type { Resource } from '../resource.ts'
import type { Answer, FetchRequest, Landing, Listed, ListRequest, Source } from '../source.ts'
import { createHttpSource } from './http.ts'
import type { SourceContext } from './registry.ts'
import { S3Accounts } from './s3/accounts.ts'
import { encodeKey, parseS3Uri, queryOf, uriOf } from './s3/address.ts'
import { askSeat } from './s3/ask-seat.ts'
import type { Bucket, Seat } from './s3/bucket.ts'
import { DeferredLanding } from './s3/deferred-landing.ts'
import { extraHeaders, ownHeaders } from './s3/extra-headers.ts'
import { listBucket } from './s3/list.ts'
import type { S3Options } from './s3/options.ts'

const USUAL: S3Options = {}
/** The first bytes wait so long for what HEAD tells. */
const MOST_CHECKSUM_MS = 10_000

export async function createS3Source(uri: string, context: SourceContext): Promise<Source> {
  const { s3 = USUAL, now = Date.now, headers } = context.options
  const { container, key, versionId } = parseS3Uri(uri)
  const accounts = context.shared('s3', () => new S3Accounts())
  const [bucket, origins] = await Promise.all([accounts.bucket(container, s3, now), context.origins()])
  const { requesterPays } = bucket.account.settings
  return new S3Source({
    key,
    bucket,
    extra: extraHeaders(headers, requesterPays ?? false),
    versionId: versionId ?? s3.versionId,
    http: { ...context.options, headers: headers && ownHeaders(headers), origins, condition: 'if-match' },
  })
}

interface S3SourceParts {
  readonly bucket: Bucket
  readonly key: string
  /** Signed along with every request. */
  readonly extra: RequestHeaders
  /** The caller's choice. */
  readonly versionId: string | undefined
  readonly http: HttpSourceOptions
}

/** A question that differs from that for the newest version of the whole. */
interface Variant {
  readonly versionId?: string | undefined
  readonly partNumber?: string | undefined
}

class S3Source implements Source {
  readonly uri: string
  readonly origin: string
  readonly capabilities = { parallel: true, list: true } as const
  readonly #p: S3SourceParts
  /** What is known of the whole has been told. */
  #isMet = false
  #open: { readonly seat: Seat; readonly versionId: string | undefined; readonly source: Source } | undefined

  constructor(parts: S3SourceParts) {
    this.#p = parts
    this.uri = uriOf(parts.bucket.container, parts.key)
    this.origin = originOf(new URL(parts.bucket.seat.place.origin))
  }

  probe({ signal }: { signal: AbortSignal }): Promise<Resource> {
    return this.#ask(seat => this.#probe(seat, signal), signal)
  }

  async fetch(request: FetchRequest): Promise<void> {
    const { bucket, versionId } = this.#p
    const pinned = versionId ?? (bucket.mayPin ? request.expected?.version : undefined)
    try {
      await this.#ask(seat => this.#fetch(seat, pinned, request), request.signal)
    } catch (error) {
      if (pinned === undefined || pinned === versionId || !isDenied(error)) throw error
      // Reading versions by their id is a right of its own. If-Match holds the parts together as well.
      await this.#ask(seat => this.#fetch(seat, undefined, request), request.signal)
      bucket.mayPin = false
    }
  }

  list(request: ListRequest): AsyncIterable<readonly Listed[]> {
    const { bucket, key, http, extra } = this.#p
    return listBucket(
      { bucket, base: key, uri: this.uri, origins: http.origins, extra, headers: http.headers },
      request,
    )
  }

  async close(): Promise<void> {
    await this.#open?.source.close()
    this.#open = undefined
  }

  async #fetch(seat: Seat, versionId: string | undefined, request: FetchRequest): Promise<void> {
    const source = this.#sourceAt(seat, versionId)
    if (this.#isMet || request.range === undefined) return source.fetch(request)
    // Thousands of small objects never need it.
    let over: AbortController | undefined
    const answered = (answer: Answer) => {
      if (this.#isMet || !isPart(answer)) return request.answered(answer)
      over = new AbortController()
      return this.#answeredInPart(answer, seat, request, AbortSignal.any([request.signal, over.signal]))
    }
    try {
      await source.fetch({ ...request, answered })
    } finally {
      // Whoever asked is told of nothing any more: neither of an answer nor of its checksums.
      over?.abort()
    }
  }

  /** The first part of something larger carries no checksum of the whole: it waits until HEAD has told one. */
  #answeredInPart(answer: Answer, seat: Seat, request: FetchRequest, signal: AbortSignal): Landing {
    const { resource } = answer
    const coming = this.#checksumsOf(resource, seat, signal).then(checksums => {
      signal.throwIfAborted()
      this.#isMet = true
      return request.answered({ ...answer, resource: { ...resource, checksums } })
    })
    return new DeferredLanding(coming)
  }

  /** What the store knows of the whole object; what the answer said, if it does not tell. */
  async #checksumsOf(seen: Resource, seat: Seat, signal: AbortSignal): Promise<readonly OfferedChecksum[]> {
    const versionId = this.#p.versionId ?? (this.#p.bucket.mayPin ? seen.version : undefined)
    const within = AbortSignal.any([signal, AbortSignal.timeout(MOST_CHECKSUM_MS)])
    try {
      const whole = await this.#sourceAt(seat, versionId).probe({ signal: within })
      const isSame =
        whole.size === seen.size && whole.etag?.value === seen.etag?.value && whole.version === seen.version
      if (!isSame) return seen.checksums
      return await this.#withPartSize(whole, seat, versionId, within)
    } catch {
      // A checksum is worth a question, not a failure: the bytes come anyway.
      return seen.checksums
    }
  }

  /** Composites can only be checked by who knows where the parts were cut (retrieval 11.3). */
  async #withPartSize(
    { checksums, size }: Resource,
    seat: Seat,
    versionId: string | undefined,
    signal: AbortSignal,
  ): Promise<readonly OfferedChecksum[]> {
    const isKnown = checksums.some(({ coverage, algorithm }) => coverage === 'object' && algorithm !== 's3_etag')
    const parts = checksums.map(({ value }) => partCount(value) ?? 1).find(count => count > 1)
    if (isKnown || parts === undefined || size === undefined) return checksums
    const { extra, http } = this.#p
    const target = this.#target(seat, { versionId, partNumber: '1' })
    const question = { method: 'HEAD', target, extra, headers: http.headers, uri: this.uri, signal } as const
    const { headers } = await askSeat(http.origins, seat, question)
    const partSize = parseLength(oneHeader(headers, 'content-length'))
    // Stores that do not know part numbers tell the size of the whole, and of no parts.
    const isPart = partSize !== undefined && partSize < size && Math.ceil(size / partSize) === parts
    if (!isPart || oneHeader(headers, 'x-amz-mp-parts-count') !== String(parts)) return checksums
    return checksums.map(checksum => (partCount(checksum.value) === parts ? { ...checksum, partSize } : checksum))
  }

  #probe(seat: Seat, signal: AbortSignal): Promise<Resource> {
    return this.#sourceAt(seat, this.#p.versionId).probe({ signal })
  }

  #ask<T>(ask: (seat: Seat) => Promise<T>, signal: AbortSignal): Promise<T> {
    return this.#p.bucket.ask(ask, signal)
  }

  #sourceAt(seat: Seat, versionId: string | undefined): Source {
    const open = this.#open
    if (open?.seat === seat && open.versionId === versionId) return open.source
    const source = this.#make(seat, { versionId })
    this.#open = { seat, versionId, source }
    return source
  }

  #target({ place }: Seat, variant: Variant): string {
    return `${place.base}/${encodeKey(this.#p.key)}${queryOf({ ...variant })}`
  }

  #make(seat: Seat, variant: Variant): Source {
    const { bucket, key, extra, http } = this.#p
    if (key === '') throw new TransferError('Usage', `Cannot fetch ${this.uri}: it is a bucket, not an object`)
    const target = this.#target(seat, variant)
    return createHttpSource(seat.place.origin + target, {
      ...http,
      target,
      label: this.uri,
      credentials: seat.credentials(extra),
      explain: failed => bucket.failureOf(failed, { uri: this.uri, verb: 'fetch' }),
    })
  }
}

function isPart({ resource, start, end }: Answer): boolean {
  return resource.size !== undefined && end !== undefined && (start > 0 || end < resource.size)
}

function isDenied(error: unknown): boolean {
  return error instanceof TransferError && error.code === 'Denied'
}
