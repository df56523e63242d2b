/** The routes of the GDC that a client needs (gen3 6.5). */
import { randomUUID } from 'node:crypto'
import { gzipSync } from 'node:zlib'
import { bytesContent, patternContent, wholeOf } from '../fault-server/content.ts'
import type { FaultRequest } from '../fault-server/log.ts'
import type { FaultServerOptions } from '../fault-server.ts'
import { type Answer, json } from './answers.ts'
import { hashOf, type Stored } from './content-hashes.ts'
import { FaultSwitches } from './fault-switches.ts'
import { type Handled, type HostParts, ServiceHost, startHost } from './host.ts'
import { property, strings } from './state.ts'
import { makeTar } from './tar.ts'

export interface GdcOptions {
  readonly hostname?: string | undefined
}

export interface GdcFileOptions {
  /** Default a new UUID. */
  readonly id?: string | undefined
  readonly name?: string | undefined
  readonly content?: Uint8Array | string | undefined
  /** Default 1000. */
  readonly size?: number | undefined
  readonly version?: number | undefined
  /** Default `open`. */
  readonly access?: 'open' | 'controlled' | undefined
  /** Newer file; null: withdrawn. Default itself. */
  readonly latestId?: string | null | undefined
  /** As it is told, right or not. */
  readonly md5?: string | undefined
  readonly annotations?: readonly string[] | undefined
  readonly indexFiles?: readonly string[] | undefined
  readonly metadataFiles?: readonly string[] | undefined
}

interface GdcFile extends GdcFileOptions {
  readonly id: string
  readonly name: string
  readonly stored: Stored
  readonly md5: string
}

export interface AddedGdcFile {
  readonly id: string
  readonly name: string
  readonly size: number
  readonly md5: string
  /** Its row of a manifest: `id filename md5 size state`, tab-separated. */
  readonly row: string
}

/** Header of a manifest of `AddedGdcFile.row`s. */
export const GDC_MANIFEST_HEADER = 'id\tfilename\tmd5\tsize\tstate'

const MOST_IDS = 500

export async function startGdc(options: GdcOptions = {}): Promise<Gdc> {
  let gdc: Gdc | undefined
  const server: FaultServerOptions = { hostname: options.hostname }
  gdc = new Gdc(await startHost(request => gdc!.find(request), server, new FaultSwitches('gdc-data')))
  return gdc
}

export class Gdc extends ServiceHost {
  /** What a token file holds; without it controlled files are denied. */
  readonly token = randomUUID()
  readonly #files = new Map<string, GdcFile>()

  constructor({ server, log, faults }: HostParts) {
    super(server, log, faults)
  }

  add(options: GdcFileOptions = {}): AddedGdcFile {
    const { id = randomUUID(), content, version = 0 } = options
    const bytes = typeof content === 'string' ? Buffer.from(content) : content
    const stored = { bytes, size: bytes?.length ?? options.size ?? 1000, version }
    const name = options.name ?? `${id}.bam`
    const md5 = options.md5 ?? hashOf(stored, 'md5')
    this.#files.set(id, { ...options, id, name, stored, md5 })
    const headers = { 'Content-Disposition': `attachment; filename=${name}`, 'Content-MD5': md5 }
    for (const path of [`/data/${id}`, `/v0/data/${id}`]) {
      this.server.resource(path, { ...stored, headers, etag: `"${md5}"` })
    }
    return { id, name, size: stored.size, md5, row: [id, name, md5, stored.size, 'released'].join('\t') }
  }

