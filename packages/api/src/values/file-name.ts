/**
 * Names of files: relative, `/`-separated, the same on every system that a data set may travel to. A name that breaks a
 * rule is refused and never cleaned up silently (reliability 6, first two rows, and F2).
 */
import { LibrarianError } from '../errors.ts'
import { findUnsafeCharacter, printable } from './characters.ts'

/** Longest name in the catalogue, in characters (librarian 3.1). */
export const MAX_NAME_CHARACTERS = 256

/** Longest part between two slashes that common filesystems take, in bytes of UTF-8. */
export const MAX_PART_BYTES = 255

/** What stores keep for themselves begins like this, in any case: the root of every store is known by it. */
const OURS = '.arriero'

/** Device names that Windows keeps for itself, with any extension. */
const RESERVED = /^(?:con|prn|aux|nul|conin\$|conout\$|(?:com|lpt)[0-9¹²³]) *(?:\.|:|$)/i

const encoder = new TextEncoder()

/**
 * The name, unchanged, if it may name a file.
 *
 * @throws LibrarianError BadName, with the rule and what was met.
 * @example
 * ```ts
 * parseFileName('night 1/a.fits') // 'night 1/a.fits'
 * parseFileName('../a.fits') // throws: Cannot use the name "../a.fits": it must not contain ".." as a part
 * ```
 */
export function parseFileName(name: string): string {
  const problem = fileNameProblem(name)
  if (problem === undefined) return name
  throw new LibrarianError('BadName', `Cannot use the name "${shown(name)}": ${problem}`)
}

/** The last part of a name, where a single one is asked for (`upload_name`). @throws LibrarianError BadName */
export function parsePartName(name: string): string {
  if (!name.includes('/')) return parseFileName(name)
  throw new LibrarianError('BadName', `Cannot use the name "${shown(name)}": it must be a single part, without "/"`)
}

/** What forbids the name, as the end of a sentence; undefined when it is good. */
export function fileNameProblem(name: string): string | undefined {
  if (name === '') return 'it must not be empty'
  const characters = [...name].length
  if (characters > MAX_NAME_CHARACTERS) {
    return `it must have at most ${MAX_NAME_CHARACTERS} characters, got ${characters}`
  }
  if (!name.isWellFormed()) return 'it must be well-formed Unicode, got a lone surrogate'
  if (name.normalize('NFC') !== name) return 'it must be in Unicode normal form C (NFC)'
  if (name.startsWith('/')) return 'it must be relative, got an absolute path'
  if (/^[a-z]:/i.test(name)) return 'it must not begin with a drive letter'
  const parts = name.split('/')
  if (name.startsWith('~') && (name === '~' || parts.length > 1)) return 'it must not begin with a home directory'
  for (const part of parts) {
    const problem = partProblem(part)
    if (problem !== undefined) return problem
  }
  return undefined
}

function partProblem(part: string): string | undefined {
  if (part === '') return 'it must not have an empty part'
  if (part === '.' || part === '..') return `it must not contain "${part}" as a part`
  if (part.toLowerCase().startsWith(OURS)) {
    return `it must have no part that begins with "${OURS}", which stores keep for themselves`
  }
  const character = findUnsafeCharacter(part)
  if (character !== undefined) return `it must not contain control or bidi characters, got ${character}`
  if (part.includes('\\')) return 'it must not contain a backslash'
  const end = part.at(-1)
  if (end === '.' || end === ' ') return `no part may end with a dot or a space, got "${part}"`
  if (RESERVED.test(part)) return `no part may be a reserved device name, got "${part}"`
  const bytes = encoder.encode(part).length
  return bytes > MAX_PART_BYTES ? `a part must have at most ${MAX_PART_BYTES} bytes, got ${bytes}` : undefined
}

/** Whether one of two names is the other, or lies inside it: both cannot be kept (librarian Q21). */
export function nestsWith(a: string, b: string): boolean {
  return a === b || a.startsWith(`${b}/`) || b.startsWith(`${a}/`)
}

function shown(name: string): string {
  const text = printable(name)
  return text.length > 300 ? `${text.slice(0, 300)}…` : text
}
