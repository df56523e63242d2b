/** What is kept here, as GA4GH DRS 1.5 describes it: blobs, and bundles for trees. Read only. */
import { basename } from 'node:path/posix'
import { LibrarianError } from '@arriero/api'
import type { Catalogue } from '../catalogue/catalogue.ts'
import type { Clock } from '../clock.ts'
import type { Tickets } from './data/tickets.ts'
import type { Data, DataFile, DataTree, Digests } from './data.ts'
import { type BundleNode, bundleOf, type Node } from './drs/bundle.ts'
import { idOfPath, pathOfId } from './drs/ids.ts'

/** The one way to the bytes: a URL at this librarian, handed out with a ticket. */
export const accessId = 'https'

export interface DrsOptions {
  readonly catalogue: Pick<Catalogue, 'serving'>
  readonly data: Data
  readonly tickets: Tickets
  readonly clock: Pick<Clock, 'now'>
}

export interface DrsChecksum {
  readonly type: string
  readonly checksum: string
}

export interface DrsContent {
  readonly name: string
  readonly id: string
  readonly drs_uri: readonly string[]
  readonly contents?: readonly DrsContent[]
}

export interface DrsObject {
  readonly id: string
  readonly name: string
  readonly self_uri: string
  readonly size: number
  readonly created_time: string
  readonly checksums: readonly DrsChecksum[]
  readonly mime_type?: string
  readonly access_methods?: readonly object[]
  readonly contents?: readonly DrsContent[]
}

export interface DrsAccess {
  /** Of the file, for whoever builds the URL. */
  readonly path: string
  readonly ticket: string
}

export interface Drs {
  /** @param options.host as DRS URIs name this librarian: host, and port if it is not the usual one */
  object(id: string, options: { readonly host: string; readonly expand: boolean }): Promise<DrsObject>
  /** @throws LibrarianError NotFound also for a bundle, which has no bytes */
  access(id: string, access: string, user: string): Promise<DrsAccess>
  totals(): Promise<{ readonly count: number; readonly size: number }>
}

/** Anybody may ask for them, and they are counted over all files. */
const TOTALS_MS = 60_000

export function createDrs({ catalogue, data, tickets, clock }: DrsOptions): Drs {
  let counted: { readonly at: number; readonly totals: ReturnType<Drs['totals']> } | undefined

  function totals(): ReturnType<Drs['totals']> {
    if (counted && clock.now() - counted.at < TOTALS_MS) return counted.totals
    const mine = { at: clock.now(), totals: catalogue.serving.totals() }
    counted = mine
    mine.totals.catch(() => {
      if (counted === mine) counted = undefined
    })
    return mine.totals
  }

  return {
    async object(id, { host, expand }) {
      const found = await data.find(pathOf(id))
      return found.kind === 'file' ? blob(found, host) : bundle(found, host, expand)
    },
    async access(id, access, user) {
      const found = await data.find(pathOf(id))
      if (found.kind === 'tree' || access !== accessId) {
        throw new LibrarianError('NotFound', `Cannot give access to object ${id}: it has no access ${access}`)
      }
      return { path: found.path, ticket: tickets.issue(user, found.path) }
    },
    totals,
  }
}

function pathOf(id: string): string {
  const path = pathOfId(id)
  if (path === undefined) throw new LibrarianError('NotFound', `Cannot find object ${id}: there is none of this id`)
  return path
}

function blob(found: DataFile, host: string): DrsObject {
  const { path, size, digests, created } = found
  return {
    ...identity(path, host),
    size,
    created_time: created,
    checksums: checksumsOf(digests),
    mime_type: 'application/octet-stream',
    access_methods: [{ type: 'https', access_id: accessId, authorizations: { supported_types: ['BasicAuth'] } }],
  }
}

function bundle(found: DataTree, host: string, expand: boolean): DrsObject {
  const node = bundleOf(basename(found.path), found.members)
  return {
    ...identity(found.path, host),
    size: node.size,
    created_time: found.created,
    checksums: [{ type: 'sha-256', checksum: node.sha256 }],
    contents: contentsOf(node, { top: found.path, host, expand }),
  }
}

function contentsOf(
  node: BundleNode,
  options: { readonly top: string; readonly host: string; readonly expand: boolean },
): DrsContent[] {
  const { top, host, expand } = options
  return node.contents.map((child: Node) => {
    const { id, self_uri: uri } = identity(`${top}/${child.path}`, host)
    const content = { name: child.name, id, drs_uri: [uri] }
    return child.kind === 'bundle' && expand ? { ...content, contents: contentsOf(child, options) } : content
  })
}

function identity(path: string, host: string): Pick<DrsObject, 'id' | 'name' | 'self_uri'> {
  const id = idOfPath(path)
  return { id, name: basename(path), self_uri: `drs://${host}/${id}` }
}

/** Names of GA4GH's list; XXH3 of 128 bits has none there, and is told by its own. */
const types: Readonly<Record<string, string>> = {
  sha256: 'sha-256',
  sha512: 'sha-512',
  sha1: 'sha-1',
  md5: 'md5',
  xxh3: 'xxh3-128',
}

function checksumsOf(digests: Digests): DrsChecksum[] {
  return Object.entries(types).flatMap(([algorithm, type]) => {
    const checksum = digests[algorithm]
    return checksum === undefined ? [] : [{ type, checksum }]
  })
}
