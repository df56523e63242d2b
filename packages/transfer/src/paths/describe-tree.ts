import { digestBytesBy, type PathDigests, type PathFunction } from './path-digests.ts'

/** One entry of a tree: a file with its digests, or a directory. */
export type TreeMember =
  | {
      /** Below the tree's top, with `/`. */
      readonly path: string
      readonly type: 'file'
      readonly size: number
      /** By every function that the tree is to be described with, and SHA-256. */
      readonly digests: PathDigests
    }
  | { readonly path: string; readonly type: 'directory' }

/** Members, sizes and digests of a directory. */
export interface TreeDescription {
  /** Bytes of all files. */
  readonly size: number
  /** By function: what librarians exchange, which knows no names (librarian 6.3). */
  readonly digests: PathDigests
  /**
   * The canonical manifest (reliability 1): a line of JSON for each member but the top, `{"path","type","size","sha256"}`,
   * a directory without the last two; sorted by the bytes of the path.
   */
  readonly manifest: string
  /** Hex, of the manifest: what a tree is known by. */
  readonly sha256: string
}

/**
 * What a tree is, from what its members are, in whatever order they come.
 *
 * @throws Error where a member lacks a digest that was asked for. Needs `loadPathFunctions`.
 */
export function describeTree(members: readonly TreeMember[], functions: Iterable<PathFunction>): TreeDescription {
  const digests = Array.from(functions, name => [name, wireDigest(members, name)] as const)
  const manifest = manifestOf(members)
  return {
    size: members.reduce((sum, member) => sum + (member.type === 'file' ? member.size : 0), 0),
    digests: Object.fromEntries(digests),
    manifest,
    sha256: digestBytesBy(['sha256'], Buffer.from(manifest)).sha256!,
  }
}

function wireDigest(members: readonly TreeMember[], name: PathFunction): string {
  const hex = members.flatMap(member => (member.type === 'file' ? [digestOf(member, name)] : []))
  return digestBytesBy([name], Buffer.from(hex.sort().join(''), 'ascii'))[name]!
}

function manifestOf(members: readonly TreeMember[]): string {
  const lines = members.map(member => ({ raw: Buffer.from(member.path), line: lineOf(member) }))
  return lines
    .sort((a, b) => Buffer.compare(a.raw, b.raw))
    .map(({ line }) => `${line}\n`)
    .join('')
}

function lineOf(member: TreeMember): string {
  const { path, type } = member
  return JSON.stringify(
    type === 'directory' ? { path, type } : { path, type, size: member.size, sha256: digestOf(member, 'sha256') },
  )
}

function digestOf(member: TreeMember & { type: 'file' }, name: PathFunction): string {
  const hex = member.digests[name]
  if (hex === undefined) throw new Error(`Cannot describe a tree: ${member.path} must have a ${name}, it has none`)
  return hex
}
