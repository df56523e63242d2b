/** The method `local`: this machine sees the librarian's staging area and copies into it (librarian 8). */
import { constants } from 'node:fs'
import { access, chmod, copyFile, type FileHandle, lchown, mkdir, open, rm, stat, statfs } from 'node:fs/promises'
import { hostname } from 'node:os'
import { dirname, join } from 'node:path'
import { TransferError } from '@arriero/transfer'
import { type LocalItem, type Member, openMember } from './local-item.ts'

/** As the older client leaves them, so that a server without root can read and remove what it was given. */
const FILE_MODE = 0o664
const DIRECTORY_MODE = 0o775
const PIECE = 4 << 20

/**
 * Whether copying into the staging location can work here: the server names this host, and the directory that it has just
 * made for this upload is here and can be written. Its name is new and random: no other directory has it.
 */
export async function isLocallyVisible(hostnames: readonly string[], stagingLocation: string): Promise<boolean> {
  if (!hostnames.includes(hostname())) return false
  try {
    const parent = dirname(stagingLocation)
    await access(parent, constants.W_OK | constants.X_OK)
    return (await stat(parent)).isDirectory()
  } catch {
    return false
  }
}

export interface CopyOptions {
  readonly signal: AbortSignal
  readonly onBytes: (count: number) => void
}

/** Copies the item to the staging location; what an earlier attempt left there is replaced. */
export async function copyLocally(item: LocalItem, stagingLocation: string, options: CopyOptions): Promise<void> {
  try {
    const { gid } = await stat(dirname(stagingLocation))
    await rm(stagingLocation, { recursive: true, force: true })
    if (item.kind === 'tree') {
      for (const path of ['', ...item.directories]) await makeDirectory(join(stagingLocation, path), gid)
    }
    for (const member of item.members) {
      await copyMember(
        member,
        item.kind === 'tree' ? join(stagingLocation, member.path) : stagingLocation,
        gid,
        options,
      )
    }
  } catch (cause) {
    options.signal.throwIfAborted()
    if (cause instanceof TransferError) throw cause
    const { code } = cause as NodeJS.ErrnoException
    throw new TransferError(
      code === 'ENOSPC' || code === 'EDQUOT' ? 'NoSpace' : 'Disk',
      `Cannot copy ${item.root} to the staging location ${stagingLocation}: ${(cause as Error).message}`,
      { file: item.root, cause, remedy: code === 'ENOSPC' || code === 'EDQUOT' ? ROOM : ACCESS },
    )
  }
}

const ACCESS = 'Check that this account may write to the librarian’s staging area.'
const ROOM =
  'There must be room for the staged copy and for the store’s own (unless its file system shares blocks); tell the operator.'

async function makeDirectory(path: string, gid: number): Promise<void> {
  await mkdir(path)
  await chmod(path, DIRECTORY_MODE)
  await giveToGroup(path, gid)
}

/** Without the right to give files to this group they keep ours; the server may still read them. */
async function giveToGroup(path: string, gid: number): Promise<void> {
  if (process.getuid === undefined) return
  await lchown(path, process.getuid(), gid).catch((error: NodeJS.ErrnoException) => {
    if (error.code !== 'EPERM') throw error
  })
}

async function copyMember(member: Member, target: string, gid: number, options: CopyOptions): Promise<void> {
  const source = await openMember(member)
  try {
    if (!(await clone(member, target))) {
      await refuseWithoutRoom(member, target)
      await copyBytes(source, member, target, options)
    } else options.onBytes(member.size)
    await chmod(target, FILE_MODE)
    await giveToGroup(target, gid)
  } finally {
    await source.close()
  }
}

/** Before bytes are copied that cannot all arrive. */
async function refuseWithoutRoom({ absolute, size }: Member, target: string): Promise<void> {
  const { bavail, bsize } = await statfs(dirname(target))
  const free = bavail * bsize
  if (free >= size) return
  throw new TransferError(
    'NoSpace',
    `Cannot copy ${absolute} to the staging area: it has ${size} bytes, ${free} are free there`,
    { file: absolute, needed: size, free, remedy: ROOM },
  )
}

/** Shares the blocks where the file system can; false where it cannot. */
async function clone(member: Member, target: string): Promise<boolean> {
  try {
    await copyFile(member.absolute, target, constants.COPYFILE_FICLONE_FORCE | constants.COPYFILE_EXCL)
    return true
  } catch {
    // Whatever the reason: copying the bytes says it better.
    await rm(target, { force: true })
    return false
  }
}

async function copyBytes(source: FileHandle, member: Member, target: string, options: CopyOptions): Promise<void> {
  const sink = await open(target, 'wx', 0o600)
  try {
    const buffer = Buffer.allocUnsafe(Math.min(PIECE, Math.max(1, member.size)))
    for (let at = 0; at < member.size; ) {
      options.signal.throwIfAborted()
      const { bytesRead } = await source.read(buffer, 0, Math.min(buffer.length, member.size - at), at)
      if (bytesRead === 0)
        throw new TransferError('ResourceChanged', `Cannot copy ${member.absolute}: it became shorter`)
      for (let done = 0; done < bytesRead; ) {
        done += (await sink.write(buffer, done, bytesRead - done, at + done)).bytesWritten
      }
      at += bytesRead
      options.onBytes(bytesRead)
    }
  } finally {
    await sink.close()
  }
}
