/**
 * A small S3 in this process, for tests: buckets with versions, ranges, conditions, both listings. It checks every signature by
 * the SDK's signer, and takes the raw request line, so that a key reaches it as it was sent.
 */
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { listing } from './s3-server/listing.ts'
import { type PutOptions, type StoredObject, storedObject } from './s3-server/objects.ts'
import { type Refusal, refusalBody } from './s3-server/refusal.ts'
import { checkSignature, type Identity } from './s3-server/signature.ts'

export interface S3Request {
  readonly method: string
  /** As in the request line. */
  readonly target: string
  readonly bucket: string
  /** Empty for the bucket itself. */
  readonly key: string
  readonly query: URLSearchParams
  readonly headers: IncomingMessage['headers']
  readonly isSigned: boolean
}

export interface S3ServerOptions {
  readonly region?: string | undefined
  /** Buckets keep versions and tell their ids. Default false. */
  readonly isVersioned?: boolean | undefined
  /** Knows only the first version of the listing: `refuses` says so, `ignores` answers in its words. */
  readonly oldListing?: 'refuses' | 'ignores' | undefined
  /** Sends names of listings as they are. Default false. */
  readonly isUnencoded?: boolean | undefined
  /** Signed requests only. Default true. */
  readonly isPrivate?: boolean | undefined
  /** Before each answer, ms. */
  readonly latencyMs?: number | undefined
  /** Instead of the answer; may count, and return undefined to answer well. */
  readonly fault?: ((request: S3Request) => Refusal | undefined) | undefined
  /** Instead of the body of a page. */
  readonly page?: ((body: string, request: S3Request) => string) | undefined
  /** The server's clock, milliseconds since 1970. */
  readonly now?: (() => number) | undefined
}

export const identity: Identity = {
  accessKeyId: 'AKIDEXAMPLE',
  secretAccessKey: 'wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY',
}

export class S3Server implements AsyncDisposable {
  readonly requests: S3Request[] = []
  /** Who may sign; changes while it runs. */
  identities: readonly Identity[] = [identity]
  options: S3ServerOptions
  readonly #buckets = new Map<string, Map<string, StoredObject>>()
  readonly #versions = new Map<string, StoredObject>()
  readonly #server = createServer((request, response) => void this.#serve(request, response))
  connections = 0

  constructor(options: S3ServerOptions) {
    this.options = options
    this.#server.on('connection', () => this.connections++)
    this.#server.keepAliveTimeout = 60_000
  }

  get port(): number {
    return (this.#server.address() as AddressInfo).port
  }

  /** Of the path style. */
  get endpoint(): string {
    return `http://127.0.0.1:${this.port}`
  }

  async start(): Promise<this> {
    await new Promise<void>(resolve => this.#server.listen(0, '127.0.0.1', resolve))
    return this
  }

  put(bucket: string, key: string, bytes: Uint8Array | string, options: PutOptions = {}): StoredObject {
    const object = storedObject(Buffer.from(bytes), options)
    const objects = this.#buckets.get(bucket) ?? new Map<string, StoredObject>()
    this.#buckets.set(bucket, objects)
    objects.set(key, object)
    if (this.options.isVersioned) this.#versions.set(`${bucket}/${key}\0${object.version}`, object)
    return object
  }

  delete(bucket: string, key: string): void {
    this.#buckets.get(bucket)?.delete(key)
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#server.closeAllConnections()
    await new Promise(resolve => this.#server.close(resolve))
  }

  async #serve(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const asked = this.#read(request)
    this.requests.push(asked)
    const { latencyMs = 0, fault, now = Date.now } = this.options
    if (latencyMs > 0) await new Promise(resolve => setTimeout(resolve, latencyMs))
    response.setHeader('date', new Date(now()).toUTCString())
    response.setHeader('x-amz-request-id', 'R1')
    const refusal = fault?.(asked) ?? (await this.#unauthorised(request, asked))
    if (refusal) return refuse(response, refusal, asked.method)
    const objects = this.#buckets.get(asked.bucket)
    if (!objects)
      return refuse(
        response,
        { status: 404, code: 'NoSuchBucket', message: 'The specified bucket does not exist' },
        asked.method,
      )
    if (asked.key === '') return this.#list(objects, asked, response)
    this.#object(objects, asked, response)
  }

  #read({ method = '', url = '', headers }: IncomingMessage): S3Request {
    const [path = '', search = ''] = url.split(/\?(.*)/s)
    const subdomain = /^([a-z0-9-]+)\.localhost(:|$)/.exec(headers.host ?? '')?.[1]
    const inBucket = subdomain === undefined ? path.slice(1) : `${subdomain}${path}`
    const slash = inBucket.indexOf('/')
    return {
      method,
      target: url,
      bucket: slash < 0 ? inBucket : inBucket.slice(0, slash),
      key: slash < 0 ? '' : decodeURIComponent(inBucket.slice(slash + 1)),
      query: new URLSearchParams(search),
      headers,
      isSigned: headers.authorization !== undefined,
    }
  }

  async #unauthorised(request: IncomingMessage, { isSigned }: S3Request): Promise<Refusal | undefined> {
    const { region = 'us-east-1', now = Date.now, isPrivate = true } = this.options
    if (isSigned) return checkSignature(request, { identities: this.identities, region, now: now() })
    return isPrivate ? { status: 403, code: 'AccessDenied', message: 'Access Denied' } : undefined
  }

  #list(objects: ReadonlyMap<string, StoredObject>, request: S3Request, response: ServerResponse): void {
    const { oldListing, isUnencoded, page = (body: string) => body } = this.options
    const isNew = request.query.get('list-type') === '2'
    if (isNew && oldListing === 'refuses') {
      return refuse(
        response,
        { status: 501, code: 'NotImplemented', message: 'A header or query is not implemented' },
        'GET',
      )
    }
    const body = page(
      listing(objects, request.query, { isOld: !isNew || oldListing === 'ignores', isUnencoded }),
      request,
    )
    response.setHeader('content-type', 'application/xml')
    response.end(body)
  }

