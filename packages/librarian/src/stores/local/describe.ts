import { createHash } from 'node:crypto'
import { closeSync, readdirSync } from 'node:fs'
import {
  createPathHasher,
  describeTree,
  digestBytesBy,
  type PathDigests,
  type PathFunction,
  printable,
  type TreeMember,
} from '@arriero/transfer/paths'
import type { Challenge } from '../challenge.ts'
import type { Context } from './context.ts'
import type { Held } from './held.ts'
import {
  fingerprintOf,
  isUnchanged,
  type OpenedToRead,
  openLeaf,
  openToRead,
  readThrough,
  statsOf,
} from './read-file.ts'

export interface Description {
  readonly kind: 'file' | 'tree'
  readonly size: number
  /** As librarians exchange them. */
  readonly digests: PathDigests
  /** Of the bytes, or of the manifest. */
  readonly sha256: string
  readonly manifest: string | undefined
  readonly fingerprint: string
  readonly isDirect: boolean
}

/** What is there is no content that a store keeps: a link, a pipe, a name that is no UTF-8; or it moves under our eyes. */
export class Strange extends Error {}

export interface DescribeOptions {
  readonly functions: readonly PathFunction[]
  readonly isDirect?: boolean
  /** Takes what is read of a file; trees that are challenged are for `describeInOrder`. */
  readonly challenge?: Challenge | undefined
}

/** Reads everything under a leaf in full. @throws ENOENT, EIO; Strange; Stopped. */
export function describe(directory: Held, leaf: string, options: DescribeOptions, context: Context): Description {
  const functions = options.functions.includes('sha256') ? options.functions : [...options.functions, 'sha256' as const]
  // What it is says the open file: to look first would be one more call for each of millions.
  using opened = openToRead(directory, leaf, options.isDirect)
  if (opened.stats.isDirectory()) return describeDirectory(directory, leaf, { ...options, functions }, context)
  const file = describeFile(opened, { ...options, functions }, context)
  return { kind: 'file', ...file, sha256: file.digests.sha256!, manifest: undefined }
}

/** Of a tree, from what the file system notes of its members: as good as theirs, without reading them. */
export function fingerprintAt(directory: Held, leaf: string): string {
  const met = directory.lookClosely(leaf)
  if (met?.isFile()) return fingerprintOf(met)
  if (!met?.isDirectory()) return ofFile(directory, leaf)
  using top = directory.enter(leaf)
  const lines: string[] = []
  const walk = (here: Held, below: string) => {
    for (const name of readdirSync(here.path).sort()) {
      if (here.look(name)?.isDirectory()) {
        lines.push(`${below}${name}/`)
        using inside = here.enter(name)
        walk(inside, `${below}${name}/`)
      } else lines.push(`${below}${name} ${ofFile(here, name)}`)
    }
  }
  walk(top, '')
  return fingerprintOfTree(lines)
}

function ofFile(directory: Held, leaf: string): string {
  const fd = openLeaf(directory, leaf)
  try {
    return fingerprintOf(statsOf(fd))
  } finally {
    closeSync(fd)
  }
}

export function fingerprintOfTree(lines: readonly string[]): string {
  return createHash('sha256').update(lines.join('\n')).digest('hex').slice(0, 32)
}

interface DescribedFile {
  readonly size: number
  readonly digests: PathDigests
  readonly fingerprint: string
  readonly isDirect: boolean
}

/** @param member its path, where it is part of a tree */
function describeFile(
  { fd, stats, isDirect }: OpenedToRead,
  { functions, challenge }: DescribeOptions,
  context: Context,
  member?: string,
): DescribedFile {
  if (!stats.isFile()) throw new Strange('it is neither a file nor a directory')
  const size = Number(stats.size)
  if (member !== undefined) challenge?.begin(member, size)
  const digests = digestFile(fd, size, functions, context, challenge && (bytes => challenge.take(bytes)))
  if (!isUnchanged(stats, statsOf(fd))) throw new Strange('it was changed while it was read')
  return { size, digests, fingerprint: fingerprintOf(stats), isDirect }
}

/** Small files without the cost of running digests. */
export function digestFile(
  fd: number,
  size: number,
  functions: readonly PathFunction[],
  { buffer, isStopped }: Pick<Context, 'buffer' | 'isStopped'>,
  alsoTake: (bytes: Uint8Array) => void = () => {},
): PathDigests {
  if (size <= buffer.length) {
    let whole: Uint8Array = new Uint8Array()
    readThrough(fd, size, buffer, bytes => (whole = bytes), isStopped)
    alsoTake(whole)
    return digestBytesBy(functions, whole)
  }
  const hasher = createPathHasher(functions)
  const take = (bytes: Uint8Array) => {
    alsoTake(bytes)
    hasher.update(bytes)
  }
  readThrough(fd, size, buffer, take, isStopped)
  return hasher.digests()
}

function describeDirectory(directory: Held, leaf: string, options: DescribeOptions, context: Context): Description {
  using top = directory.enter(leaf)
  const members: TreeMember[] = []
  const lines: string[] = []
  let isDirect = true
  const walk = (here: Held, below: string) => {
    const before = statsOf(here.fd)
    for (const name of namesIn(here, below)) {
      const path = `${below}${name}`
      if (here.look(name)?.isDirectory()) {
        members.push({ path, type: 'directory' })
        lines.push(`${path}/`)
        using inside = here.enter(name)
        walk(inside, `${path}/`)
      } else {
        const { fingerprint, ...file } = describeMember(here, name, path, options, context)
        members.push({ path, type: 'file', ...file })
        lines.push(`${path} ${fingerprint}`)
        isDirect &&= file.isDirect
      }
    }
    if (!isUnchanged(before, statsOf(here.fd))) throw new Strange(`${printable(below)} was changed while it was read`)
  }
  walk(top, '')
  const tree = describeTree(members, options.functions)
  return { kind: 'tree', ...tree, fingerprint: fingerprintOfTree(lines), isDirect: isDirect && members.length > 0 }
}

export function describeMember(
  here: Held,
  name: string,
  path: string,
  options: DescribeOptions,
  context: Context,
): DescribedFile {
  try {
    using opened = openToRead(here, name, options.isDirect)
    return describeFile(opened, options, context, path)
  } catch (error) {
    if (error instanceof Strange) throw new Strange(`${printable(path)}: ${error.message}`)
    // A system error names only the descriptor that it met.
    throw error instanceof Error ? Object.assign(error, { member: path }) : error
  }
}

export function namesIn(here: Held, below: string): string[] {
  return readdirSync(here.path, { encoding: 'buffer' })
    .map(raw => {
      const name = raw.toString()
      if (!Buffer.from(name).equals(raw)) throw new Strange(`${printable(below + name)} is no UTF-8`)
      return name
    })
    .sort()
}
