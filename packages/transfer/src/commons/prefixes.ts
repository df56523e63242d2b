/**
 * Which host serves a prefix (gen3 5.2): what the caller says, what is well known, what was learnt lately, then whom one
 * can ask. Hosts are `host[:port]`.
 */
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
}

/** As Terra resolves them in production. */
const WELL_KNOWN: Readonly<Record<string, string>> = {
  'dg.4503': 'gen3.biodatacatalyst.nhlbi.nih.gov',
  'dg.4dfc': 'nci-crdc.datacommons.io',
  'dg.f82a1a': 'data.kidsfirstdrc.org',
  'dg.anv0': 'data.terra.bio',
  'drs.anv0': 'data.terra.bio',
}

export class Prefixes {
  readonly #o: PrefixesOptions
  readonly #asked = new Map<string, Promise<string | undefined>>()
  #distributed: Promise<ReadonlyMap<string, string>> | undefined

  constructor(options: PrefixesOptions) {
    this.#o = options
  }

  /** Undefined: nobody knows. */
  hostOf({ prefix, objectId }: Identifier, signal: AbortSignal): Promise<string | undefined> {
    const key = prefix ?? objectId
    let asked = this.#asked.get(key)
    if (!asked) {
      asked = this.#find(prefix, objectId, signal)
      this.#asked.set(key, asked)
      asked.catch(() => this.#asked.delete(key))
    }
    return asked
  }

  async #find(prefix: string | undefined, objectId: string, signal: AbortSignal): Promise<string | undefined> {
    const known = prefix === undefined ? undefined : (this.#o.given?.[prefix] ?? WELL_KNOWN[prefix])
    if (known !== undefined) return hostOfAddress(known)
    const cached = prefix === undefined ? undefined : await this.#o.cache?.read(prefix)
    if (cached !== undefined) return cached
    for (const ask of this.#ways(prefix, objectId)) {
      const host = await ask(signal)
      signal.throwIfAborted()
      if (host === undefined) continue
      if (prefix !== undefined) await this.#o.cache?.write(prefix, host)
      return host
    }
    return undefined
  }

  #ways(prefix: string | undefined, objectId: string): ((signal: AbortSignal) => Promise<string | undefined>)[] {
    const { home, resolver = 'https://dataguids.org' } = this.#o
    const record = async (signal: AbortSignal) =>
      recordHost(await this.#json(`${resolver}/index/${encodeId(objectId, 'raw')}`, signal))
    if (prefix === undefined) return [record]
    const name = encodeURIComponent(prefix)
    return [
      ...(home
        ? [async (signal: AbortSignal) => infoHost(await this.#json(`${home}/mds/aggregate/info/${name}`, signal))]
        : []),
      async signal => (await this.#listed(resolver, signal)).get(prefix),
      record,
      async signal => infoHost(await this.#json(`${resolver}/mds/metadata/${name}`, signal)),
      signal => this.#identifiersOrg(prefix, signal),
      signal => this.#n2t(prefix, signal),
    ]
  }

  /** The distributed resolver's own list: hints are patterns in which the prefix stands. */
  #listed(resolver: string, signal: AbortSignal): Promise<ReadonlyMap<string, string>> {
    this.#distributed ??= this.#json(`${resolver}/index/_dist`, signal).then(list => {
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
    })
    return this.#distributed
  }

  async #identifiersOrg(prefix: string, signal: AbortSignal): Promise<string | undefined> {
    const base = `${this.#o.identifiersOrg ?? 'https://registry.api.identifiers.org'}/restApi`
    const found = await this.#json(
      `${base}/namespaces/search/findByPrefix?prefix=${encodeURIComponent(prefix)}`,
      signal,
    )
    const links = (found as { _links?: { namespace?: { href?: unknown } } } | undefined)?._links
    const id = /\/(\d+)\/?$/.exec(String(links?.namespace?.href))?.[1]
    if (id === undefined) return undefined
    const resources = await this.#json(`${base}/resources/search/findAllByNamespaceId?id=${id}`, signal)
    const pattern = /"urlPattern"\s*:\s*"([^"]*\{\$id\}[^"]*)"/.exec(JSON.stringify(resources ?? null))?.[1]
    return hostOfAddress(pattern)
  }

  async #n2t(prefix: string, signal: AbortSignal): Promise<string | undefined> {
    const answer = await this.#ask(`${this.#o.n2t ?? 'https://n2t.net'}/${encodeURIComponent(prefix)}:`, signal)
    return hostOfAddress(/redirect:\s*(https?:\S+)/.exec(answer?.body ?? '')?.[1])
  }

  async #json(url: string, signal: AbortSignal): Promise<unknown> {
    const answer = await this.#ask(url, signal)
    try {
      return answer?.status === 200 ? JSON.parse(answer.body) : undefined
    } catch {
      return undefined
    }
  }

  /** Who cannot be asked knows nothing: the next one is asked. */
  async #ask(url: string, signal: AbortSignal): Promise<ApiAnswer | undefined> {
    try {
      return await this.#o.api.ask({ url, signal, retries: PATIENCE })
    } catch (error) {
      if (signal.aborted) throw error
      return undefined
    }
  }
}

const PATIENCE = { 500: 2, 502: 2, 503: 2, 504: 2 }

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
