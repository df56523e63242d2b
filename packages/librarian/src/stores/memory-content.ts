import {
  type ArchiveEntry,
  ArchiveReader,
  describeTree,
  digestBytesBy,
  loadPathFunctions,
  MemberNames,
  type PathDigests,
  type TreeMember,
} from '@arriero/transfer'
import { ArchiveMembers, archiveErrorOf } from './archive-members.ts'
import { Challenge, inManifestOrder } from './challenge.ts'
import { unacceptable } from './refusals.ts'
import type { Publication } from './store.ts'
import { functionsFor, inFormOf } from './wire-checksum.ts'

/** Content of a memory store: a file's bytes; or a tree's members by path, null for a directory. */
export type MemoryContent = Uint8Array | ReadonlyMap<string, Uint8Array | null>

export interface MemoryDescription {
  readonly kind: 'file' | 'tree'
  readonly size: number
  readonly checksum: string
  readonly sha256: string
  readonly manifest: string | undefined
}

/** What `prepare` and `examine` tell of it. */
export async function describeContent(
  content: MemoryContent,
  checksum: string | undefined,
): Promise<MemoryDescription> {
  const functions = functionsFor(checksum)
  await loadPathFunctions(functions)
  if (content instanceof Uint8Array) {
    const digests = digestBytesBy(functions, content)
    return described('file', content.length, digests, digests.sha256!, undefined, checksum)
  }
  const members = Array.from(
    withParents(content),
    ([path, bytes]): TreeMember =>
      bytes === null
        ? { path, type: 'directory' }
        : { path, type: 'file', size: bytes.length, digests: digestBytesBy(functions, bytes) },
  )
  const { size, digests, manifest, sha256 } = describeTree(members, functions)
  return described('tree', size, digests, sha256, manifest, checksum)
}

function described(
  kind: 'file' | 'tree',
  size: number,
  digests: PathDigests,
  sha256: string,
  manifest: string | undefined,
  checksum: string | undefined,
): MemoryDescription {
  return { kind, size, checksum: inFormOf(checksum, digests), sha256, manifest }
}

/** To challenges, as a store answers them. */
export function answersOf(content: MemoryContent, nonces: readonly string[]): string[] {
  const challenge = new Challenge(nonces)
  if (content instanceof Uint8Array) challenge.take(content)
  else {
    const members = Array.from(withParents(content), ([path, bytes]) => ({ path, bytes }))
    for (const { path, bytes } of inManifestOrder(members)) {
      challenge.begin(path, bytes?.length)
      if (bytes) challenge.take(bytes)
    }
  }
  return challenge.answers()
}

/** Directories that only the paths of others tell of are members too. */
function withParents(tree: ReadonlyMap<string, Uint8Array | null>): Map<string, Uint8Array | null> {
  const whole = new Map<string, Uint8Array | null>()
  for (const [path, bytes] of tree) {
    const segments = path.split('/')
    for (let depth = 1; depth < segments.length; depth++) {
      const parent = segments.slice(0, depth).join('/')
      if (!whole.has(parent)) whole.set(parent, null)
    }
    whole.set(path, bytes)
  }
  return whole
}

/** @param size of all files, as announced. @throws LibrarianError BadArchive, Mismatch */
export function unpackContent(what: string, archive: Uint8Array, size: number): MemoryContent {
  const admitted = new ArchiveMembers({ what, size })
  const tree = new Map<string, Uint8Array | null>()
  let [open, pieces]: [ArchiveEntry | undefined, Uint8Array[]] = [undefined, []]
  const reader = new ArchiveReader({
    begin(entry) {
      admitted.admit(entry)
      if (entry.type === 'directory') tree.set(entry.path, null)
      else [open, pieces] = [entry, []]
    },
    bytes: bytes => void pieces.push(bytes),
    finish: () => void tree.set(open!.path, new Uint8Array(Buffer.concat(pieces))),
  })
  try {
    reader.write(archive)
    reader.end()
  } catch (error) {
    throw archiveErrorOf(what, error)
  }
  return tree
}

/** The same, so that what the caller does with its own changes nothing here. */
export function copyOf(content: MemoryContent): MemoryContent {
  if (content instanceof Uint8Array) return content.slice()
  return new Map(Array.from(content, ([path, bytes]) => [path, bytes ? bytes.slice() : null]))
}

/** Whether it is what a work was prepared to be. */
export async function isContentOf(content: MemoryContent, { kind, size, sha256 }: Publication): Promise<boolean> {
  const met = await describeContent(content, undefined)
  return met.kind === kind && met.size === size && met.sha256 === sha256
}

/** @throws LibrarianError Unacceptable: a member has a name that others cannot use */
export function checkMembers(content: MemoryContent): void {
  if (content instanceof Uint8Array) return
  const names = new MemberNames()
  for (const [path, bytes] of content) {
    const why = names.claim(path, bytes === null ? 'directory' : 'file')
    if (why !== undefined) throw unacceptable(path, 'a member must have a name that others can use', why)
  }
}

export function sizeOf(content: MemoryContent): number {
  if (content instanceof Uint8Array) return content.length
  return [...content.values()].reduce((sum, bytes) => sum + (bytes?.length ?? 0), 0)
}

/** Of a file, or of a tree's member; undefined where there is none, or a directory. */
export function bytesOf(content: MemoryContent, member: string | undefined): Uint8Array | undefined {
  if (content instanceof Uint8Array) return member === undefined ? content : undefined
  return (member !== undefined && content.get(member)) || undefined
}
