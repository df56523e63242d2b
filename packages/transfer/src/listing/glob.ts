/**
 * Wildcards in what is to be listed (retrieval 13.1, 14).
 *
 *     *       any characters but `/`
 *     ?       one character but `/`
 *     [a-z]   one of these; [!a-z] none of these
 *     **      as a whole segment: any number of directories, also none
 */
import { TransferError } from '../errors.ts'

export interface Glob {
  /** What stands before the first segment with a wildcard; empty or ends with `/`. Paths are relative to it. */
  readonly base: string
  /** What every path that matches begins with. */
  readonly prefix: string
  /** Whether paths of several segments can match. */
  readonly isDeep: boolean
  matches(path: string): boolean
  /** Whether anything below a directory (ends with `/`) can match. */
  enters(directory: string): boolean
}

const WILDCARD = /[*?[]/

export function hasWildcard(text: string): boolean {
  return WILDCARD.test(text)
}

/**
 * @param text a path; its segments before the first wildcard are taken as they are
 * @param decode applied to what is not a wildcard, e.g. percent-decoding; default: nothing
 */
export function parseGlob(text: string, decode: (literal: string) => string = literal => literal): Glob {
  const first = text.search(WILDCARD)
  const cut = (first < 0 ? text : text.slice(0, first)).lastIndexOf('/') + 1
  const pattern = text.slice(cut)
  const tests = pattern.split('/').map(segment => (segment === '**' ? '**' : segmentTest(segment, decode)))
  const wild = pattern.search(WILDCARD)
  return {
    base: text.slice(0, cut),
    prefix: decode(wild < 0 ? pattern : pattern.slice(0, wild)),
    isDeep: tests.length > 1 || tests[0] === '**',
    matches: path => matchesFrom(tests, 0, path.split('/'), 0, false),
    enters: directory => matchesFrom(tests, 0, directory.slice(0, -1).split('/'), 0, true),
  }
}

type SegmentTest = '**' | ((name: string) => boolean)

/** @param isDirectory the names are those of a directory: it is enough that more may follow */
function matchesFrom(
  tests: readonly SegmentTest[],
  at: number,
  names: readonly string[],
  from: number,
  isDirectory: boolean,
): boolean {
  if (from === names.length) return isDirectory ? at < tests.length : at === tests.length
  const test = tests[at]
  if (test === undefined) return false
  if (test !== '**') return test(names[from] as string) && matchesFrom(tests, at + 1, names, from + 1, isDirectory)
  // A last `**` takes all the rest; another one takes one more name, or leaves the rest to what follows it.
  if (at === tests.length - 1) return true
  return matchesFrom(tests, at, names, from + 1, isDirectory) || matchesFrom(tests, at + 1, names, from, isDirectory)
}

function segmentTest(segment: string, decode: (literal: string) => string): (name: string) => boolean {
  if (!hasWildcard(segment)) {
    const literal = decode(segment)
    return name => name === literal
  }
  const pieces = segment.match(/\*+|\?|\[!?\]?[^\]]*\]|[^*?[]+|\[/g) ?? []
  const source = pieces.map(piece => pieceSource(piece, decode)).join('')
  const test = regexp(source, segment)
  return name => test.test(name)
}

function regexp(source: string, segment: string): RegExp {
  try {
    return new RegExp(`^${source}$`, 'su')
  } catch (cause) {
    throw new TransferError('Usage', `Cannot list ${segment}: it is no pattern`, { cause })
  }
}

function pieceSource(piece: string, decode: (literal: string) => string): string {
  if (piece.startsWith('*')) return '.*'
  if (piece === '?') return '.'
  if (piece.startsWith('[') && piece.length > 2) {
    const isNot = piece[1] === '!'
    const inside = piece
      .slice(isNot ? 2 : 1, -1)
      .replace(/[\\\]^[]/g, '\\$&')
      .replace(/^-|-$/g, '\\-')
    return `[${isNot ? '^' : ''}${inside}]`
  }
  return RegExp.escape(decode(piece))
}
