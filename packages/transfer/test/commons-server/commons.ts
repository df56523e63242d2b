import type { Behaviour } from '../fault-server/behaviour.ts'
import { makeCertificate } from '../fault-server/certificate.ts'
import type { FaultRequest } from '../fault-server/log.ts'
import { type FaultServer, startFaultServer } from '../fault-server.ts'
import { hashOf } from './content-hashes.ts'
import { dispatch } from './dispatch.ts'
import { type Fault, type FaultOptions, FaultSwitches, type SwitchedFault } from './fault-switches.ts'
import { type Credentials, type CredentialsOptions, makeClient, makeCredentials, urlFor } from './fence.ts'
import { answerRequest } from './host.ts'
import { documentOf } from './indexd.ts'
import { type CommonsRequest, maxConcurrent, RequestLog } from './log.ts'
import type { BundleOptions, CommonsOptions, RecordOptions } from './options.ts'
import { isPublic } from './permissions.ts'
import { makeBundle, makeRecord, type ObjectRecord } from './records.ts'
import type { Route, RouteGroup } from './routes.ts'
import { isWithin } from './routes.ts'
import { type CommonsState, findRecord } from './state.ts'
import { Storage } from './storage.ts'
import { Tokens } from './tokens.ts'

/** An object that was added. */
export interface Added {
  readonly guid: string
  /** `drs://host/guid`, the identifier encoded. */
  readonly drsUri: string
  readonly name: string | null
  /** Bytes that storage has. */
  readonly size: number
  readonly hashes: Readonly<Record<string, string>>
  /** Of what storage has, whatever the record says. */
  readonly md5: string
  /** Locations as the record has them. */
  readonly urls: readonly string[]
  /** The record as indexd tells it. */
  readonly document: object
  /** Its line of a manifest (gen3 4.1, M1). */
  readonly row: ManifestRow
}

export interface ManifestRow {
  object_id: string
  file_name?: string
  file_size?: number
  md5sum?: string
  commons_url?: string
}

export interface ConnectOptions {
  /** Whose tokens. Default the first user of the other commons. */
  readonly user?: string | undefined
  /** Default the other's name. */
  readonly idp?: string | undefined
  /** `expired`: the refresh token has; `never`: the user has not logged in. Default `ok`. */
  readonly state?: 'ok' | 'expired' | 'never' | undefined
}

const DAY_S = 86_400

export async function startCommons(options: CommonsOptions = {}): Promise<Commons> {
  const made = options.tls === true ? makeCertificate({ names: ['localhost', '127.0.0.1'] }) : undefined
  const tls = made ?? certificateOf(options.tls)
  const faults = new FaultSwitches()
  const log = new RequestLog()
  const nowMs = () => Date.now() + (options.clockSkewS ?? 0) * 1000
  const server = { hostname: options.hostname, tls }
  const storage = await Storage.start({
    server: { ...server, bytesPerSecond: options.bytesPerSecond },
    nowMs,
    header: options.drs?.accessHeader,
    meet: (request, guid) => {
      log.add(request, 'storage', guid)
      return faults.take('storage', guid, request)
    },
  })
  // The services need the port, and the port is known when the server listens.
  let commons: Commons | undefined
  const api = await startFaultServer({ ...server, script: request => commons!.answer(request) })
  commons = new Commons({ options, api, storage, faults, log, nowMs, certificate: tls?.certificate })
  return commons
}

export interface CommonsParts {
  readonly options: CommonsOptions
  readonly api: FaultServer
  readonly storage: Storage
  readonly faults: FaultSwitches
  readonly log: RequestLog
  readonly nowMs: () => number
  readonly certificate: string | undefined
}

export class Commons implements AsyncDisposable {
  /** `http://127.0.0.1:port` */
  readonly origin: string
  /** `127.0.0.1:port` */
  readonly host: string
  readonly name: string
  /** PEM to trust, with `tls`. */
  readonly certificate: string | undefined
  /** The server of all services but storage: connections, `stopListening`, … */
  readonly api: FaultServer
  /** The server that presigned URLs lead to. */
  readonly storage: FaultServer
  readonly #state: CommonsState
  readonly #log: RequestLog

