/**
 * From the name of an object to bytes that can be fetched: which host, who may ask there, what it knows, and by which
 * ways (gen3 2–7). One for all transfers of an engine; the only place that puts the pieces of this folder together.
 */
import { TransferError } from '../errors.ts'
import { issueAccessToken, issueClientToken } from './access-token.ts'
import type { Api } from './api.ts'
import { type Authority, anonymous, fixedAuthority, passwordAuthority, RenewingAuthority } from './authority.ts'
import type { Credential } from './credentials.ts'
import { DrsHub } from './drshub.ts'
import { HostCache } from './host-cache.ts'
import { type Identifier, parseIdentifier } from './identifier.ts'
import type { CommonsObject } from './object.ts'
import { type Access, Objects } from './objects.ts'
import type { CommonsOptions } from './options.ts'
import { hostOfAddress, Prefixes } from './prefixes.ts'
import { Service } from './service.ts'
import { TokenCache } from './token-cache.ts'
import { orderedWays, type Way } from './ways.ts'
import { type Provider, TokenService } from './wts.ts'

/** An object, found. */
export interface Located {
  readonly identifier: Identifier
  /** Undefined when nothing had to be asked. */
  readonly object: CommonsObject | undefined
  /** Ways to the bytes, preferred first. */
  readonly ways: readonly Way[]
  /** Where nothing was asked: all that is known, when the first way turns out to be none. */
  look(signal: AbortSignal): Promise<Located>
}

export interface LocateOptions {
  /** Size, digest and name are known: the object's record need not be asked for. */
  readonly isKnown?: boolean | undefined
  readonly signal: AbortSignal
}

/** One thing that a bundle holds. */
export interface Content {
  /** As the bundle names it; an outside name. */
  readonly name: string
  readonly uri: string
  readonly isBundle: boolean
  readonly size?: number | undefined
}

interface Place {
  readonly service: Service
  readonly objects: Objects
}

export class Commons implements AsyncDisposable {
  readonly #api: Api
  readonly #o: CommonsOptions
  readonly #home: string | undefined
  readonly #prefixes: Prefixes
  readonly #cache: TokenCache | undefined
  readonly #authorities: RenewingAuthority[] = []
  readonly #places = new Map<string, Promise<Place>>()
  /** Bases by host, of those that the person named. */
  readonly #named = new Map<string, string>()
  #wts: TokenService | undefined

