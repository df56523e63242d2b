/** The bytes of a copy as another store takes them in: a file as it is, a tree as an archive. */
import { type ArchiveEntry, ArchivePlan } from '@arriero/transfer'
import type { Store } from '../../stores/store.ts'
import { parseContents } from '../data/tree-members.ts'

/** Reading the source failed, and not writing what came of it. */
export class SourceTrouble extends Error {
  constructor(cause: unknown) {
    super(cause instanceof Error ? cause.message : String(cause), { cause })
  }
}

export interface CopiedFile {
  readonly name: string
  readonly size: number
  /** Of a tree: its canonical manifest. */
  readonly manifest: string | undefined
}

/** How many bytes `copyBytes` gives. */
export function copiedSize({ size, manifest }: CopiedFile): number {
  return manifest === undefined ? size : planOf(manifest).size
}

/** @throws SourceTrouble; the signal's reason */
export async function* copyBytes(
  store: Store,
  { name, size, manifest }: CopiedFile,
  signal?: AbortSignal,
): AsyncGenerator<Uint8Array> {
  try {
    if (manifest === undefined) yield* range(store, { name, start: 0, end: size }, signal)
    else yield* archive(store, name, planOf(manifest), signal)
  } catch (error) {
    if (signal?.aborted) throw signal.reason
    throw new SourceTrouble(error)
  }
}

function planOf(manifest: string): ArchivePlan {
  const { members, directories } = parseContents(manifest)
  const entries: ArchiveEntry[] = [
    ...directories.map(path => ({ path, type: 'directory' as const, size: 0 })),
    ...[...members.values()].map(({ path, size }) => ({ path, type: 'file' as const, size })),
  ]
  return new ArchivePlan(entries)
}

async function* archive(store: Store, name: string, plan: ArchivePlan, signal?: AbortSignal) {
  for (const part of plan.parts(0, plan.size)) {
    if ('bytes' in part) yield part.bytes
    else yield* range(store, { name, member: plan.entries[part.entry]!.path, start: part.start, end: part.end }, signal)
  }
}

interface Range {
  readonly name: string
  readonly member?: string
  readonly start: number
  readonly end: number
}

async function* range(store: Store, { name, member, start, end }: Range, signal?: AbortSignal) {
  await using file = await store.open(name, member)
  yield* file.read(start, end, signal ? { signal } : {})
}
