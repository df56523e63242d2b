import { constants } from 'node:fs'
import { type FileHandle, open } from 'node:fs/promises'
import { notFound } from '../refusals.ts'
import type { OpenFile } from '../store.ts'
import { fingerprintOf } from './read-file.ts'
import { codeOf, systemError } from './system-error.ts'

const { O_DIRECTORY, O_NOFOLLOW, O_NONBLOCK, O_RDONLY } = constants

const PIECE = 1 << 20

/** Nothing there, or nothing that is a file: both are not found. */
const absent: ReadonlySet<string | undefined> = new Set(['ENOENT', 'ENOTDIR', 'ELOOP', 'ENXIO', 'ENAMETOOLONG'])

/** Opens a file below the root, segment by segment, following no link. */
export async function openFile(root: string, name: string, member: string | undefined): Promise<OpenFile> {
  const path = member === undefined ? name : `${name}/${member}`
  try {
    const handle = await openBelow(root, path.split('/'))
    const stats = await handle.stat({ bigint: true })
    if (stats.isFile()) return opened(handle, path, Number(stats.size), fingerprintOf(stats))
    await handle.close()
  } catch (error) {
    if (!absent.has(codeOf(error))) throw systemError(error, 'open', path)
  }
  throw notFound(name, member)
}

async function openBelow(root: string, segments: readonly string[]): Promise<FileHandle> {
  let here = await open(root, O_RDONLY | O_DIRECTORY)
  for (const [index, segment] of segments.entries()) {
    if (segment === '..' || segment === '.' || segment === '') throw Object.assign(new Error(), { code: 'ENOENT' })
    const kind = index === segments.length - 1 ? O_NONBLOCK : O_DIRECTORY
    const above = here
    try {
      here = await open(`/proc/self/fd/${above.fd}/${segment}`, O_RDONLY | O_NOFOLLOW | kind)
    } finally {
      await above.close()
    }
  }
  return here
}

function opened(handle: FileHandle, path: string, size: number, fingerprint: string): OpenFile {
  return {
    size,
    fingerprint,
    fd: handle.fd,
    async *read(start, end, { signal } = {}) {
      if (end > size) throw new RangeError(`Cannot read ${path}: it must have ${end} bytes, it has ${size}`)
      for (let at = start; at < end; ) {
        signal?.throwIfAborted()
        const { buffer, bytesRead } = await readPiece(handle, path, at, Math.min(PIECE, end - at))
        at += bytesRead
        yield buffer.subarray(0, bytesRead)
      }
    },
    [Symbol.asyncDispose]: () => handle.close(),
  }
}

async function readPiece(handle: FileHandle, path: string, position: number, length: number) {
  try {
    const piece = await handle.read({ buffer: Buffer.allocUnsafeSlow(length), position, length })
    if (piece.bytesRead > 0) return piece
  } catch (error) {
    throw systemError(error, 'read', path)
  }
  throw systemError(new Error(`it must have bytes at ${position}, it has none`), 'read', path)
}
