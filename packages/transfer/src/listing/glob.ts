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
  failed = new Set<number>(),
): boolean {
  if (from === names.length) return isDirectory ? at < tests.length : at === tests.length
  const test = tests[at]
  if (test === undefined) return false
  if (test !== '**') {
    return test(names[from] as string) && matchesFrom(tests, at + 1, names, from + 1, isDirectory, failed)
  }
  // A last `**` takes all the rest; another one takes one more name, or leaves the rest to what follows it.
  if (at === tests.length - 1) return true
  // What has failed once is not tried again, or several of them would try every split.
  const key = at * (names.length + 1) + from
  if (failed.has(key)) return false
  const isMatch =
    matchesFrom(tests, at + 1, names, from, isDirectory, failed) ||
    matchesFrom(tests, at, names, from + 1, isDirectory, failed)
  if (!isMatch) failed.add(key)
  return isMatch
}

function segmentTest(segment: string, decode: (literal: string) => string): (name: string) => boolean {
  if (!hasWildcard(segment)) {
    const literal = decode(segment)
    return name => name === literal
  }
  const pieces = segment.match(/\*+|\?|\[!?\]?[^\]]*\]|[^*?[]+|\[/g) ?? []
  const tests = pieces.flatMap(piece => characterTests(piece, segment, decode))
  return name => matchesCharacters(tests, [...name])
}

/** What one character must be; `*`: any number of any. */
type CharacterTest = '*' | ((character: string) => boolean)

/** Greedy: when the rest does not fit, the last `*` takes one more. Names come from servers, so never more than the product. */
function matchesCharacters(tests: readonly CharacterTest[], characters: readonly string[]): boolean {
  let [at, from, star, taken] = [0, 0, -1, 0]
  while (from < characters.length) {
    const test = tests[at]
    if (test === '*') {
      star = at++
      taken = from
    } else if (test?.(characters[from] as string)) {
      at++
      from++
    } else if (star >= 0) {
      at = star + 1
      from = ++taken
    } else return false
  }
  return tests.slice(at).every(test => test === '*')
}

function characterTests(piece: string, segment: string, decode: (literal: string) => string): CharacterTest[] {
  if (piece.startsWith('*')) return ['*']
  if (piece === '?') return [() => true]
  if (piece.startsWith('[') && piece.length > 2) {
    const isNot = piece[1] === '!'
    const inside = piece
      .slice(isNot ? 2 : 1, -1)
      .replace(/[\\\]^[]/g, '\\$&')
      .replace(/^-|-$/g, '\\-')
    const test = regexp(`[${isNot ? '^' : ''}${inside}]`, segment)
    return [character => test.test(character)]
  }
  return [...decode(piece)].map(wanted => (character: string) => character === wanted)
}

function regexp(source: string, segment: string): RegExp {
  try {
    return new RegExp(`^${source}$`, 'su')
  } catch (cause) {
    throw new TransferError('Usage', `Cannot list ${segment}: it is no pattern`, { cause })
  }
}
