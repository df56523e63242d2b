/** One file: cloned where the file system can, else copied; under its final name only when it is whole. */
import { type BigIntStats, constants } from 'node:fs'
import { copyFile as cloneFile, type FileHandle, link, lstat, open, rename, rm, unlink } from 'node:fs/promises'
import { diskError } from '../../disk-error.ts'
import { TransferError } from '../../errors.ts'
import { isSameState } from '../../paths/walk-tree.ts'
import { printable } from '../../redact.ts'
import { FILE_MODE } from '../local-target.ts'
import { checkSize, openSource } from '../source-item.ts'

const { COPYFILE_EXCL, COPYFILE_FICLONE_FORCE } = constants

/** Bytes read at once; from this size on it is worth asking the file system for a clone. */
const PIECE = 1 << 20

export interface CopyJob {
  readonly source: string
  readonly target: string
  /** On the target's file system, of nothing that exists. */
  readonly temporary: string
  /** Bytes that it must have. Default: as many as it has. */
  readonly size?: number | undefined
  /** What it must belong to. */
  readonly group: number
  readonly signal?: AbortSignal | undefined
  readonly onBytes: (bytes: number) => void
}

/** @returns its size @throws TransferError, or the signal's reason; nothing is left behind */
export async function copyFile(job: CopyJob): Promise<number> {
  const { source, target, temporary, group } = job
  const from = await openSource(source)
  try {
    const before = await from.stat({ bigint: true })
    const size = Number(before.size)
    checkSize(source, size, job.size ?? size)
    if (!(size >= PIECE && (await clone(from, job, size)))) await copyBytes(from, job)
    await finish(temporary, before, group)
    checkUnchanged(source, before, await from.stat({ bigint: true }))
    await publish(temporary, target, size)
    return size
  } catch (error) {
    await rm(temporary, { force: true })
    job.signal?.throwIfAborted()
    throw diskError(error, 'copy to', target)
  } finally {
    await from.close()
  }
}

async function clone(from: FileHandle, { temporary, onBytes }: CopyJob, size: number): Promise<boolean> {
  try {
    await cloneFile(`/proc/self/fd/${from.fd}`, temporary, COPYFILE_EXCL | COPYFILE_FICLONE_FORCE)
  } catch {
    // Few file systems can. The copy says what is wrong, if anything is.
    await rm(temporary, { force: true })
    return false
  }
  onBytes(size)
  return true
}

async function copyBytes(from: FileHandle, { source, target, temporary, signal, onBytes }: CopyJob): Promise<void> {
  const buffer = Buffer.allocUnsafe(PIECE)
  const to = await open(temporary, 'wx', FILE_MODE)
  try {
    for (let at = 0; ; ) {
      signal?.throwIfAborted()
      const { bytesRead } = await from.read(buffer, 0, PIECE, at).catch(error => {
        throw diskError(error, 'read', source)
      })
      if (bytesRead === 0) break
      await writeAll(to, buffer.subarray(0, bytesRead), at).catch(error => {
        throw diskError(error, 'copy to', target)
      })
      at += bytesRead
      onBytes(bytesRead)
    }
  } finally {
    await to.close()
  }
}

async function writeAll(to: FileHandle, bytes: Uint8Array, at: number): Promise<void> {
  for (let written = 0; written < bytes.length; ) {
    written += (await to.write(bytes, written, bytes.length - written, at + written)).bytesWritten
  }
}

async function finish(temporary: string, { atimeMs, mtimeMs }: BigIntStats, group: number): Promise<void> {
  // A clone has the mode of its source, which nobody may write.
  const handle = await open(temporary, 'r')
  try {
    if ((await handle.stat()).gid !== group) await handle.chown(-1, group)
    await handle.chmod(FILE_MODE)
    await handle.utimes(Number(atimeMs) / 1000, Number(mtimeMs) / 1000)
  } finally {
    await handle.close()
  }
}

/** `link` replaces nothing. Where there are no hard links, the name was free when it was looked at. */
async function publish(temporary: string, target: string, size: number): Promise<void> {
  try {
    await link(temporary, target)
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException
    if (code === 'EEXIST') return settle(temporary, target, size)
    if (code !== 'EPERM' && code !== 'ENOTSUP' && code !== 'EOPNOTSUPP' && code !== 'ENOSYS') throw error
    return rename(temporary, target)
  }
  await unlink(temporary)
}

/** Somebody else was faster, who may have been given the same batch. */
async function settle(temporary: string, target: string, size: number): Promise<void> {
  const met = await lstat(target)
  if (!met.isFile() || met.size !== size) throw Object.assign(new Error(), { code: 'EEXIST' })
  await unlink(temporary)
}

function checkUnchanged(source: string, before: BigIntStats, after: BigIntStats): void {
  if (isSameState(before, after)) return
  const message = `Cannot copy ${printable(source)}: it must stay as it is while it is read, it was changed`
  throw new TransferError('ResourceChanged', message, { file: source })
}