  #object(objects: ReadonlyMap<string, StoredObject>, request: S3Request, response: ServerResponse): void {
    const { bucket, key, query, method, headers } = request
    const version = query.get('versionId')
    const object = version === null ? objects.get(key) : this.#versions.get(`${bucket}/${key}\0${version}`)
    if (!object) {
      const code = version === null ? 'NoSuchKey' : 'NoSuchVersion'
      return refuse(response, { status: 404, code, message: 'The specified key does not exist.' }, method)
    }
    const { bytes, etag } = object
    if (headers['if-match'] !== undefined && headers['if-match'] !== `"${etag}"`) {
      return refuse(
        response,
        { status: 412, code: 'PreconditionFailed', message: 'At least one of the pre-conditions did not hold' },
        method,
      )
    }
    response.setHeader('etag', `"${etag}"`)
    response.setHeader('last-modified', new Date(object.lastModified).toUTCString())
    response.setHeader('accept-ranges', 'bytes')
    response.setHeader('server', 'AmazonS3')
    if (this.options.isVersioned) response.setHeader('x-amz-version-id', object.version)
    const part = query.get('partNumber') === '1' ? object.partSize : undefined
    const range =
      part === undefined ? rangeOf(headers.range, bytes.length) : { start: 0, end: Math.min(part, bytes.length) }
    if (range === 'unsatisfiable') {
      response.setHeader('content-range', `bytes */${bytes.length}`)
      return refuse(
        response,
        { status: 416, code: 'InvalidRange', message: 'The requested range is not satisfiable' },
        method,
      )
    }
    const { start, end } = range ?? { start: 0, end: bytes.length }
    if (part !== undefined) response.setHeader('x-amz-mp-parts-count', String(Math.ceil(bytes.length / part)))
    const isWhole = end - start === bytes.length && part === undefined
    if (isWhole && headers['x-amz-checksum-mode'] === 'ENABLED') {
      for (const [name, value] of Object.entries(object.headers)) response.setHeader(name, value)
    }
    if (range) {
      response.statusCode = 206
      response.setHeader('content-range', `bytes ${start}-${end - 1}/${bytes.length}`)
    }
    response.setHeader('content-length', end - start)
    response.end(method === 'HEAD' ? undefined : bytes.subarray(start, end))
  }
}

export function startS3Server(options: S3ServerOptions = {}): Promise<S3Server> {
  return new S3Server(options).start()
}

function refuse(response: ServerResponse, refusal: Refusal, method: string): void {
  const body = refusalBody(refusal)
  response.statusCode = refusal.status
  response.setHeader('content-type', 'application/xml')
  for (const [name, value] of Object.entries(refusal.headers ?? {})) response.setHeader(name, value)
  if (method === 'HEAD') return void response.end()
  if (refusal.isChunked) response.write(body)
  else response.setHeader('content-length', Buffer.byteLength(body))
  response.end(refusal.isChunked ? undefined : body)
}

function rangeOf(
  value: string | undefined,
  size: number,
): { start: number; end: number } | 'unsatisfiable' | undefined {
  const [, from, to] = /^bytes=(\d+)-(\d*)$/.exec(value ?? '') ?? []
  if (from === undefined) return undefined
  const start = Number(from)
  if (start >= size) return 'unsatisfiable'
  return { start, end: to ? Math.min(size, Number(to) + 1) : size }
}
