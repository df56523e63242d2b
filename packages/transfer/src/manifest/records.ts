import { decodeUtf8, firstInvalidByte, MAX_ROW_BYTES, PendingBytes } from './bytes.ts'

/** Receives records in order. */
export interface RecordHandler {
  /** A record without its line end. */
  record(text: string, line: number): void
  /** A record that cannot be read as text; `isIndented` when it begins with a blank. */
  unreadable(problem: string, line: number, isIndented: boolean): void
}

const LF = 10
const CR = 13

/** Where a record of CSV stands (RFC 4180). */
const FIELD_START = 0
const IN_FIELD = 1
const IN_QUOTES = 2
const AFTER_QUOTE = 3

/**
 * Cuts bytes into records at line ends (LF or CRLF); with `delimiter`, at those outside of quoted cells. One record that
 * is too long, not UTF-8 or never closes its quote is reported, and reading goes on behind it.
 */
export class RecordSplitter {
  readonly #handler: RecordHandler
  readonly #delimiter: number | undefined
  readonly #pending = new PendingBytes()
  /** Bytes of the pending record that were looked at already. */
  #scanned = 0
  #state = FIELD_START
  #isSkipping = false
  #line = 1
  #quote = 34

  constructor(handler: RecordHandler, delimiter?: number) {
    this.#handler = handler
    this.#delimiter = delimiter
  }

  /** What quotes cells in the records that follow: one ASCII character. Default `"`. */
  set quote(character: string) {
    this.#quote = character.charCodeAt(0)
  }

  push(chunk: Uint8Array): void {
    this.#split(this.#pending.append(chunk))
  }

  /** No more bytes: what is left is the last record. */
  end(): void {
    for (let bytes = this.#pending.view(); bytes.length > 0; bytes = this.#pending.view()) {
      if (this.#isSkipping) return
      if (this.#state === IN_QUOTES) {
        this.#pending.consume(this.#abandon(bytes, 0))
        this.#scanned = 0
        this.#split(this.#pending.view())
      } else {
        this.#emit(bytes, 0, bytes.length)
        return
      }
    }
  }

  #split(bytes: Buffer): void {
    let start = 0
    let at = this.#scanned
    while (at < bytes.length) {
      const end = this.#endOfRecord(bytes, at)
      const isWhole = end < bytes.length
      if (this.#isSkipping) {
        start = at = Math.min(end + 1, bytes.length)
        if (isWhole) this.#nextLine()
      } else if (end - start > MAX_ROW_BYTES) start = at = this.#abandon(bytes, start)
      else if (isWhole) {
        this.#emit(bytes, start, end)
        start = at = end + 1
      } else at = end
    }
    this.#pending.consume(start)
    this.#scanned = bytes.length - start
  }

  /** Position of the line end that closes the record, or the end of the bytes. */
  #endOfRecord(bytes: Buffer, from: number): number {
    if (this.#delimiter === undefined || this.#isSkipping) {
      const end = bytes.indexOf(LF, from)
      return end < 0 ? bytes.length : end
    }
    const mark = this.#quote
    let state = this.#state
    let at = from
    for (; at < bytes.length; at++) {
      if (state === IN_QUOTES) {
        const quote = bytes.indexOf(mark, at)
        if (quote < 0) {
          at = bytes.length
          break
        }
        at = quote
        state = AFTER_QUOTE
        continue
      }
      const byte = bytes[at]!
      if (byte === LF) break
      if (byte === mark && state !== IN_FIELD) state = IN_QUOTES
      else state = byte === this.#delimiter ? FIELD_START : IN_FIELD
    }
    this.#state = at < bytes.length ? FIELD_START : state
    return at
  }

  #emit(bytes: Buffer, start: number, end: number): void {
    const text = decodeUtf8(bytes, start, bytes[end - 1] === CR && end > start ? end - 1 : end)
    if (text === undefined) {
      const offset = firstInvalidByte(bytes, start, end)
      const met = `byte 0x${bytes.toString('hex', start + offset, start + offset + 1)}`
      this.#unreadable(bytes, start, `it must be UTF-8, got ${met} at byte ${offset} of the row`)
    } else this.#handler.record(text, this.#line)
    this.#line++
    if (this.#delimiter === undefined) return
    for (let at = bytes.indexOf(LF, start); at >= 0 && at < end; at = bytes.indexOf(LF, at + 1)) this.#line++
  }

  /**
   * Gives up the record at `start`. If it holds a line end, a quote was left open, so only its first line is taken
   * for bad. Answers where to go on.
   */
  #abandon(bytes: Buffer, start: number): number {
    const rule = this.#delimiter === undefined ? '' : ' and every quote must be closed'
    this.#unreadable(bytes, start, `it must have at most 1 MiB${rule}`)
    const end = bytes.indexOf(LF, start)
    this.#state = FIELD_START
    this.#isSkipping = end < 0
    if (end < 0) return bytes.length
    this.#line++
    return end + 1
  }

  #nextLine(): void {
    this.#isSkipping = false
    this.#line++
  }

  #unreadable(bytes: Buffer, start: number, problem: string): void {
    this.#handler.unreadable(problem, this.#line, bytes[start] === 32 || bytes[start] === 9)
  }
}
