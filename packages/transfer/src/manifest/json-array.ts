import { decodeUtf8, firstInvalidByte, LineCounter, MAX_ROW_BYTES, PendingBytes } from './bytes.ts'
import type { Fields } from './entry.ts'
import type { FormParser } from './form.ts'
import { parseJsonObject } from './json-row.ts'
import { refuse } from './problem.ts'
import type { Rows } from './rows.ts'

const QUOTE = 0x22
const BACKSLASH = 0x5c
const COMMA = 0x2c
const OPEN_BRACKET = 0x5b
const CLOSE_BRACKET = 0x5d
const OPEN_BRACE = 0x7b
const CLOSE_BRACE = 0x7d

type Place = 'before' | 'between' | 'in-row' | 'after'

/**
 * A JSON array of objects, cut into the texts of its rows without parsing the whole: only strings, escapes and nesting are
 * followed here, and each row is parsed alone. So a row that is wrong in itself is one bad row. What breaks the array
 * (no `[`, a stray bracket, an end in the middle) throws, after the rows before it: where the next row begins is then unknown.
 */
export class JsonArrayParser implements FormParser {
  readonly #rows: Rows
  readonly #pending = new PendingBytes()
  readonly #lines = new LineCounter()
  #place: Place = 'before'
  #scanned = 0
  #rowLine = 1
  #depth = 0
  #isInString = false
  #isEscaped = false
  /** Bytes of the row that were dropped because it is too long. */
  #dropped = 0
  #count = 0

  constructor(rows: Rows) {
    this.#rows = rows
  }

  push(chunk: Uint8Array): void {
    const bytes = this.#pending.append(chunk)
    this.#lines.begin(bytes, this.#scanned)
    let start = 0
    let at = this.#scanned
    while (at < bytes.length) {
      if (this.#place === 'in-row') {
        at = this.#endOfRow(bytes, at)
        if (at === bytes.length) break
        this.#emit(bytes, start, at)
        this.#place = bytes[at] === COMMA ? 'between' : 'after'
        start = ++at
      } else if (isBlank(bytes[at]!)) start = ++at
      else start = at = this.#begin(bytes, at)
    }
    if (this.#place !== 'in-row') start = bytes.length
    else if (this.#dropped + bytes.length - start > MAX_ROW_BYTES) {
      this.#dropped += bytes.length - start
      start = bytes.length
    }
    // Every line end seen must be counted before its byte goes.
    this.#lines.lineAt(bytes.length)
    this.#pending.consume(start)
    this.#scanned = bytes.length - start
  }

  end(): void {
    if (this.#place === 'after') return
    if (this.#place === 'before') throw this.#rows.broken(1, 'a JSON array must begin with [, got nothing')
    const line = this.#lines.lineAt(0)
    const met = this.#place === 'in-row' ? `the end in the middle of the row begun on line ${this.#rowLine}` : 'the end'
    throw this.#rows.broken(line, `a JSON array must end with ], got ${met} (is the manifest complete?)`)
  }

  /** Takes what stands between rows, a byte that is not blank; answers where to go on. */
  #begin(bytes: Buffer, at: number): number {
    const byte = bytes[at]!
    if (this.#place === 'after') throw this.#unexpected(bytes, at, 'nothing may follow the closing ]')
    if (this.#place === 'before') {
      if (byte !== OPEN_BRACKET) throw this.#unexpected(bytes, at, 'a JSON array must begin with [')
      this.#place = 'between'
      return at + 1
    }
    if (byte === CLOSE_BRACKET && this.#count === 0) {
      this.#place = 'after'
      return at + 1
    }
    this.#place = 'in-row'
    this.#rowLine = this.#lines.lineAt(at)
    return at
  }

  /** Position of the comma or bracket behind the row, or the end of the bytes. */
  #endOfRow(bytes: Buffer, from: number): number {
    let at = from
    while (at < bytes.length) {
      if (this.#isInString) {
        at = this.#endOfString(bytes, at)
        continue
      }
      const byte = bytes[at]!
      if (byte === QUOTE) this.#isInString = true
      else if (byte === OPEN_BRACE || byte === OPEN_BRACKET) this.#depth++
      else if (this.#depth === 0) {
        if (byte === COMMA || byte === CLOSE_BRACKET) return at
        if (byte === CLOSE_BRACE) throw this.#unexpected(bytes, at, 'brackets must match')
      } else if (byte === CLOSE_BRACE || byte === CLOSE_BRACKET) this.#depth--
      at++
    }
    return at
  }

  #endOfString(bytes: Buffer, from: number): number {
    let at = this.#isEscaped ? from + 1 : from
    this.#isEscaped = false
    for (; at < bytes.length; at++) {
      const byte = bytes[at]!
      if (byte === BACKSLASH) {
        at++
        this.#isEscaped = at === bytes.length
      } else if (byte === QUOTE) {
        this.#isInString = false
        return at + 1
      }
    }
    return bytes.length
  }

  #emit(bytes: Buffer, start: number, end: number): void {
    this.#count++
    const length = this.#dropped + end - start
    this.#dropped = 0
    if (length > MAX_ROW_BYTES) this.#rows.bad(this.#rowLine, `a row must have at most 1 MiB, got ${length} bytes`)
    else this.#rows.add(this.#rowLine, () => readObject(bytes, start, end))
  }

  #unexpected(bytes: Buffer, at: number, rule: string): Error {
    const met = JSON.stringify(bytes.toString('latin1', at, at + 1))
    return this.#rows.broken(this.#lines.lineAt(at), `${rule}, got ${met}`)
  }
}

function readObject(bytes: Buffer, start: number, end: number): Fields {
  const text = decodeUtf8(bytes, start, end)
  if (text === undefined)
    return refuse(`a row must be UTF-8, got none at byte ${firstInvalidByte(bytes, start, end)} of it`)
  return parseJsonObject(text)
}

function isBlank(byte: number): boolean {
  return byte === 32 || (byte >= 9 && byte <= 13 && byte !== 11 && byte !== 12)
}
