/**
 * An independent judge of what a librarian keeps (reliability 4): it shares no code with the server. It is given what lies in
 * the stores, what the catalogue says, and what the test's client was told, and names every promise that is broken.
 */
import { createHash } from 'node:crypto'

export interface SeenFile {
  readonly name: string
  readonly size: number
  readonly checksum: string
  readonly sha256: string | null
  readonly kind: string
}

export interface SeenInstance {
  readonly file_name: string
  readonly store: string
  readonly available: number
}

export interface SeenTransfer {
  readonly id: number
  readonly status: string
  readonly store_path: string
  readonly staging_path: string | null
  /** Of its bytes, where they come over HTTP. */
  readonly token?: string
}

/** What lies under a store's root: a path below it → its bytes, or null for a directory. */
export type SeenDisk = ReadonlyMap<string, Uint8Array | null>

export interface SeenStore {
  readonly name: string
  readonly disk: SeenDisk
  /** Names that the trail has a commit of, with the SHA-256. */
  readonly trail: readonly { readonly action: string; readonly name: string; readonly sha256: string | null }[]
  readonly stagings: readonly string[]
  /** Private copies. */
  readonly works: readonly string[]
  /** Tokens of transfers whose bytes came over HTTP. */
  readonly spools?: readonly string[]
}

export interface Seen {
  readonly files: readonly SeenFile[]
  readonly instances: readonly SeenInstance[]
  readonly transfers: readonly SeenTransfer[]
  readonly intents: readonly { readonly id: string }[]
  readonly stores: readonly SeenStore[]
}

/** Bytes, or members by path. */
export type Content = Uint8Array | ReadonlyMap<string, Uint8Array | null>

/** What the client was told is safe, and what it had sent. */
export interface Acknowledged {
  readonly name: string
  readonly content: Content
  /** As the client sent it. */
  readonly checksum?: string
}

export interface InvariantOptions {
  /** What ended work has left was swept. Default true: call it when recovery and sweep have run. */
  readonly isSwept?: boolean
}

/** Every broken promise, by its id; empty: all hold. Call it when recovery has run. */
export function checkInvariants(
  seen: Seen,
  acknowledged: readonly Acknowledged[],
  { isSwept = true }: InvariantOptions = {},
): string[] {
  return [
    ...rowsHaveBytes(seen),
    ...bytesHaveRows(seen),
    ...acknowledgedIsKept(seen, acknowledged),
    ...nothingIsHalf(seen),
    ...(isSwept ? nothingIsLeft(seen) : []),
    ...trailHasAll(seen),
  ]
}

function rowsHaveBytes({ files, instances, stores }: Seen): string[] {
  const broken: string[] = []
  for (const instance of instances) {
    if (instance.available !== 1) continue
    const file = files.find(({ name }) => name === instance.file_name)
    const store = stores.find(({ name }) => name === instance.store)
    if (!file || !store) {
      broken.push(`A6: the copy of ${instance.file_name} on ${instance.store} has no file row, or no store`)
      continue
    }
    const met = contentAt(store.disk, file.name)
    if (!met) broken.push(`A6: ${file.name} has a row, and no bytes on ${store.name}`)
    else if (sha256Of(met) !== file.sha256)
      broken.push(`A1: ${file.name} on ${store.name} has other bytes than its row says`)
  }
  for (const { name } of files) {
    if (!instances.some(({ file_name }) => file_name === name)) broken.push(`A6: ${name} has a row, and no copy`)
  }
  return broken
}

function bytesHaveRows({ files, instances, stores }: Seen): string[] {
  const broken: string[] = []
  for (const { name: store, disk } of stores) {
    const known = new Set(instances.filter(copy => copy.store === store).map(({ file_name }) => file_name))
    for (const [path, bytes] of disk) {
      if (bytes === null) continue
      const isKnown = known.has(path) || prefixesOf(path).some(prefix => known.has(prefix) && isTree(files, prefix))
      if (!isKnown) broken.push(`A6: ${path} lies on ${store}, and has no row`)
    }
  }
  return broken
}

