/** A file on a disk, held to what is signed of it: every byte is read (reliability G4). */
import { realpath } from 'node:fs/promises'
import { join } from 'node:path'
import { checksumsMatch, parseChecksum } from '@arriero/api'
import { digestPath, resolveTarget, TransferError } from '@arriero/transfer'
import { type LocalItem, readItem } from '../../upload/local-item.ts'
import type { CarriedItem } from '../bag/item.ts'

/** @param data without links @throws TransferError NotFound, PathUnsafe, SizeMismatch, ChecksumMismatch, Disk */
export async function checkItem(item: CarriedItem, data: string, signal: AbortSignal): Promise<LocalItem> {
  const path = resolveTarget(data, item.name)
  const real = await realpath(path).catch(cause => {
    const { code } = cause as NodeJS.ErrnoException
    if (code !== 'ENOENT' && code !== 'ENOTDIR') throw new TransferError('Disk', `cannot be read: ${code}`, { cause })
    throw new TransferError('NotFound', 'is not on the disk', { file: path, cause, remedy: ASK })
  })
  if (real.normalize('NFC') !== join(data, item.name).normalize('NFC')) {
    throw new TransferError('PathUnsafe', 'is a link on the disk, not a file', { file: path, remedy: ASK })
  }
  const found = await readItem(path, { signal })
  if (found.kind !== item.kind) {
    throw new TransferError('ChecksumMismatch', `must be a ${item.kind}, is a ${found.kind} on the disk`, {
      file: path,
      remedy: ASK,
    })
  }
  if (found.size !== item.size) {
    throw new TransferError('SizeMismatch', `must have ${item.size} bytes, has ${found.size} on the disk`, {
      file: path,
      remedy: ASK,
    })
  }
  const { function: name } = parseChecksum(item.checksum)
  const { sha256, digests } = await digestPath(path, { functions: [name], links: 'refuse', signal })
  if (sha256 === item.sha256 && checksumsMatch(`${name}:::${digests[name]}`, item.checksum)) return found
  throw new TransferError('ChecksumMismatch', `must have SHA-256 ${item.sha256}, has ${sha256} on the disk`, {
    file: path,
    algorithm: 'sha256',
    expected: item.sha256,
    actual: sha256,
    remedy: ASK,
  })
}

const ASK = 'Take what the other copies of the disk have, or ask for this file again: the source keeps it.'
