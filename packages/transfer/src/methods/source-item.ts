/** The sender's side of an item, looked at before a byte moves: what is no file and no directory is never sent. */
import { constants } from 'node:fs'
import { type FileHandle, lstat, open } from 'node:fs/promises'
import { join } from 'node:path'
import { diskError } from '../disk-error.ts'
import { TransferError } from '../errors.ts'
import type { MethodItem } from '../method.ts'
import { unsafe, type WalkedEntry, walkTree } from '../paths/walk-tree.ts'
import { printable } from '../redact.ts'

/** What is done, for messages. */
const COPY = 'copy'

export interface SourceTree {
  readonly entries: readonly WalkedEntry[]
  checkUnchanged(): Promise<void>
}

/**
 * Everything in a tree.
 *
 * @throws TransferError NotFound, PathUnsafe for links, pipes and devices, Disk
 */
export async function walkSource(source: string, signal?: AbortSignal): Promise<SourceTree> {
  if (!(await look(source)).isDirectory()) throw wrongKind(source, true)
  return walkTree(source, { links: 'refuse', signal, purpose: COPY })
}

/** The caller closes it. @throws TransferError NotFound, PathUnsafe for what is no file, Disk */
export async function openSource(source: string): Promise<FileHandle> {
  const { O_RDONLY, O_NOFOLLOW, O_NONBLOCK } = constants
  // Without O_NONBLOCK a pipe would wait for its writer.
  const handle = await open(source, O_RDONLY | O_NOFOLLOW | O_NONBLOCK).catch(error => {
    throw isNoFile(error) ? unsafe(source, 'is none', COPY) : readFailure(error, source)
  })
  const stats = await handle.stat()
  if (stats.isFile()) return handle
  await handle.close()
  throw stats.isDirectory() ? wrongKind(source, false) : unsafe(source, 'is none', COPY)
}

/**
 * For methods whose bytes are moved by another program, which would pass over what is no file.
 *
 * @throws TransferError as above; SizeMismatch when it is not as large as it should be
 */
export async function examine({ source, size, isTree }: MethodItem, signal?: AbortSignal): Promise<void> {
  if (!isTree) {
    const stats = await look(source)
    if (stats.isDirectory()) throw wrongKind(source, false)
    if (!stats.isFile()) throw unsafe(source, 'is none', COPY)
    return checkSize(source, stats.size, size)
  }
  let total = 0
  for (const { path, type } of (await walkSource(source, signal)).entries) {
    if (type === 'file') total += (await look(join(source, path))).size
  }
  checkSize(source, total, size)
}

export function checkSize(source: string, actual: number, expected: number): void {
  if (actual === expected) return
  const message = `Cannot copy ${printable(source)}: it must have ${expected} bytes, it has ${actual}`
  throw new TransferError('SizeMismatch', message, { file: source, expected: `${expected}`, actual: `${actual}` })
}

async function look(source: string) {
  return lstat(source).catch(error => {
    throw readFailure(error, source)
  })
}

function isNoFile({ code }: NodeJS.ErrnoException): boolean {
  return code === 'ELOOP' || code === 'ENXIO'
}

function wrongKind(source: string, isTree: boolean): TransferError {
  const [wanted, met] = isTree ? ['a directory', 'a file'] : ['a file', 'a directory']
  const message = `Cannot copy ${printable(source)}: ${wanted} is needed, it is ${met}`
  return new TransferError('PathUnsafe', message, { file: source })
}

function readFailure(cause: NodeJS.ErrnoException, source: string): TransferError {
  if (cause.code !== 'ENOENT') return diskError(cause, 'copy', source)
  return new TransferError('NotFound', `Cannot copy ${printable(source)}: there is no such file`, {
    file: source,
    cause,
  })
}