function acknowledgedIsKept({ files, instances }: Seen, acknowledged: readonly Acknowledged[]): string[] {
  const broken: string[] = []
  for (const { name, content, checksum } of acknowledged) {
    const file = files.find(other => other.name === name)
    const sha256 = sha256Of(content)
    if (!file) broken.push(`A2: ${name} was acknowledged, and has no row`)
    else if (file.sha256 !== sha256) broken.push(`A4: ${name} was acknowledged with other bytes than it has now`)
    if (file && checksum !== undefined && file.checksum !== checksum) {
      broken.push(`A7: ${name} was sent with ${checksum}, and has ${file.checksum}`)
    }
    if (!instances.some(copy => copy.file_name === name && copy.available === 1)) {
      broken.push(`A2: ${name} was acknowledged, and has no copy`)
    }
  }
  return broken
}

function nothingIsHalf({ intents, transfers, files }: Seen): string[] {
  const broken = intents.map(({ id }) => `A6: intent ${id} outlived recovery`)
  for (const { id, status, store_path } of transfers) {
    const hasFile = files.some(({ name }) => name === store_path)
    if (status === 'COMPLETED' && !hasFile) broken.push(`A3: transfer ${id} is COMPLETED, and ${store_path} has no row`)
  }
  return broken
}

function nothingIsLeft({ transfers, stores }: Seen): string[] {
  const broken: string[] = []
  const ended = transfers.filter(({ status }) => ['COMPLETED', 'FAILED', 'CANCELLED'].includes(status))
  for (const { name, stagings, works, spools = [] } of stores) {
    for (const id of works) broken.push(`A6: private copy ${id} is left on ${name}`)
    for (const { id, staging_path, token } of ended) {
      if (token !== undefined && spools.includes(token)) {
        broken.push(`A6: transfer ${id} has ended, and its bytes are left on ${name}`)
      }
      if (staging_path !== null && stagings.includes(staging_path)) {
        broken.push(`A6: transfer ${id} has ended, and its staging is left on ${name}`)
      }
    }
  }
  return broken
}

function trailHasAll({ files, instances, stores }: Seen): string[] {
  const broken: string[] = []
  for (const { file_name, store } of instances) {
    const sha256 = files.find(({ name }) => name === file_name)?.sha256
    const trail = stores.find(({ name }) => name === store)?.trail ?? []
    const isThere = trail.some(line => line.action === 'commit' && line.name === file_name && line.sha256 === sha256)
    if (!isThere) broken.push(`G1: the trail of ${store} does not know ${file_name}`)
  }
  return broken
}

function isTree(files: readonly SeenFile[], name: string): boolean {
  return files.some(file => file.name === name && file.kind === 'tree')
}

function prefixesOf(path: string): string[] {
  const parts = path.split('/')
  return parts.slice(1).map((_, index) => parts.slice(0, index + 1).join('/'))
}

/** The canonical manifest of reliability 1, written here a second time on purpose. */
function digestTree(members: ReadonlyMap<string, Uint8Array | null>): { sha256: string } {
  const all = new Map(members)
  for (const path of members.keys()) for (const parent of prefixesOf(path)) if (!all.has(parent)) all.set(parent, null)
  const lines = [...all]
    .sort(([a], [b]) => Buffer.compare(Buffer.from(a), Buffer.from(b)))
    .map(([path, bytes]) =>
      JSON.stringify(
        bytes === null
          ? { path, type: 'directory' }
          : { path, type: 'file', size: bytes.length, sha256: hashOf(bytes) },
      ),
    )
  return { sha256: hashOf(Buffer.from(lines.map(line => `${line}\n`).join(''))) }
}

/** Of bytes, or of a tree's canonical manifest. */
export function sha256Of(content: Content): string {
  return content instanceof Uint8Array ? hashOf(content) : digestTree(content).sha256
}

/** What lies under a name, as a content; undefined: nothing. */
export function contentAt(disk: SeenDisk, name: string): Content | undefined {
  const bytes = disk.get(name)
  if (bytes) return bytes
  const members = new Map<string, Uint8Array | null>()
  for (const [path, content] of disk) if (path.startsWith(`${name}/`)) members.set(path.slice(name.length + 1), content)
  return bytes === null || members.size > 0 ? members : undefined
}

function hashOf(bytes: Uint8Array): string {
  return createHash('sha256').update(bytes).digest('hex')
}
