/** The host that presigned URLs lead to: the fault server, with URLs checked first. */
import { randomUUID } from 'node:crypto'
import { type AddressInfo, createServer } from 'node:net'
import type { Behaviour } from '../fault-server/behaviour.ts'
import type { FaultRequest } from '../fault-server/log.ts'
import { type FaultServer, type FaultServerOptions, startFaultServer } from '../fault-server.ts'
import { refusal, xml } from './answers.ts'
import { hashOf, type Stored } from './content-hashes.ts'
import type { Fault } from './fault-switches.ts'
import type { LocationOptions } from './options.ts'
import { serviceHeaders } from './service-headers.ts'
import { refuseUrl, type SignOptions, signUrl, type UrlShape } from './signing.ts'

/** Where an object of a record is. */
export interface Location {
  /** As the record has it: `s3://bucket/key`. */
  readonly url: string
  readonly scheme: string
  /** Where it is at the storage host; undefined: the URL is handed out as it is. */
  readonly place: string | undefined
  readonly shape: UrlShape
  readonly state: NonNullable<LocationOptions['state']>
  /** Most life of its URLs, seconds. */
  readonly urlTtlS?: number | undefined
}

export interface StoreOptions {
  readonly guid: string
  readonly stored: Stored
  readonly name: string | null
  readonly isPublic: boolean
  readonly shape?: UrlShape | undefined
  readonly etag?: string | false | undefined
  readonly headers?: Readonly<Record<string, string>> | undefined
}

export interface StorageOptions {
  readonly server: FaultServerOptions
  readonly nowMs: () => number
  /** What the test has switched on for this request. Also keeps the log. */
  readonly meet: (request: FaultRequest, guid: string | undefined) => Behaviour
  /** Every request must carry it. */
  readonly header: readonly [name: string, value: string] | undefined
}

interface Kept {
  readonly guid: string
  readonly isPublic: boolean
  readonly isMissing: boolean
  readonly fault: Fault | undefined
  /** Headers of answers that hold the whole object. */
  readonly wholeHeaders: Readonly<Record<string, string>>
}

const SHAPES: Readonly<Record<string, UrlShape>> = { s3: 's3v4', gs: 'gcsv4', az: 'azure' }

export class Storage {
  readonly server: FaultServer
  readonly #options: StorageOptions
  readonly #refusedOrigin: string
  readonly #kept: Map<string, Kept>
  readonly #secret: string

  static async start(options: StorageOptions): Promise<Storage> {
    const kept = new Map<string, Kept>()
    const secret = randomUUID()
    const script = (request: FaultRequest) => decide(request, options, kept, secret)
    const server = await startFaultServer({ ...options.server, script })
    const refused = new URL(server.origin)
    refused.port = String(await findUnusedPort())
    return new Storage(options, server, refused.origin, kept, secret)
  }

  private constructor(
    options: StorageOptions,
    server: FaultServer,
    refusedOrigin: string,
    kept: Map<string, Kept>,
    secret: string,
  ) {
    this.#options = options
    this.server = server
    this.#refusedOrigin = refusedOrigin
    this.#kept = kept
    this.#secret = secret
  }

  /** Keeps an object where a location says. */
  store(location: LocationOptions | string, options: StoreOptions): Location {
    if (typeof location === 'string') return plainLocation(location)
    const { guid, stored, isPublic } = options
    const { scheme = 's3', bucket = `${scheme}-bucket`, state = 'ok', fault } = location
    const key = location.key ?? `${guid}/${lastSegment(options.name)}`
    const place = `/${bucket}/${key.split('/').map(encodeURIComponent).join('/')}`
    const isOpen = scheme === 'http' || scheme === 'https'
    const told = options.etag === false ? undefined : serviceHeaders(scheme, hashOf(stored, 'md5'))
    const wholeHeaders = told?.whole ?? {}
    const isMissing = state === 'missing'
    this.#kept.set(place, { guid, isPublic: isPublic || isOpen, isMissing, fault, wholeHeaders })
    if (!isMissing) {
      const etag = options.etag ?? told?.etag
      this.server.resource(place, { ...stored, etag, headers: { ...told?.always, ...options.headers } })
    }
    const shape = location.shape ?? options.shape ?? SHAPES[scheme] ?? 's3v4'
    const url = isOpen ? this.#urlAt(place, state) : `${scheme}://${bucket}/${key}`
    return {
      url,
      scheme: isOpen ? new URL(url).protocol.slice(0, -1) : scheme,
      place,
      shape,
      state,
      urlTtlS: location.urlTtlS,
    }
  }

