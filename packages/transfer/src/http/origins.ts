/**
 * What the HTTP sources of one process share: connections of both lanes, and what was learnt of each origin. Made by
 * whoever runs transfers, handed to every source, closed at the end; nothing of it lives in a module.
 */
import { isIP } from 'node:net'
import { Addresses, type AddressesOptions } from './addresses.ts'
import { FastLane } from './fast-lane.ts'
import { GeneralLane } from './general-lane.ts'
import { defaultTimeouts, type TimeoutsMs, type TlsOptions } from './lane-options.ts'
import { proxiesFrom } from './proxies.ts'

export interface OriginsOptions {
  readonly timeouts?: Partial<TimeoutsMs> | undefined
  readonly tls?: TlsOptions | undefined
  /** Where HTTP_PROXY, HTTPS_PROXY and NO_PROXY are read; undefined: no proxies. */
  readonly proxyEnvironment?: Readonly<Record<string, string | undefined>> | undefined
  /** How names become addresses, and which addresses may be used. */
  readonly addresses?: AddressesOptions | undefined
  /** Idle connections of the fast lane are closed after so many ms. Default 10,000. */
  readonly keepAliveMs?: number | undefined
  /** False keeps everything in the general lane. Default true. */
  readonly useFastLane?: boolean | undefined
}

/** Surprises of shape in a row after which an origin is left to the general lane for good. */
const MOST_SURPRISES = 3
/** Paths remembered to ignore ranges, per origin. */
const MOST_PATHS = 10_000

export class OriginState {
  #isProven = false
  #surprises = 0
  readonly #rangeless = new Set<string>()
  /** Answers 200 to If-Range although nothing changed. */
  ignoresIfRange = false

  /** The general lane has seen the very shape of answer that the fast lane carries. */
  prove(): void {
    this.#isProven = true
  }

  /** The fast lane carried an answer. */
  carried(): void {
    this.#surprises = 0
  }

  surprised(): void {
    this.#surprises++
  }

  get isFast(): boolean {
    return this.#isProven && this.#surprises < MOST_SURPRISES
  }

  ignoresRanges(path: string): boolean {
    return this.#rangeless.has(path)
  }

  noteIgnoresRanges(path: string): void {
    if (this.#rangeless.size >= MOST_PATHS) this.#rangeless.clear()
    this.#rangeless.add(path)
  }
}

export class Origins {
  readonly general: GeneralLane
  readonly fast: FastLane
  readonly #useFastLane: boolean
  readonly #mayProxy: (url: URL) => boolean
  readonly #addresses: Addresses
  readonly #isRestricted: boolean
  readonly #states = new Map<string, OriginState>()
  readonly #identities = new WeakMap<object, string>()
  #lastIdentity = 0

  constructor(options: OriginsOptions = {}) {
    const timeouts = { ...defaultTimeouts, ...defined(options.timeouts) }
    const tls = defined(options.tls)
    const proxies = options.proxyEnvironment ? proxiesFrom(options.proxyEnvironment) : undefined
    this.#addresses = new Addresses(options.addresses)
    this.#isRestricted = options.addresses?.isAllowed !== undefined
    const lookup = this.#addresses.lookup
    this.general = new GeneralLane({ timeouts, tls, lookup, proxies })
    this.fast = new FastLane({ timeouts, tls, lookup, keepAliveMs: options.keepAliveMs ?? 10_000 })
    this.#useFastLane = options.useFastLane ?? true
    this.#mayProxy = url => proxies?.mayProxy(url) ?? false
  }

  /** What is known of an origin, made at first sight. */
  of(origin: string): OriginState {
    let state = this.#states.get(origin)
    if (!state) {
      state = new OriginState()
      this.#states.set(origin, state)
    }
    return state
  }

  /** Whether the fast lane may try a URL. */
  mayGoFast(url: URL, state: OriginState): boolean {
    return this.#useFastLane && state.isFast && !this.#mayProxy(url)
  }

  /**
   * Names are checked where they are looked up. Here are hosts that are addresses, and names that a proxy will look up; only
   * these take a promise.
   */
  checkAddress(url: URL, uri: string): Promise<void> | undefined {
    const host = hostOf(url)
    this.#addresses.checkHost(host, Number(url.port) || (url.protocol === 'https:' ? 443 : 80), url.host, uri)
    this.#addresses.check(host, url.host, uri)
    const isLookedUpElsewhere = this.#isRestricted && isIP(host) === 0 && this.#mayProxy(url)
    return isLookedUpElsewhere ? this.#addresses.checkName(host, url.host, uri) : undefined
  }

  /** A short name for who is asking, so that connections are not shared between identities. */
  identityOf(credentials: object | undefined): string {
    if (!credentials) return ''
    let identity = this.#identities.get(credentials)
    if (identity === undefined) {
      identity = String(++this.#lastIdentity)
      this.#identities.set(credentials, identity)
    }
    return identity
  }

  /** Ends all connections; requests under way are rejected. May be called twice. */
  async close(): Promise<void> {
    this.fast.close()
    await this.general.close()
  }
}

export function createOrigins(options: OriginsOptions = {}): Origins {
  return new Origins(options)
}

/** The host without the brackets that URLs put around IPv6 addresses. */
export function hostOf(url: URL): string {
  return url.hostname.startsWith('[') ? url.hostname.slice(1, -1) : url.hostname
}

function defined<T extends object>(options: T | undefined): Partial<T> {
  return Object.fromEntries(Object.entries(options ?? {}).filter(([, value]) => value !== undefined)) as Partial<T>
}
