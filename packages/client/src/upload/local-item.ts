/** What lies at a local path: one file or a tree, with what tells later that it has changed. */
import { type BigIntStats, constants } from 'node:fs'
import { type FileHandle, lstat, open, readdir, realpath, stat } from 'node:fs/promises'
import { join } from 'node:path'
import { MemberNames, printable, TransferError } from '@arriero/transfer'

/** One regular file, which is the item itself or part of a tree. */
export interface Member {
  /** Relative to the item, `/`-separated; empty for an item that is one file. */
  readonly path: string
  readonly absolute: string
  readonly size: number
  /** Changes whenever the content may have. */
  readonly identity: string
}

export interface LocalItem {
  readonly kind: 'file' | 'tree'
  /** Without links. */
  readonly root: string
  readonly size: number
  /** Sorted by path. */
  readonly members: readonly Member[]
  /** Relative paths of all directories below the root, sorted: parents first. */
  readonly directories: readonly string[]
}

export interface ReadItemOptions {
  /**
   * What is made of symbolic links inside a tree. `refuse` (default): an error. `follow`: those to files are sent as the
   * files they lead to; those to directories stay an error, because the digest of a tree would pass over them in silence.
   */
  readonly links?: 'refuse' | 'follow' | undefined
  readonly signal?: AbortSignal | undefined
}

/** Looks at names and sizes; no content is read. The path itself may be a link. */
export async function readItem(path: string, options: ReadItemOptions = {}): Promise<LocalItem> {
  const root = await realpath(path).catch(cause => refuse(path, `it cannot be read (${codeOf(cause)})`, cause))
  const stats = await stat(root, { bigint: true })
  if (stats.isFile()) {
    const member = memberOf('', root, stats)
    return { kind: 'file', root, size: member.size, members: [member], directories: [] }
  }
  if (!stats.isDirectory()) return refuse(path, 'it must be a file or a directory')
  const members: Member[] = []
  const directories: string[] = []
  await walk(root, '', { members, directories }, options)
  members.sort((a, b) => (a.path < b.path ? -1 : 1))
  directories.sort()
  refuseNames(root, directories, members)
  const size = members.reduce((sum, member) => sum + member.size, 0)
  if (!Number.isSafeInteger(size)) return refuse(path, 'its files are larger than can be counted')
  return { kind: 'tree', root, size, members, directories }
}

/** However it is sent: what a librarian would refuse is refused before anything is announced. */
function refuseNames(root: string, directories: readonly string[], members: readonly Member[]): void {
  const names = new MemberNames()
  const claim = (path: string, type: 'file' | 'directory') => {
    const problem = names.claim(path, type)
    if (problem !== undefined) refuse(join(root, path), problem, undefined, RENAME)
  }
  for (const path of directories) claim(path, 'directory')
  for (const { path } of members) claim(path, 'file')
}

const RENAME = 'Rename it: a librarian takes what every file system can keep.'

interface Found {
  readonly members: Member[]
  readonly directories: string[]
}

async function walk(root: string, below: string, found: Found, options: ReadItemOptions): Promise<void> {
  options.signal?.throwIfAborted()
  const directory = join(root, below)
  // As bytes: a name that is no UTF-8 would be read as another one.
  const entries = await readdir(directory, { withFileTypes: true, encoding: 'buffer' }).catch(cause =>
    refuse(directory, `it cannot be read (${codeOf(cause)})`, cause),
  )
  for (const entry of entries) {
    const name = decode(entry.name, directory)
    const path = below === '' ? name : `${below}/${name}`
    const absolute = join(root, path)
    if (entry.isDirectory()) {
      found.directories.push(path)
      await walk(root, path, found, options)
    } else {
      found.members.push(await lookAtMember(path, absolute, options))
    }
  }
}

