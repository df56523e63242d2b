/**
 * Where a path from a manifest, a listing or a peer lands below a directory that the user chose. What the user types is
 * trusted and never comes here; what anybody else says is parsed to segments and refused, never cleaned up silently
 * (retrieval 13.3, reliability 6 and F2).
 */

import { lstat, realpath } from 'node:fs/promises'
import { dirname, join, resolve, sep } from 'node:path'
import { TransferError } from '../errors.ts'
import { MAX_NAME_BYTES, utf8Length } from './bytes.ts'
import { findUnsafeCharacter, printable } from './characters.ts'
import { isReservedName } from './reserved.ts'

/** Longest relative path, in bytes of UTF-8. */
const MAX_PATH_BYTES = 4096

/**
 * The absolute path of `relativePath` below `directory`. The path is `/`-separated and already decoded.
 * Looks at names only; `assertInside` looks at symbolic links.
 *
 * @throws TransferError PathUnsafe, naming what was met.
 * @example
 * ```ts
 * resolveTarget('/data', 'run 1/a.fits') // '/data/run 1/a.fits'
 * resolveTarget('/data', '../a.fits') // throws: … must not contain "..", …
 * ```
 */
export function resolveTarget(directory: string, relativePath: string): string {
  const problem = pathProblem(relativePath)
  if (problem !== undefined) throw unsafe(relativePath, problem)
  const root = resolve(directory)
  const target = join(root, relativePath)
  if (!isBelow(root, target)) throw unsafe(relativePath, `it must lie inside ${printable(root)}`)
  return target
}

/** What forbids the path, as the end of a sentence; undefined when it is safe. */
export function pathProblem(path: string): string | undefined {
  if (path === '') return 'it must not be empty'
  if (utf8Length(path) > MAX_PATH_BYTES) {
    return `it must have at most ${MAX_PATH_BYTES} bytes, got ${utf8Length(path)}`
  }
  if (path.startsWith('/')) return 'it must be relative, got an absolute path'
  const segments = path.split('/')
  if (/^[a-z]:/i.test(path)) return `it must not begin with a drive letter, got ${show(path.slice(0, 2))}`
  if (path === '~' || (path.startsWith('~') && segments.length > 1)) {
    return `it must not begin with a home directory, got ${show(segments[0]!)}`
  }
  for (const segment of segments) {
    const problem = segmentProblem(segment)
    if (problem !== undefined) return problem
  }
  return undefined
}

function segmentProblem(segment: string): string | undefined {
  if (segment === '') return 'it must not have an empty segment'
  if (segment === '.' || segment === '..') return `it must not contain "${segment}" as a segment`
  const character = findUnsafeCharacter(segment)
  if (character !== undefined) return `it must not contain control or bidi characters, got ${character}`
  if (segment.includes('\\')) return `it must not contain a backslash, got ${show(segment)}`
  if (!segment.isWellFormed()) return 'it must be well-formed Unicode, got a lone surrogate'
  const end = segment[segment.length - 1]
  if (end === '.' || end === ' ') return `no segment may end with a dot or a space, got ${show(segment)}`
  if (isReservedName(segment)) return `no segment may be a reserved device name, got ${show(segment)}`
  // A UTF-16 unit takes at most three bytes: most segments need no counting.
  if (segment.length * 3 > MAX_NAME_BYTES && utf8Length(segment) > MAX_NAME_BYTES) {
    return `a segment must have at most ${MAX_NAME_BYTES} bytes, got ${utf8Length(segment)}`
  }
  return undefined
}

/**
 * Refuses a target whose deepest existing parent leads, through symbolic links, outside `directory`. The links on the way
 * to `directory` itself are the user's and trusted; a link at the target itself is replaced by the commit, not followed.
 * This is a check and not a lock: who may write below `directory` can still swap a directory afterwards, so a server holds
 * a directory descriptor as well (reliability 7, rule 8).
 *
 * @throws TransferError PathUnsafe; Disk when a parent cannot be looked at.
 */
export async function assertInside(directory: string, target: string): Promise<void> {
  const root = resolve(directory)
  const real = await realPathIfAny(root, root)
  if (real === undefined) return
  for (let parent = dirname(resolve(target)); isBelow(root, parent); parent = dirname(parent)) {
    const realParent = await realPathIfAny(parent, target)
    if (realParent === undefined) continue
    if (realParent === real || isBelow(real, realParent)) return
    throw unsafe(target, `the symbolic link in ${printable(parent)} leads outside ${printable(root)}`)
  }
}

/** Undefined when nothing is there. A dangling link is something: making directories below it would follow it. */
async function realPathIfAny(path: string, target: string): Promise<string | undefined> {
  try {
    return await realpath(path)
  } catch (error) {
    if (codeOf(error) !== 'ENOENT') throw disk(target, path, error)
  }
  try {
    // Another file of the run may have made the directory since: then this is where it leads.
    if (!(await lstat(path)).isSymbolicLink()) return await realpath(path)
  } catch (error) {
    if (codeOf(error) === 'ENOENT') return undefined
    throw disk(target, path, error)
  }
  throw unsafe(target, `${printable(path)} is a symbolic link that leads nowhere`)
}

function isBelow(root: string, path: string): boolean {
  return path.startsWith(root.endsWith(sep) ? root : root + sep) && path.length > root.length
}

function codeOf(error: unknown): unknown {
  return error instanceof Error && 'code' in error ? error.code : undefined
}

function disk(target: string, path: string, cause: unknown): TransferError {
  const message = `Cannot look at ${printable(path)}, a parent of ${printable(target)}: ${String(codeOf(cause))}`
  return new TransferError('Disk', message, { file: target, cause })
}

function unsafe(path: string, problem: string): TransferError {
  return new TransferError('PathUnsafe', `Cannot write to ${show(path)}: ${problem}`, { file: path })
}

function show(text: string): string {
  const shown = printable(text)
  return `"${shown.length > 100 ? `${shown.slice(0, 99)}…` : shown}"`
}
