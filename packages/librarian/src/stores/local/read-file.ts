import { type BigIntStats, closeSync, constants, fstatSync, openSync, readSync } from 'node:fs'
import { allocateShared } from '@arriero/transfer/paths'
import type { Held } from './held.ts'

const { O_DIRECT, O_NOFOLLOW, O_NONBLOCK, O_RDONLY } = constants

/** Bytes read at once. */
const CHUNK = 4 << 20

/** Whether a running reading shall end. */
export type IsStopped = () => boolean

/** Without O_NONBLOCK a pipe would wait for its writer. @throws ENOENT; ELOOP for a link; ENXIO for a socket. */
export function openLeaf(directory: Held, leaf: string, flags = 0): number {
  return openSync(directory.at(leaf), O_RDONLY | O_NOFOLLOW | O_NONBLOCK | flags)
}

export function statsOf(fd: number): BigIntStats {
  return fstatSync(fd, { bigint: true })
}

/** Whether nothing that a file system notes says that somebody wrote. */
export function isUnchanged(a: BigIntStats, b: BigIntStats): boolean {
  return a.ino === b.ino && a.dev === b.dev && a.size === b.size && a.mtimeNs === b.mtimeNs && a.ctimeNs === b.ctimeNs
}

/** Changes whenever a file's bytes may have: an observer that reads it twice has the same bytes (librarian 6.5). */
export function fingerprintOf({ ino, size, mtimeNs, ctimeNs }: BigIntStats): string {
  return `${ino}:${size}:${mtimeNs}:${ctimeNs}`
}

/** Page-aligned, as O_DIRECT wants it; one for each thread. */
export function alignedBuffer(): Uint8Array {
  return new Uint8Array(allocateShared(CHUNK))
}

/** Thrown through a reading that was stopped. */
export class Stopped extends Error {}

/**
 * Hands the first `size` bytes of an open file to `take`, in order; every piece but the last fills the buffer.
 *
 * @returns how many there were: fewer, when the file has become shorter
 */
export function readThrough(
  fd: number,
  size: number,
  buffer: Uint8Array,
  take: (bytes: Uint8Array) => void,
  isStopped: IsStopped = () => false,
): number {
  let at = 0
  while (at < size) {
    if (isStopped()) throw new Stopped()
    const count = fill(fd, at, buffer, Math.min(buffer.length, size - at))
    if (count === 0) break
    take(buffer.subarray(0, count))
    at += count
  }
  return at
}

/** What is asked for is a multiple of this: O_DIRECT takes whole blocks only, and holds every page of what it is asked for. */
const BLOCKS = 64 << 10

function fill(fd: number, at: number, buffer: Uint8Array, wanted: number): number {
  let filled = 0
  while (filled < wanted) {
    const asked = Math.min(buffer.length - filled, Math.ceil((wanted - filled) / BLOCKS) * BLOCKS)
    const count = readSync(fd, buffer, filled, asked, at + filled)
    if (count === 0) break
    filled += count
  }
  return Math.min(filled, wanted)
}

/** Something that was opened, whatever it is; closed at the end of its scope. */
export interface OpenedToRead extends Disposable {
  readonly fd: number
  readonly stats: BigIntStats
  /** Past the page cache. */
  readonly isDirect: boolean
}

/** @param isDirect past the page cache, where that is to be had */
export function openToRead(directory: Held, leaf: string, isDirect = false): OpenedToRead {
  const direct = isDirect ? openDirectly(directory, leaf) : undefined
  const fd = direct ?? openLeaf(directory, leaf)
  try {
    const stats = statsOf(fd)
    return { fd, stats, isDirect: direct !== undefined, [Symbol.dispose]: () => closeSync(fd) }
  } catch (error) {
    closeSync(fd)
    throw error
  }
}

/** Undefined: its file system takes no such reading. */
function openDirectly(directory: Held, leaf: string): number | undefined {
  try {
    return openLeaf(directory, leaf, O_DIRECT)
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'EINVAL') return undefined
    throw error
  }
}