  /** A URL that works without asking anybody: presigned, or plain for what is public. */
  urlOf(location: Location, options: Omit<SignOptions, 'secret' | 'nowMs'> & { isUnsigned?: boolean }): string {
    const { place, state, shape, url, scheme } = location
    if (place === undefined || scheme.startsWith('http')) return url
    const plain = this.#urlAt(place, state)
    if (options.isUnsigned) return plain
    const lifetimeS = Math.min(options.lifetimeS, location.urlTtlS ?? Infinity)
    return signUrl(plain, shape, { ...options, lifetimeS, secret: this.#secret, nowMs: this.#options.nowMs() })
  }

  #urlAt(place: string, state: Location['state']): string {
    return `${state === 'refused' ? this.#refusedOrigin : this.server.origin}${place}`
  }
}

function plainLocation(url: string): Location {
  return { url, scheme: url.split(':')[0]!, place: undefined, shape: 's3v4', state: 'ok' }
}

function decide(request: FaultRequest, options: StorageOptions, kept: Map<string, Kept>, secret: string): Behaviour {
  const object = kept.get(request.path)
  const own = typeof object?.fault === 'function' ? object.fault(request) : object?.fault
  const fault = { ...own, ...options.meet(request, object?.guid) }
  const isAnswered = fault.noAnswer !== undefined || fault.raw !== undefined || fault.body !== undefined
  if (isAnswered || (fault.location !== undefined && fault.status === undefined)) return fault
  if (fault.status !== undefined && fault.status !== 200 && fault.status !== 206) {
    return { ...refusal('storage', fault.status), ...fault }
  }
  const refused = refuse(request, object, options, secret)
  if (refused) return { ...refused, ...fault }
  const headers = request.range ? undefined : object?.wholeHeaders
  return { ...fault, headers: { ...headers, ...fault.headers } }
}

/** What S3 would hold against the request, in its order; undefined: nothing, or the server finds out itself. */
function refuse(
  request: FaultRequest,
  object: Kept | undefined,
  options: StorageOptions,
  secret: string,
): Behaviour | undefined {
  const isSigned = /(^|&)(X-Amz-Signature|X-Goog-Signature|Signature|sig)=/.test(request.query)
  if (request.headers.authorization !== undefined) {
    return isSigned
      ? xml(400, 'InvalidArgument', 'Only one auth mechanism allowed')
      : xml(400, 'InvalidArgument', 'Unsupported Authorization Type')
  }
  if (isSigned || !object?.isPublic) {
    const host = request.headers.host ?? ''
    const denied = refuseUrl({ ...request, host }, { secret, nowMs: options.nowMs() })
    if (denied) return denied
  }
  const [name, value] = options.header ?? []
  if (name && request.headers[name.toLowerCase()] !== value) return xml(403, 'AccessDenied', 'A header is missing')
  return object?.isMissing === false ? undefined : xml(404, 'NoSuchKey', 'The specified key does not exist.')
}

/** Of a port that was free a moment ago: nobody listens there. */
async function findUnusedPort(): Promise<number> {
  const server = createServer()
  await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve))
  const { port } = server.address() as AddressInfo
  await new Promise(resolve => server.close(resolve))
  return port
}

/** Dots would be taken for steps by whoever parses the URL. */
function lastSegment(name: string | null): string {
  const last = name?.split('/').at(-1) ?? ''
  return /^\.*$/.test(last) ? 'object' : last
}