  /** What a request is about, and what becomes of it. */
  find(request: FaultRequest): Handled {
    const path = request.path.replace(/^\/v0(?=\/)/, '')
    const { method } = request
    const id = /^\/data\/([^/]+)$/.exec(path)?.[1]
    if (id !== undefined && method !== 'POST')
      return { route: 'gdc-data', guid: id, handle: () => this.#data(request, id) }
    if (path === '/data' && method === 'POST') return { route: 'gdc-data', handle: () => this.#archive(request) }
    if (path === '/files/versions') return { route: 'gdc-versions', handle: () => this.#versions(request) }
    if (path === '/files') return { route: 'gdc-files', handle: () => this.#hits(request) }
    if (path === '/status') return { route: 'other', handle: () => json({ status: 'OK', tag: '7.0.0', version: 1 }) }
    return { route: 'other', handle: () => json({ message: 'Not found' }, 404) }
  }

  #data(request: FaultRequest, id: string): Answer {
    const file = this.#files.get(id)
    if (!file) return json({ message: `Unable to find file ${id}`, code: 404 }, 404)
    return this.#mayRead(request, file) ? {} : json({ message: 'Access to this file is denied', code: 403 }, 403)
  }

  #archive(request: FaultRequest): Answer {
    const ids = strings(property(parse(request), 'ids'))
    if (!ids) return json({ message: 'ids must be a list' }, 400)
    const files = ids.map(id => this.#files.get(id))
    if (files.includes(undefined)) return json({ message: 'Unable to find some of the files' }, 404)
    const found = files.filter(file => file !== undefined)
    if (!found.every(file => this.#mayRead(request, file)))
      return json({ message: 'Access to some files is denied' }, 403)
    const query = new URLSearchParams(request.query)
    const isCompressed = query.has('compress')
    const tar = makeTar(membersOf(found))
    const name = isCompressed ? 'gdc_download.tar.gz' : 'gdc_download.tar'
    return {
      status: 200,
      body: isCompressed ? gzipSync(tar) : tar,
      headers: {
        'Content-Type': isCompressed ? 'application/gzip' : 'application/x-tar',
        'Content-Disposition': `attachment; filename=${name}`,
      },
    }
  }

  #versions(request: FaultRequest): Answer {
    const ids = strings(property(parse(request), 'ids'))
    if (!ids || ids.length > MOST_IDS) return json({ message: `ids must be a list of at most ${MOST_IDS}` }, 400)
    const known = ids.flatMap(id => this.#files.get(id) ?? [])
    return json(known.map(({ id, latestId = id }) => ({ id, latest_id: latestId })))
  }

  #hits(request: FaultRequest): Answer {
    const asked = {
      ...Object.fromEntries(new URLSearchParams(request.query)),
      ...(parse(request) as object | undefined),
    }
    const ids = idsOf(property(asked, 'filters'))
    if (ids === 'malformed') return json({ message: 'filters are not understood' }, 400)
    const from = Number(property(asked, 'from') ?? 0)
    const size = Number(property(asked, 'size') ?? 10)
    const all = [...this.#files.values()].filter(file => ids === undefined || ids.includes(file.id))
    const hits = all.slice(from, from + size).map(hitOf)
    return json({ data: { hits, pagination: { count: hits.length, total: all.length, size, from } }, warnings: {} })
  }

  #mayRead(request: FaultRequest, file: GdcFile): boolean {
    return file.access !== 'controlled' || request.headers['x-auth-token'] === this.token
  }
}

function hitOf({ id, name, access = 'open', stored, md5, ...file }: GdcFile): object {
  const reference = (name: string) => (value: string) => ({ [name]: value })
  return {
    id,
    file_id: id,
    file_name: name,
    access,
    file_size: stored.size,
    md5sum: md5,
    annotations: (file.annotations ?? []).map(reference('annotation_id')),
    index_files: (file.indexFiles ?? []).map(reference('file_id')),
    metadata_files: (file.metadataFiles ?? []).map(reference('file_id')),
  }
}

function membersOf(files: readonly GdcFile[]): { name: string; bytes: Uint8Array }[] {
  const members = files.map(({ id, name, stored }) => {
    const content = stored.bytes ? bytesContent(stored.bytes) : patternContent(stored.size, stored.version)
    return { name: `${id}/${name}`, bytes: wholeOf(content) }
  })
  const rows = files.map(({ id, name, md5, stored }) => `${id}\t${id}/${name}\t${md5}\t${stored.size}\treleased`)
  const old = files.filter(({ id, latestId = id }) => latestId !== id)
  const notice = {
    name: 'superseded_files_20260102.030405.txt',
    bytes: Buffer.from(old.map(({ id }) => `${id}\n`).join('')),
  }
  const list = { name: 'MANIFEST.txt', bytes: Buffer.from(`${[GDC_MANIFEST_HEADER, ...rows].join('\n')}\n`) }
  return [...members, ...(old.length > 0 ? [notice] : []), list]
}

/** Identifiers of a filter `{op: in|=, content: {field: file_id, value}}`; undefined: no filter. */
function idsOf(filters: unknown): string[] | undefined | 'malformed' {
  if (filters === undefined) return undefined
  const filter = typeof filters === 'string' ? parseText(filters) : filters
  const content = property(filter, 'content')
  const value = property(content, 'value')
  const isKnown =
    ['in', '='].includes(String(property(filter, 'op'))) &&
    /^(files\.)?file_id$/.test(String(property(content, 'field')))
  return (isKnown && strings([value].flat())) || 'malformed'
}

function parse(request: FaultRequest): unknown {
  return parseText(request.body.toString())
}

function parseText(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}
