import type { Fields } from './entry.ts'
import { refuse } from './problem.ts'

/** Deepest nesting of one row (reliability 6). */
const MAX_DEPTH = 32

/**
 * Parses one JSON value of at most `MAX_ROW_BYTES`. Stricter than JSON.parse, which silently keeps the last of two equal
 * keys, rounds long integers, and makes `__proto__` an own key that a later copy would turn into a prototype.
 *
 * @throws RowProblem
 */
export function parseJsonRow(text: string): unknown {
  const { depth, members, hasLongNumber } = inspect(text)
  if (depth > MAX_DEPTH) refuse(`a row must be nested at most ${MAX_DEPTH} deep, got ${depth}`)
  const value = parse(text)
  // The text has a colon for each member; the value has one key for each name.
  if (countMembers(value) !== members) refuse('an object must not have the same key twice')
  if (hasLongNumber) refuseRounded(text)
  return value
}

/**
 * The same for a row that must be an object.
 *
 * @throws RowProblem
 */
export function parseJsonObject(text: string): Fields {
  if (text.trim() === '') refuse('a row must be a JSON object, got nothing (a comma too many?)')
  const value = parseJsonRow(text)
  if (typeof value !== 'object' || value === null || Array.isArray(value)) refuse('a row must be a JSON object', value)
  return value as Fields
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch (error) {
    // The engine's message quotes the text, which may hold a signed URL.
    const where = /at position (\d+)/.exec(error instanceof Error ? error.message : '')?.[1]
    return refuse(
      `a row must be valid JSON${where === undefined ? '' : `; it is not at character ${where} of the row`}`,
    )
  }
}

interface Inspection {
  readonly depth: number
  /** Colons outside of strings. */
  readonly members: number
  /** Sixteen digits or more in a row, outside of strings. */
  readonly hasLongNumber: boolean
}

function inspect(text: string): Inspection {
  let depth = 0
  let deepest = 0
  let members = 0
  let digits = 0
  let hasLongNumber = false
  for (let at = 0; at < text.length; at++) {
    const code = text.charCodeAt(at)
    if (code === 0x22 /* " */) at = endOfString(text, at)
    else if (code === 0x7b /* { */ || code === 0x5b /* [ */) deepest = Math.max(deepest, ++depth)
    else if (code === 0x7d /* } */ || code === 0x5d /* ] */) depth--
    else if (code === 0x3a /* : */) members++
    if (code < 0x30 || code > 0x39) digits = 0
    else if (++digits === 16) hasLongNumber = true
  }
  return { depth: deepest, members, hasLongNumber }
}

/** Position of the quote that closes the string opened at `at`, or the text's length. */
function endOfString(text: string, at: number): number {
  for (let end = at + 1; end < text.length; end++) {
    const code = text.charCodeAt(end)
    if (code === 0x22) return end
    if (code === 0x5c /* \ */) end++
  }
  return text.length
}

function countMembers(value: unknown): number {
  if (typeof value !== 'object' || value === null) return 0
  let count = 0
  if (Array.isArray(value)) {
    for (const item of value) count += countMembers(item)
    return count
  }
  const members = value as Readonly<Record<string, unknown>>
  for (const key in members) {
    if (key === '__proto__') refuse('an object must not have the key __proto__')
    const member = members[key]
    count += typeof member === 'object' ? 1 + countMembers(member) : 1
  }
  return count
}

function refuseRounded(text: string): void {
  const reviver = (key: string, value: unknown, context?: { readonly source?: string }): unknown => {
    const source = context?.source
    if (typeof value === 'number' && !Number.isSafeInteger(value) && /^-?\d+$/.test(source ?? '')) {
      refuse(`the number ${key} must be at most 2^53 - 1 (in quotes it may be longer), got ${source}`)
    }
    return value
  }
  JSON.parse(text, reviver as (key: string, value: unknown) => unknown)
}
