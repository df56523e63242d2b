/** A service that resolves DRS URIs for its users (gen3 6.4). */
import { randomUUID } from 'node:crypto'
import type { FaultRequest } from '../fault-server/log.ts'
import { type Answer, json } from './answers.ts'
import type { Commons } from './commons.ts'
import { FaultSwitches } from './fault-switches.ts'
import { type Handled, type HostParts, ServiceHost, startHost } from './host.ts'
import { property, strings } from './state.ts'

export interface DrsHubOptions {
  readonly hostname?: string | undefined
  /** Prefix (`dg.4503`) or host to the commons that has what it names. Hosts of the commons are known of themselves. */
  readonly commons: readonly Commons[]
  readonly prefixes?: Readonly<Record<string, Commons>> | undefined
}

const FIELDS = ['fileName', 'size', 'hashes', 'accessUrl', 'bucket', 'name', 'gsUri', 'timeCreated', 'timeUpdated']
const SCHEMES: Readonly<Record<string, string>> = { gs: 'gs', s3: 's3', azure: 'az' }

export async function startDrsHub(options: DrsHubOptions): Promise<DrsHub> {
  let hub: DrsHub | undefined
  const { hostname } = options
  const parts = await startHost(request => hub!.handled(request), { hostname }, new FaultSwitches('drshub'))
  hub = new DrsHub(parts, options)
  return hub
}

export class DrsHub extends ServiceHost {
  /** The bearer token it takes. */
  readonly token = `test.${randomUUID()}`
  readonly #options: DrsHubOptions

  constructor({ server, log, faults }: HostParts, options: DrsHubOptions) {
    super(server, log, faults)
    this.#options = options
  }

  handled(request: FaultRequest): Handled {
    return { route: 'drshub', handle: () => this.#answer(request) }
  }

  #answer(request: FaultRequest): Answer {
    if (!/^\/api\/v\d\/drs\/resolve$/.test(request.path)) return failure(404, 'Not found')
    if (request.method !== 'POST') return failure(405, 'Method not allowed')
    if (request.headers.authorization?.toLowerCase() !== `bearer ${this.token}`) return failure(401, 'Unauthorized')
    const body = parse(request)
    const url = property(body, 'url')
    if (typeof url !== 'string') return failure(400, 'url is missing')
    const named = this.#parse(url)
    if (!named) return failure(400, `${url} is not a valid DRS URI`)
    const document = named.commons?.find(named.id)
    if (!named.commons || !document) return failure(404, 'The object was not found')
    return json(resolve(named.commons, document, body))
  }

  /** A compact identifier with a prefix, or a name of a host. */
  #parse(url: string): { commons: Commons | undefined; id: string } | undefined {
    const compact = /^(?:dos|drs):\/\/((?:dg|drs)\.[0-9a-z-]+):(.+)$/i.exec(url)
    if (compact) {
      const prefix = compact[1]!.toLowerCase()
      const id = decodeURIComponent(compact[2]!)
      const commons = this.#options.prefixes?.[prefix]
      return { commons, id: commons?.find(id) ? id : `${prefix}/${id}` }
    }
    const hosted = /^(?:dos|drs):\/\/([^/]+\.[^/]+|localhost:\d+)\/(.+)$/i.exec(url)
    if (!hosted) return undefined
    const commons = this.#options.prefixes?.[hosted[1]!] ?? this.#options.commons.find(({ host }) => host === hosted[1])
    return { commons, id: decodeURIComponent(hosted[2]!) }
  }
}

function resolve(commons: Commons, document: object, body: unknown): object {
  const guid = String(property(document, 'did'))
  const urls = strings(property(document, 'urls')) ?? []
  const gsUri = urls.find(url => url.startsWith('gs://')) ?? null
  const [bucket = null, name = null] = /^gs:\/\/([^/]+)\/(.*)$/.exec(gsUri ?? '')?.slice(1) ?? []
  const scheme = SCHEMES[String(property(body, 'cloudPlatform'))]
  const signed = commons.presign(guid, scheme === undefined ? {} : { scheme })
  const all: Record<string, unknown> = {
    fileName: property(document, 'file_name'),
    size: property(document, 'size'),
    hashes: property(document, 'hashes'),
    accessUrl: signed === undefined ? null : { url: signed, headers: {} },
    bucket,
    name,
    gsUri,
    timeCreated: property(document, 'created_date'),
    timeUpdated: property(document, 'updated_date'),
    localizationPath: null,
    bondProvider: null,
  }
  const wanted = strings(property(body, 'fields')) ?? FIELDS
  return Object.fromEntries(Object.entries(all).filter(([field]) => wanted.includes(field)))
}

function failure(statusCode: number, message: string): Answer {
  return json({ message, statusCode }, statusCode)
}

function parse(request: FaultRequest): unknown {
  try {
    return JSON.parse(request.body.toString())
  } catch {
    return undefined
  }
}
