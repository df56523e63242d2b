/**
 * Which host serves a prefix (gen3 5.2): what the caller says, what is well known, what was learnt lately, then whom one
 * can ask. Hosts are `host[:port]`.
 *
 * Who is asked gives a hint and nothing that is needed to fetch: those of equal standing are asked at once, nobody is
 * waited for long, and who did not answer is left alone for a while.
 */
import { abortable } from '../abortable.ts'
import { type Clock, systemClock } from '../clock.ts'
import type { Api, ApiAnswer } from './api.ts'
import { encodeId } from './encode-id.ts'
import type { HostCache } from './host-cache.ts'
import type { Identifier } from './identifier.ts'

export interface PrefixesOptions {
  readonly api: Api
  /** Base of the home commons. */
  readonly home?: string | undefined
  /** Default `https://dataguids.org`. */
  readonly resolver?: string | undefined
  /** Says more than anybody else; keys in lower case. */
  readonly given?: Readonly<Record<string, string>> | undefined
  readonly cache?: HostCache | undefined
  /** Default `https://registry.api.identifiers.org`. */
  readonly identifiersOrg?: string | undefined
  /** Default `https://n2t.net`. */
  readonly n2t?: string | undefined
  /** How long those that are asked together are waited for, ms. Default 5000. */
  readonly patienceMs?: number | undefined
  readonly clock?: Clock | undefined
}

/** As Terra resolves them in production. */
const WELL_KNOWN: Readonly<Record<string, string>> = {
  'dg.4503': 'gen3.biodatacatalyst.nhlbi.nih.gov',
  'dg.4dfc': 'nci-crdc.datacommons.io',
  'dg.f82a1a': 'data.kidsfirstdrc.org',
  'dg.anv0': 'data.terra.bio',
  'drs.anv0': 'data.terra.bio',
}

/** What the search for a host came to. */
export interface Found {
  /** Undefined: nobody who answered knows. */
  readonly host: string | undefined
  /** Hosts that could not be asked. */
  readonly silent: readonly string[]
}

/** Questions of equal standing that are asked together. */
interface Round {
  /** Aborted when the answers are not wanted any more. */
  readonly signal: AbortSignal
  /** Aborted when nobody is waited for any longer. */
  readonly patience: AbortSignal
  readonly silent: Set<string>
}

type Way = (round: Round) => Promise<string | undefined>

export class Prefixes {
  readonly #o: PrefixesOptions
  readonly #asked = new Map<string, Promise<Found>>()
  /** Until when a host that did not answer is left alone, by the clock. */
  readonly #silentUntil = new Map<string, number>()
  /** Resolves to undefined when there was no answer. */
  #distributed: Promise<ReadonlyMap<string, string> | undefined> | undefined

  constructor(options: PrefixesOptions) {
    this.#o = options
  }

  hostOf({ prefix, objectId }: Identifier, signal: AbortSignal): Promise<Found> {
    const key = prefix ?? objectId
    let asked = this.#asked.get(key)
    if (!asked) {
      asked = this.#find(prefix, objectId, signal)
      this.#asked.set(key, asked)
      const forget = () => this.#asked.delete(key)
      asked.then(({ silent }) => silent.length > 0 && forget(), forget)
    }
    return asked
  }

  async #find(prefix: string | undefined, objectId: string, signal: AbortSignal): Promise<Found> {
    const known = prefix === undefined ? undefined : (this.#o.given?.[prefix] ?? WELL_KNOWN[prefix])
    if (known !== undefined) return { host: hostOfAddress(known), silent: [] }
    const cached = prefix === undefined ? undefined : await this.#o.cache?.read(prefix)
    if (cached !== undefined) return { host: cached, silent: [] }
    const silent = new Set<string>()
    for (const ways of this.#rounds(prefix, objectId)) {
      const host = await this.#ask(ways, silent, signal)
      if (host === undefined) continue
      if (prefix !== undefined) await this.#o.cache?.write(prefix, host)
      return { host, silent: [] }
    }
    return { host: undefined, silent: [...silent] }
  }

  /** The first of the ways, in their order, that knows. */
  async #ask(ways: readonly Way[], silent: Set<string>, signal: AbortSignal): Promise<string | undefined> {
    const stop = new AbortController()
    const round = { signal: AbortSignal.any([signal, stop.signal]), patience: this.#patience(), silent }
    const asked = ways.map(ask => ask(round))
    try {
      for (const answer of asked) {
        const host = await answer
        signal.throwIfAborted()
        if (host !== undefined) return host
      }
      return undefined
    } finally {
      stop.abort()
    }
  }

  #patience(): AbortSignal {
    return AbortSignal.timeout(this.#o.patienceMs ?? PATIENCE_MS)
  }