  constructor(api: Api, options: CommonsOptions) {
    this.#api = api
    this.#o = options
    for (const { endpoint } of options.credentials ?? []) this.#named.set(new URL(endpoint).host, endpoint)
    this.#home = homeOf(options)
    if (this.#home) this.#named.set(new URL(this.#home).host, this.#home)
    this.#cache = options.tokenCache === undefined ? undefined : new TokenCache(options.tokenCache)
    this.#prefixes = new Prefixes({
      api,
      home: this.#home,
      resolver: options.resolver,
      given: options.prefixes && lowerCased(options.prefixes),
      cache: options.hostCache === undefined ? undefined : new HostCache(options.hostCache),
    })
  }

  /** @throws TransferError */
  async locate(uri: string, options: LocateOptions): Promise<Located> {
    const identifier = parseIdentifier(uri, { allowPort: this.#o.allowPort || this.#isNamedAt(uri) })
    const { signal } = options
    if (this.#o.drsHub !== undefined) return this.#locateByHub(identifier, this.#o.drsHub, signal)
    const { service, objects } = await this.#placeOf(identifier, uri, signal)
    const ids = spellings(identifier, service.isGen3)
    const guarded = (way: Way): Way => ({ ...way, access: signal => this.#guarded(way.access(signal), service, uri) })
    const look = async (signal: AbortSignal): Promise<Located> => {
      const object = await objects.get(ids, uri, signal)
      const access = (way: AccessChoice, signal: AbortSignal) => objects.access(object.id, way, uri, signal)
      const ways = orderedWays(object, { access, protocol: this.#o.protocol })
      return { identifier, object, look, ways: ways.map(guarded) }
    }
    if (!options.isKnown || !service.isGen3) return look(signal)
    const way: Way = {
      key: 'first',
      access: signal => objects.access(ids[0] as string, { type: this.#o.protocol }, uri, signal),
    }
    return { identifier, object: undefined, ways: [guarded(way)], look }
  }

  /**
   * What a bundle holds, each looked up: only its own record tells a bundle within.
   *
   * @param options.most a bundle that holds more is an error
   */
  async contents(
    uri: string,
    { signal, most }: { readonly signal: AbortSignal; readonly most: number },
  ): Promise<{ id: string; contents: readonly Content[] }> {
    const identifier = parseIdentifier(uri, { allowPort: this.#o.allowPort || this.#isNamedAt(uri) })
    const { service, objects } = await this.#placeOf(identifier, uri, signal)
    const object = await objects.get(spellings(identifier, service.isGen3), uri, signal)
    const { length } = object.contents
    if (length > most) {
      const message = `Cannot list ${uri}: it holds ${length} objects, and ${most} are the most that are looked up`
      throw new TransferError('Unsupported', message, { reason: 'bundle_too_large' })
    }
    const contents = object.contents.map(async ({ name, id, uri: given }): Promise<Content> => {
      const uri =
        given === undefined ? objectUri({ objectId: id ?? '' }, service.host) : this.#memberUri(given, service)
      const child = await this.locate(uri, { signal }).then(
        located => located.object,
        error => {
          // What cannot be looked up is named all the same: its own row will say why.
          if (signal.aborted) throw error
          return undefined
        },
      )
      return { name: name || child?.name || uri, uri, isBundle: (child?.contents.length ?? 0) > 0, size: child?.size }
    })
    return { id: `${service.host} ${object.id}`, contents: await Promise.all(contents) }
  }

  /** Whatever spelling a bundle uses, what it names is an object, never an address to open. */
  #memberUri(given: string, service: Service): string {
    try {
      return objectUri(parseIdentifier(given, { allowPort: true }), service.host)
    } catch {
      return objectUri({ objectId: given }, service.host)
    }
  }

  /** A token for every credential. */
  async logIn(signal: AbortSignal): Promise<void> {
    const authorities = await Promise.all((this.#o.credentials ?? []).map(one => this.#authorityOf(one)))
    await Promise.all(authorities.map(authority => authority.token(signal)))
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const authority of this.#authorities) authority.close()
  }

  // Hosts

  async #placeOf(identifier: Identifier, shown: string, signal: AbortSignal): Promise<Place> {
    const host = await this.#hostOf(identifier, shown, signal)
    let place = this.#places.get(host)
    if (!place) {
      place = this.#open(host, signal)
      this.#places.set(host, place)
      place.catch(() => this.#places.delete(host))
    }
    return place
  }

  async #hostOf(identifier: Identifier, shown: string, signal: AbortSignal): Promise<string> {
    if (identifier.host !== undefined) return identifier.host
    const home = this.#home && new URL(this.#home).host
    if (identifier.prefix === undefined && home !== undefined) return home
    const { host, silent } = await this.#prefixes.hostOf(identifier, signal)
    if (host !== undefined) return host
    if (home !== undefined) return home
    const message = `Cannot find ${shown}: it names no commons, and no resolver`
    const remedy = 'Name its commons: with its credentials, or by its address (--cred, --commons-url, --drs-map).'
    const details = { reason: 'unknown_host', retriable: false, remedy }
    if (silent.length === 0) throw new TransferError('NotFound', `${message} knows it`, details)
    const unanswered = `${message} that answers knows it (no answer from ${silent.join(', ')})`
    throw new TransferError('Network', unanswered, details)
  }

  async #locateByHub(identifier: Identifier, base: string, signal: AbortSignal): Promise<Located> {
    const { drsHubToken: token, protocol, userProject } = this.#o
    const hub = new DrsHub({ api: this.#api, base, token, protocol, userProject })
    const uri = identifier.text
    const look = async (signal: AbortSignal): Promise<Located> => ({
      identifier,
      object: await hub.object(uri, signal),
      ways: [{ key: 'hub', access: signal => hub.access(uri, signal) }],
      look,
    })
    return look(signal)
  }

  /** A host that nobody here named must not send us to this machine or to a network behind our firewall. */
  async #guarded(asked: Promise<Access>, service: Service, shown: string): Promise<Access> {
    const access = await asked
    const url = URL.parse(access.url)
    if (!url || !FETCHABLE.has(url.protocol)) {
      const message = `Cannot fetch ${shown}: ${service.host} gives an address that may not be fetched from`
      throw new TransferError('Denied', message, { reason: 'unsafe_address' })
    }
    return { ...access, isForeign: service.isForeign && !STORES.has(url.protocol) }
  }

  async #open(host: string, signal: AbortSignal): Promise<Place> {
    const service = await this.#serviceOf(host, signal)
    const { userProject, mostThawMs } = this.#o
    return { service, objects: new Objects({ service, userProject, mostThawMs }) }
  }

  /** Who asks there: an explicit credential, the home's token service, or nobody in particular (gen3 3). */
  async #serviceOf(host: string, signal: AbortSignal): Promise<Service> {
    const base = this.#named.get(host) ?? `https://${host}`
    const credential = this.#o.credentials?.find(({ endpoint }) => new URL(endpoint).host === host)
    if (credential) return this.#service(base, await this.#authorityOf(credential), credential.kind !== 'password')
    const provider = await this.#provider(host, signal)
    if (provider) return this.#service(provider.base, this.#viaHome(provider), true)
    // Whatever it is, DRS is enough to ask it anonymously.
    return this.#service(base, anonymous, false, `Give credentials of ${host} if you have an account there.`)
  }

  #service(base: string, authority: Authority, isGen3: boolean, advice?: string): Service {
    const isForeign = !this.#named.has(new URL(base).host) && !this.#o.allowPort
    return new Service({ api: this.#api, base, authority, isGen3, isForeign, advice })
  }

  // Logins

  async #provider(host: string, signal: AbortSignal): Promise<Provider | undefined> {
    const wts = await this.#tokenService()
    const providers = (await wts?.providers(signal)) ?? []
    return providers.find(provider => provider.host === host)
  }

  async #tokenService(): Promise<TokenService | undefined> {
    const home = this.#home
    const credential = this.#o.credentials?.find(({ endpoint, kind }) => endpoint === home && kind !== 'password')
    if (!this.#wts && home !== undefined && credential) {
      this.#wts = new TokenService(this.#service(home, await this.#authorityOf(credential), true))
    }
    return this.#wts
  }

  #viaHome(provider: Provider): Authority {
    return this.#renewing(signal => (this.#wts as TokenService).issue(provider, signal))
  }

  readonly #byCredential = new Map<Credential, Promise<Authority>>()

  #authorityOf(credential: Credential): Promise<Authority> {
    const known = this.#byCredential.get(credential) ?? this.#makeAuthority(credential)
    this.#byCredential.set(credential, known)
    return known
  }

  async #makeAuthority(credential: Credential): Promise<Authority> {
    if (credential.kind === 'password') return passwordAuthority(credential.user, credential.password)
    if (credential.kind === 'token') return fixedAuthority(credential.token)
    if (credential.kind === 'client') {
      return this.#renewing(signal => issueClientToken(this.#api, credential, signal))
    }
    const cache = this.#cache
    const first = await cache?.read(credential.apiKey)
    const issue = async (signal: AbortSignal) => {
      const issued = await issueAccessToken(this.#api, credential, signal)
      await cache?.write(credential.apiKey, issued)
      return issued
    }
    return this.#renewing(issue, first)
  }

  #renewing(...[issue, first]: [ConstructorParameters<typeof RenewingAuthority>[0], Issued?]): Authority {
    const authority = new RenewingAuthority(issue, { first })
    this.#authorities.push(authority)
    return authority
  }

  /** Hosts that the person named may have a port: no DRS URI could say so. */
  #isNamedAt(uri: string): boolean {
    const host = /^drs:\/\/([^/]+)\//i.exec(uri)?.[1]?.toLowerCase()
    return host !== undefined && this.#named.has(host)
  }
}

type AccessChoice = Parameters<Objects['access']>[1]
type Issued = Awaited<ReturnType<TokenCache['read']>>

/** What a commons may send us to: never a file of ours, and never another name to be resolved. */
const FETCHABLE: ReadonlySet<string> = new Set(['https:', 'http:', 's3:', 'gs:', 'ftp:', 'ftps:'])
/** Their authority is a bucket, not a host. */
const STORES: ReadonlySet<string> = new Set(['s3:', 'gs:'])

function objectUri({ host, prefix, objectId }: Omit<Identifier, 'text'>, home: string): string {
  if (host === undefined && prefix !== undefined) return `drs://${prefix}:${encodeURIComponent(objectId)}`
  return `drs://${host ?? home}/${encodeURIComponent(objectId)}`
}

function homeOf({ home, credentials }: CommonsOptions): string | undefined {
  if (home === undefined) return credentials?.[0]?.endpoint
  const host = hostOfAddress(home)
  if (host === undefined) {
    throw new TransferError('Usage', `Cannot take ${JSON.stringify(home)} for a commons: it must be a host or a URL`)
  }
  const known = credentials?.find(({ endpoint }) => new URL(endpoint).host === host)
  return known?.endpoint ?? (/^https?:\/\//i.test(home) ? new URL(home).origin : `https://${host}`)
}

/** At Gen3 the prefix may belong to the id or not (gen3 5.3). */
function spellings({ prefix, objectId }: Identifier, isGen3: boolean): string[] {
  if (prefix === undefined || !isGen3) return [objectId]
  const start = `${prefix}/`
  const other = objectId.startsWith(start) ? objectId.slice(start.length) : start + objectId
  return [objectId, other]
}

function lowerCased(map: Readonly<Record<string, string>>): Readonly<Record<string, string>> {
  return Object.fromEntries(Object.entries(map).map(([key, value]) => [key.toLowerCase(), value]))
}

export type { Access, Way }