async function lookAtMember(path: string, absolute: string, { links = 'refuse' }: ReadItemOptions): Promise<Member> {
  let stats = await lstat(absolute, { bigint: true })
  if (stats.isSymbolicLink()) {
    if (links === 'refuse') return refuse(absolute, 'a tree must not hold symbolic links', undefined, FOLLOW)
    stats = await stat(absolute, { bigint: true }).catch(cause =>
      refuse(absolute, `this link leads nowhere (${codeOf(cause)})`, cause),
    )
    if (stats.isDirectory()) return refuse(absolute, 'a link to a directory would be left out of the tree’s digest')
  }
  if (!stats.isFile()) return refuse(absolute, 'it must be a file or a directory, not a pipe, a socket or a device')
  return memberOf(path, absolute, stats)
}

const FOLLOW = 'Replace it by what it leads to, or say --follow-links to send the files that links lead to.'

function memberOf(path: string, absolute: string, stats: BigIntStats): Member {
  const size = Number(stats.size)
  if (!Number.isSafeInteger(size)) return refuse(absolute, 'it is larger than can be counted')
  return { path, absolute, size, identity: identityOf(stats) }
}

/** ctime moves with every write, also when somebody sets mtime back. */
function identityOf({ dev, ino, size, mtimeNs, ctimeNs }: BigIntStats): string {
  return [dev, ino, size, mtimeNs, ctimeNs].join(':')
}

/** Opens a member for reading, and refuses what is not the file that was looked at. */
export async function openMember(member: Member): Promise<FileHandle> {
  const handle = await open(member.absolute, constants.O_RDONLY | (constants.O_NONBLOCK ?? 0)).catch(cause =>
    refuse(member.absolute, `it cannot be opened (${codeOf(cause)})`, cause),
  )
  if (identityOf(await handle.stat({ bigint: true })) === member.identity) return handle
  await handle.close()
  throw changed(member.absolute)
}

/** Fills `bytes` from `offset` on. @throws TransferError ResourceChanged where the file has become shorter */
export async function readMember(handle: FileHandle, member: Member, bytes: Uint8Array, offset: number): Promise<void> {
  for (let filled = 0; filled < bytes.length; ) {
    const { bytesRead } = await handle.read(bytes, filled, bytes.length - filled, offset + filled)
    if (bytesRead === 0) throw changed(member.absolute)
    filled += bytesRead
  }
}

/** Of what was read to its end: whether somebody wrote to it meanwhile. @throws TransferError ResourceChanged */
export async function assertSame(handle: FileHandle, member: Member): Promise<void> {
  if (identityOf(await handle.stat({ bigint: true })) !== member.identity) throw changed(member.absolute)
}

/** Refuses an item of which any file has changed, gone or come since `readItem` (reliability D6). */
export async function assertUnchanged(path: string, item: LocalItem, options: ReadItemOptions = {}): Promise<void> {
  const now = await readItem(path, options).catch(cause => {
    options.signal?.throwIfAborted()
    throw changed(path, cause)
  })
  const isSame =
    now.root === item.root &&
    now.members.length === item.members.length &&
    now.directories.join('\0') === item.directories.join('\0') &&
    now.members.every((member, at) => {
      const before = item.members[at]
      return member.path === before?.path && member.identity === before.identity
    })
  if (!isSame) throw changed(path)
}

export function changed(path: string, cause?: unknown): TransferError {
  return new TransferError('ResourceChanged', `Cannot upload ${printable(path)}: it changed while it was read`, {
    file: path,
    remedy: 'Upload it when nobody writes to it any more.',
    cause,
  })
}

function decode(name: Buffer, directory: string): string {
  const text = name.toString('utf8')
  if (Buffer.from(text, 'utf8').equals(name)) return text
  return refuse(join(directory, text), 'its name must be UTF-8')
}

function refuse(path: string, why: string, cause?: unknown, remedy?: string): never {
  throw new TransferError(
    cause === undefined ? 'Usage' : codeOf(cause) === 'ENOENT' ? 'NotFound' : 'Disk',
    `Cannot upload ${printable(path)}: ${why}`,
    {
      file: path,
      remedy: remedy ?? (cause === undefined ? 'Leave it out of the tree.' : 'Check the path and its permissions.'),
      cause,
    },
  )
}

function codeOf(error: unknown): string {
  return String((error as NodeJS.ErrnoException | undefined)?.code ?? error)
}