  #rounds(prefix: string | undefined, objectId: string): Way[][] {
    const { home, resolver = 'https://dataguids.org' } = this.#o
    const record: Way = async round =>
      recordHost(await this.#json(`${resolver}/index/${encodeId(objectId, 'raw')}`, round))
    if (prefix === undefined) return [[record]]
    const name = encodeURIComponent(prefix)
    const atHome: Way = async round => infoHost(await this.#json(`${home}/mds/aggregate/info/${name}`, round))
    const listed: Way = async round => (await this.#listed(resolver, round))?.get(prefix)
    const described: Way = async round => infoHost(await this.#json(`${resolver}/mds/metadata/${name}`, round))
    return [
      home === undefined ? [] : [atHome],
      [listed, record, described],
      [round => this.#identifiersOrg(prefix, round), round => this.#n2t(prefix, round)],
    ]
  }

  /** The distributed resolver's own list: hints are patterns in which the prefix stands. Asked once for all searches. */
  async #listed(resolver: string, { signal, silent }: Round): Promise<ReadonlyMap<string, string> | undefined> {
    this.#distributed ??= this.#list(resolver)
    const asked = this.#distributed
    const hosts = await abortable(asked, signal).catch(() => undefined)
    if (hosts || signal.aborted) return hosts
    silent.add(hostIn(resolver))
    if (this.#distributed === asked) this.#distributed = undefined
    return undefined
  }

  async #list(resolver: string): Promise<ReadonlyMap<string, string> | undefined> {
    const round = { signal: NEVER, patience: this.#patience(), silent: new Set<string>() }
    const list = await this.#json(`${resolver}/index/_dist`, round)
    if (round.silent.size > 0) return undefined
    const hosts = new Map<string, string>()
    for (const given of Array.isArray(list) ? list : []) {
      const { host, hints, type } = (given ?? {}) as Record<string, unknown>
      const address = type === 'indexd' ? hostOfAddress(host) : undefined
      if (address === undefined) continue
      for (const hint of Array.isArray(hints) ? hints : []) {
        const prefix = String(hint).replaceAll('\\.', '.').replaceAll('.*', '').replace(/\/$/, '').toLowerCase()
        if (prefix !== '' && !hosts.has(prefix)) hosts.set(prefix, address)
      }
    }
    return hosts
  }

  async #identifiersOrg(prefix: string, round: Round): Promise<string | undefined> {
    const base = `${this.#o.identifiersOrg ?? 'https://registry.api.identifiers.org'}/restApi`
    const found = await this.#json(`${base}/namespaces/search/findByPrefix?prefix=${encodeURIComponent(prefix)}`, round)
    const links = (found as { _links?: { namespace?: { href?: unknown } } } | undefined)?._links
    const id = /\/(\d+)\/?$/.exec(String(links?.namespace?.href))?.[1]
    if (id === undefined) return undefined
    const resources = await this.#json(`${base}/resources/search/findAllByNamespaceId?id=${id}`, round)
    const pattern = /"urlPattern"\s*:\s*"([^"]*\{\$id\}[^"]*)"/.exec(JSON.stringify(resources ?? null))?.[1]
    return hostOfAddress(pattern)
  }

  async #n2t(prefix: string, round: Round): Promise<string | undefined> {
    const answer = await this.#answer(`${this.#o.n2t ?? 'https://n2t.net'}/${encodeURIComponent(prefix)}:`, round)
    return hostOfAddress(/redirect:\s*(https?:\S+)/.exec(answer?.body ?? '')?.[1])
  }

  async #json(url: string, round: Round): Promise<unknown> {
    const answer = await this.#answer(url, round)
    try {
      return answer?.status === 200 ? JSON.parse(answer.body) : undefined
    } catch {
      return undefined
    }
  }

  /** Who cannot be asked knows nothing, and is noted as silent. */
  async #answer(url: string, { signal, patience, silent }: Round): Promise<ApiAnswer | undefined> {
    const host = hostIn(url)
    const { clock = systemClock } = this.#o
    const isAlone = clock.now() < (this.#silentUntil.get(host) ?? 0)
    const answer = isAlone
      ? undefined
      : await this.#o.api
          .ask({ url, signal: AbortSignal.any([signal, patience]), retries: RETRIES, attempts: 2 })
          .catch(() => undefined)
    if (answer && answer.status < 500 && answer.status !== 429) return answer
    if (signal.aborted) return undefined
    silent.add(host)
    if (!isAlone) this.#silentUntil.set(host, clock.now() + SILENT_MS)
    return undefined
  }
}

/** How long the answers of one round are waited for, ms. */
const PATIENCE_MS = 5000
/** How long who did not answer is left alone, ms. */
const SILENT_MS = 60_000
const NEVER = new AbortController().signal
const RETRIES = { 408: 1, 425: 1, 429: 1, 500: 2, 502: 2, 503: 2, 504: 2 }

function hostIn(url: string): string {
  return URL.parse(url)?.host ?? url
}

function infoHost(value: unknown): string | undefined {
  return hostOfAddress((value as { host?: unknown } | undefined)?.host)
}

function recordHost(value: unknown): string | undefined {
  return infoHost((value as { from_index_service?: unknown } | undefined)?.from_index_service)
}

/** Host and port of a URL, or of a host written alone. */
export function hostOfAddress(address: unknown): string | undefined {
  if (typeof address !== 'string' || address === '') return undefined
  return (URL.parse(/^https?:\/\//i.test(address) ? address : `https://${address}`)?.host || undefined)?.toLowerCase()
}
