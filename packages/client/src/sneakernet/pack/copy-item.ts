import { mkdir, open } from 'node:fs/promises'
import { join } from 'node:path'
import { TransferError } from '@arriero/transfer'
import { assertSame, type LocalItem, type Member, openMember, readMember } from '../../upload/local-item.ts'
import { syncDirectory, writeAll } from '../disk/durable.ts'
import { diskTrouble } from '../disk/trouble.ts'

const PIECE = 4 << 20

export interface CopyItemOptions {
  readonly signal: AbortSignal
  readonly onBytes: (count: number) => void
}

/** Onto the disk, durable file by file; the names in it are durable as well. What is there at the target is an error. */
export async function copyItem(item: LocalItem, target: string, options: CopyItemOptions): Promise<void> {
  if (item.kind === 'file') return await copyMember(item.members[0]!, target, options)
  await onDisk(target, async () => {
    for (const path of ['', ...item.directories]) await mkdir(join(target, path))
  })
  for (const member of item.members) await copyMember(member, join(target, member.path), options)
  await onDisk(target, async () => {
    for (const path of [...item.directories].reverse()) await syncDirectory(join(target, path))
    await syncDirectory(target)
  })
}

async function copyMember(member: Member, target: string, { signal, onBytes }: CopyItemOptions): Promise<void> {
  const source = await openMember(member)
  try {
    const sink = await onDisk(target, () => open(target, 'wx', 0o644))
    try {
      for (let at = 0; at < member.size; ) {
        signal.throwIfAborted()
        const piece = Buffer.allocUnsafe(Math.min(PIECE, member.size - at))
        await fromSource(member, () => readMember(source, member, piece, at))
        await onDisk(target, () => writeAll(sink, piece))
        at += piece.length
        onBytes(piece.length)
      }
      await fromSource(member, () => assertSame(source, member))
      // The first that hears of a disk that is full, or gone, may be this one.
      await onDisk(target, () => sink.sync())
    } finally {
      await onDisk(target, () => sink.close())
    }
  } finally {
    await source.close()
  }
}

async function onDisk<T>(path: string, act: () => Promise<T>): Promise<T> {
  try {
    return await act()
  } catch (error) {
    throw diskTrouble(error, 'write', path)
  }
}

async function fromSource<T>(member: Member, act: () => Promise<T>): Promise<T> {
  try {
    return await act()
  } catch (cause) {
    if (cause instanceof TransferError) throw cause
    const { code } = cause as NodeJS.ErrnoException
    throw new TransferError('Disk', `Cannot read ${member.absolute}: ${code ?? (cause as Error).message}`, {
      file: member.absolute,
      reason: 'source',
      cause,
    })
  }
}