  constructor({ options, api, storage, faults, log, nowMs, certificate }: CommonsParts) {
    this.api = api
    this.storage = storage.server
    this.origin = api.origin
    this.host = new URL(api.origin).host
    this.name = options.name ?? 'test-commons'
    this.certificate = certificate
    this.#log = log
    const users = Object.entries(options.users ?? { tester: ['/programs/test'] })
    this.#state = {
      options,
      origin: this.origin,
      host: this.host,
      prefix: options.prefix ?? '',
      tokenTtlS: options.tokenTtlS ?? 1200,
      urlTtlS: options.urlTtlS ?? 3600,
      records: new Map(),
      tokens: new Tokens({ issuer: () => `${this.origin}/user`, nowS: () => nowMs() / 1000 }),
      faults,
      storage,
      grants: new Map(users.map(([user, resources]) => [user, new Set(resources)])),
      clients: new Map(),
      connections: [],
      metadata: new Map(),
      prefixes: new Map(),
      manifests: new Map(),
      nowMs,
    }
  }

  /** `commons_url` of a manifest: with TLS the bare host, as the portals write it; else the origin. */
  get url(): string {
    return this.certificate === undefined ? this.origin : this.host
  }

  /** Every request to either host, in order of arrival. */
  get requests(): readonly CommonsRequest[] {
    return this.#log.requests
  }

  requestsFor(place: Route | RouteGroup, guid?: string): CommonsRequest[] {
    return this.requests.filter(one => isWithin(one.route, place) && (guid === undefined || one.guid === guid))
  }

  /** The most requests to a route that were being answered at once. */
  maxConcurrent(place: Route | RouteGroup): number {
    return maxConcurrent(this.requestsFor(place))
  }

  /** What `credentials.json` holds. */
  credentials(options: CredentialsOptions = {}): Credentials {
    return makeCredentials(this.#state, options)
  }

  /** A bare access token. */
  accessToken({ user = this.#firstUser, ttlS = this.#state.tokenTtlS }: { user?: string; ttlS?: number } = {}): string {
    return this.#state.tokens.issue({ purpose: 'access', user, ttlS }).text
  }

  /** Client credentials for `/user/oauth2/token`. */
  client(): { id: string; secret: string } {
    return makeClient(this.#state)
  }

  /** All access tokens, or API keys, are denied from now on. */
  revoke(purpose: 'access' | 'api_key'): void {
    this.#state.tokens.revoke(purpose)
  }

  /** A user may read a resource and what is below it. */
  grant(user: string, resource: string): void {
    const resources = this.#state.grants.get(user) ?? new Set()
    this.#state.grants.set(user, resources.add(resource))
  }

  deny(user: string, resource: string): void {
    this.#state.grants.get(user)?.delete(resource)
  }

  /** A record, and what it describes in storage. */
  add(options: RecordOptions = {}): Added {
    const made = makeRecord(options, this.#state.prefix)
    const { guid, stored, name } = made
    const { urlShape: shape } = this.#state.options
    const { etag, headers, isBlank = false } = options
    const places = isBlank ? [] : (options.locations ?? [{}])
    const store = { guid, stored, name, isPublic: isPublic(made), shape, etag, headers }
    const record: ObjectRecord = { ...made, locations: places.map(place => this.#state.storage.store(place, store)) }
    this.#state.records.set(guid, record)
    return this.#describe(record)
  }

  /** A DRS bundle. */
  bundle(options: BundleOptions): { guid: string; drsUri: string; name: string } {
    const record = makeBundle(options, this.#state.prefix)
    this.#state.records.set(record.guid, record)
    return { guid: record.guid, drsUri: this.#drsUri(record.guid), name: record.name }
  }

  /** The record is gone; what is stored stays. */
  remove(guid: string): void {
    this.#state.records.delete(guid)
  }

  /** Switches a fault on: for a route, a group of routes, or an object. */
  fault(target: Route | RouteGroup | (string & {}), fault: Fault, options: FaultOptions = {}): SwitchedFault {
    return this.#state.faults.add(target, fault, options)
  }

  /** Every answer of a route takes so long. */
  latency(place: Route | RouteGroup, ms: number): SwitchedFault {
    return this.fault(place, { delayMs: ms })
  }

  /** Another commons becomes available through the token service of this one. */
  connect(other: Commons, { user, idp = other.name, state = 'ok' }: ConnectOptions = {}): void {
    const nowS = this.#state.nowMs() / 1000
    const endsAtS = { ok: nowS + 9.5 * DAY_S, expired: nowS - DAY_S, never: undefined }[state]
    const issue = (ttlS: number | undefined) =>
      other.accessToken({ ...(user === undefined ? {} : { user }), ...(ttlS === undefined ? {} : { ttlS }) })
    this.#state.connections.push({ name: other.name, idp, baseUrl: other.origin, endsAtS, issue })
  }

  /** What `/mds/metadata/{id}` says. */
  describe(id: string, document: unknown): void {
    this.#state.metadata.set(id, document)
  }

  /** `/mds/aggregate/info/{prefix}` and `/index/_dist` lead to another host. */
  knowPrefix(prefix: string, other: { readonly origin: string; readonly name?: string }): void {
    const { origin, name = 'other' } = other
    this.#state.prefixes.set(prefix, { host: `${origin}/index/`, name, type: 'indexd' })
  }

  /** A stored manifest, at `/manifests/file/<name>`. */
  storeManifest(name: string, text: string): void {
    this.#state.manifests.set(name, text)
  }

  /** A URL for the object's first location, or first of a scheme, as fence would sign it. */
  presign(
    guid: string,
    { scheme, user = this.#firstUser }: { scheme?: string; user?: string } = {},
  ): string | undefined {
    const record = this.#state.records.get(guid)
    if (!record || record.form === 'bundle') return undefined
    const location = record.locations.find(one => scheme === undefined || one.scheme === scheme)
    const token = this.#state.tokens.issue({ purpose: 'access', user, ttlS: 1 })
    return location && urlFor(this.#state, location, { token })
  }

  /** The record as indexd tells it, found with or without the prefix of this commons. */
  find(id: string): object | undefined {
    const record = findRecord(this.#state, id)
    return record && documentOf(this.#state, record)
  }

  /** The decision about one request to the services. */
  async answer(request: FaultRequest): Promise<Behaviour> {
    const { route, guid, rest, handler } = dispatch(request, this.#state.options.slashes)
    const text = /^bearer (\S+)$/i.exec(request.headers.authorization ?? '')?.[1]
    const handle = () => {
      const token = this.#state.tokens.find(text, 'access')
      return handler(this.#state, { route, request, guid, rest, query: new URLSearchParams(request.query), token })
    }
    // Faults and the log know an object by one name, whichever it was asked by.
    const about = guid === '' ? undefined : (findRecord(this.#state, guid)?.guid ?? guid)
    const handled = { route, guid: about, handle }
    const answer = await answerRequest({ request, handled, faults: this.#state.faults, log: this.#log })
    return { ...answer, headers: { ...this.#dateHeader(), ...answer.headers } }
  }

  async close(): Promise<void> {
    await this.api.close()
    await this.storage.close()
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close()
  }

  get #firstUser(): string {
    return [...this.#state.grants.keys()][0] ?? 'tester'
  }

  #dateHeader(): Record<string, string> {
    return this.#state.options.clockSkewS ? { Date: new Date(this.#state.nowMs()).toUTCString() } : {}
  }

  #drsUri(guid: string): string {
    return `drs://${this.host}/${encodeURIComponent(guid)}`
  }

  #describe(record: ObjectRecord): Added {
    const { guid, name, hashes, stored, size } = record
    const row: ManifestRow = {
      object_id: guid,
      ...(name === null ? {} : { file_name: name }),
      ...(size === null ? {} : { file_size: size }),
      ...(hashes.md5 === undefined ? {} : { md5sum: hashes.md5 }),
      commons_url: this.url,
    }
    const urls = record.locations.map(({ url }) => url)
    const document = documentOf(this.#state, record)
    return {
      guid,
      drsUri: this.#drsUri(guid),
      name,
      size: stored.size,
      hashes,
      urls,
      document,
      row,
      get md5() {
        return hashOf(stored, 'md5')
      },
    }
  }
}

function certificateOf(tls: CommonsOptions['tls']): { certificate: string; key: string } | undefined {
  return typeof tls === 'object' ? { certificate: tls.cert, key: tls.key } : undefined
}
