/** From the prefix of an identifier to the host that has it: the answers of several resolvers in one (gen3 5.2). */
import type { FaultRequest } from '../fault-server/log.ts'
import { type Answer, json } from './answers.ts'
import { FaultSwitches } from './fault-switches.ts'
import { type Handled, type HostParts, ServiceHost, startHost } from './host.ts'

/** Which answers know a prefix: paths 6 to 10 of gen3 5.2. */
export type ResolverWay = 'dist' | 'record' | 'metadata' | 'identifiers' | 'n2t'

/** A commons, or anything that has an origin. */
export interface Resolved {
  readonly origin: string
  readonly name?: string
  /** The record of an identifier, for the way `record`. */
  find?(id: string): object | undefined
}

interface Entry {
  readonly prefix: string
  readonly to: Resolved
  readonly ways: readonly ResolverWay[]
}

const WAYS: readonly ResolverWay[] = ['dist', 'record', 'metadata', 'identifiers', 'n2t']

export async function startResolver({ hostname }: { readonly hostname?: string | undefined } = {}): Promise<Resolver> {
  let resolver: Resolver | undefined
  resolver = new Resolver(
    await startHost(request => resolver!.handled(request), { hostname }, new FaultSwitches('resolver')),
  )
  return resolver
}

export class Resolver extends ServiceHost {
  readonly #entries: Entry[] = []

  constructor({ server, log, faults }: HostParts) {
    super(server, log, faults)
  }

  /** A prefix leads to a host, by some ways or all. */
  add(prefix: string, to: Resolved, { ways = WAYS }: { readonly ways?: readonly ResolverWay[] } = {}): void {
    this.#entries.push({ prefix, to, ways })
  }

  handled(request: FaultRequest): Handled {
    return {
      route: 'resolver',
      handle: () => this.#answer(decodeURIComponent(request.path), new URLSearchParams(request.query)),
    }
  }

  #answer(path: string, query: URLSearchParams): Answer {
    if (/^\/index\/_dist\/?$/.test(path)) return this.#dist()
    const record = /^\/index\/(?:index\/)?(.+)$/.exec(path)?.[1]
    if (record !== undefined) return this.#record(record)
    const prefix = /^\/mds\/(?:metadata|aggregate\/info)\/(.+)$/.exec(path)?.[1]
    if (prefix !== undefined) return this.#metadata(prefix)
    if (path === '/restApi/namespaces/search/findByPrefix') return this.#namespace(query.get('prefix') ?? '')
    if (path === '/restApi/resources/search/findAllByNamespaceId') return this.#resources(Number(query.get('id')))
    const compact = /^\/([^/]+):$/.exec(path)?.[1]
    if (compact !== undefined) return this.#n2t(compact)
    return json({ error: 'Not found' }, 404)
  }

  #find(prefix: string, way: ResolverWay): Entry | undefined {
    return this.#entries.find(entry => entry.ways.includes(way) && entry.prefix.toLowerCase() === prefix.toLowerCase())
  }

  #dist(): Answer {
    const known = this.#entries.filter(({ ways }) => ways.includes('dist'))
    const services = known.map(({ prefix, to }) => ({
      name: to.name ?? 'commons',
      host: `${to.origin}/index/`,
      hints: [`.*${prefix.replaceAll('.', '\\.')}.*`],
      type: 'indexd',
    }))
    // One that is no index must be passed over.
    return json([...services, { name: 'doi', host: 'https://doi.example/', hints: ['10\\..*'], type: 'dos' }])
  }

  #record(id: string): Answer {
    for (const { to, ways } of this.#entries) {
      const found = ways.includes('record') ? to.find?.(id) : undefined
      const service = { host: `${to.origin}/index/`, name: to.name ?? 'commons' }
      if (found) return json({ ...found, from_index_service: service })
    }
    return json({ error: 'no record found' }, 404)
  }

  #metadata(prefix: string): Answer {
    const entry = this.#find(prefix, 'metadata')
    if (!entry) return json({ detail: `Not found: ${prefix}` }, 404)
    return json({ host: `${entry.to.origin}/index/`, name: entry.to.name ?? 'commons', type: 'indexd' })
  }

  #namespace(prefix: string): Answer {
    const entry = this.#find(prefix, 'identifiers')
    if (!entry) return { status: 404, body: '', headers: {} }
    const href = `${this.origin}/restApi/namespaces/${this.#entries.indexOf(entry)}`
    return json({ prefix, name: entry.to.name, _links: { self: { href }, namespace: { href } } })
  }

  #resources(index: number): Answer {
    const entry = this.#entries[index]
    if (!entry) return json({ _embedded: { resources: [] } })
    const urlPattern = `${entry.to.origin}/ga4gh/drs/v1/objects/{$id}`
    return json({ _embedded: { resources: [{ urlPattern, name: entry.to.name, official: true, deprecated: false }] } })
  }

  #n2t(prefix: string): Answer {
    const entry = this.#find(prefix, 'n2t')
    const headers = { 'Content-Type': 'text/plain' }
    if (!entry) return { status: 404, body: `unknown prefix ${prefix}\n`, headers }
    const redirect = `${entry.to.origin}/ga4gh/drs/v1/objects/$id`
    return { status: 200, body: `prefix: ${prefix}\ntype: datacenter\nredirect: ${redirect}\n`, headers }
  }
}
