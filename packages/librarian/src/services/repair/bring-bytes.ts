/** Brings the bytes of a good copy into a spool: a file as it is, a tree as an archive of its members. */
import { ArchivePlan } from '@arriero/transfer'
import type { File } from '../../catalogue/operations/instances.ts'
import type { Store, Work } from '../../stores/store.ts'
import { parseContents } from '../data/tree-members.ts'

/** How a source gives its bytes; of a tree, those of each member by its path. */
export type ReadSource = (member: string | undefined, size: number) => AsyncIterable<Uint8Array>

export interface Bring {
  readonly file: File
  /** Of a tree: its recorded members. */
  readonly manifest: string | undefined
  /** Of the spool. */
  readonly id: string
  readonly store: Store
  readonly read: ReadSource
  readonly signal: AbortSignal | undefined
}

export async function bringBytes({ file, manifest, id, store, read, signal }: Bring): Promise<Work['origin']> {
  // What an earlier source left there is of no worth.
  await store.removeSpool(id)
  const isTree = file.kind === 'tree'
  await using spool = await store.openSpool(id, isTree ? { functions: [] } : {})
  const body = isTree ? archiveOf(manifest ?? '', read) : read(undefined, file.size)
  await spool.append(body, signal ? { signal } : {})
  return isTree ? { from: 'spool', id, archive: 'tar' } : { from: 'spool', id }
}

async function* archiveOf(manifest: string, read: ReadSource): AsyncGenerator<Uint8Array> {
  const { members, directories } = parseContents(manifest)
  const plan = new ArchivePlan([
    ...directories.map(path => ({ path, type: 'directory' as const, size: 0 })),
    ...Array.from(members.values(), ({ path, size }) => ({ path, type: 'file' as const, size })),
  ])
  for (const part of plan.parts(0, plan.size)) {
    if ('bytes' in part) yield part.bytes
    else yield* exactly(read(plan.entries[part.entry]!.path, part.end), part.end)
  }
}

/** A source that gives more or less than it must would move everything that follows. */
async function* exactly(bytes: AsyncIterable<Uint8Array>, size: number): AsyncGenerator<Uint8Array> {
  let count = 0
  for await (const piece of bytes) {
    count += piece.length
    if (count > size) break
    yield piece
  }
  if (count !== size) throw new RangeError(`a member must have ${size} bytes, it has ${count < size ? count : 'more'}`)
}

/** A copy at this site. */
export function readFromStore(store: Store, name: string, signal: AbortSignal | undefined): ReadSource {
  return async function* (member, size) {
    await using open = await store.open(name, member)
    if (open.size !== size) throw new RangeError(`it must have ${size} bytes, it has ${open.size}`)
    yield* open.read(0, size, signal ? { signal } : {})
  }
}
