/**
 * Reads Python pickles of plain values, as the Python librarian keeps the settings of stores in its database (librarian 3,
 * 3.14): dicts, lists, tuples, strings, numbers, booleans, None; protocols 0 to 5 as far as these need them.
 *
 * A pickle is a program. This reader has no instruction that names or calls anything, so one that tries is refused.
 *
 * @see https://github.com/python/cpython/blob/3.13/Lib/pickletools.py (the instructions)
 */
import { LibrarianError } from '@arriero/api'

export type PlainValue =
  | null
  | boolean
  | number
  | string
  | readonly PlainValue[]
  | { readonly [key: string]: PlainValue }

/** @throws LibrarianError `BadAnswer`: it is cut off, or holds more than plain values */
export function readPickle(bytes: Uint8Array): PlainValue {
  return new Reading(bytes).run()
}

/** Where a container begins on the stack. */
const mark = Symbol('mark')
type Item = PlainValue | typeof mark
type Dict = Record<string, PlainValue>

class Reading {
  readonly #bytes: Uint8Array
  readonly #view: DataView
  readonly #stack: Item[] = []
  readonly #memo = new Map<number, PlainValue>()
  #at = 0

  constructor(bytes: Uint8Array) {
    this.#bytes = bytes
    this.#view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  }

  run(): PlainValue {
    for (;;) {
      const code = String.fromCharCode(this.#byte())
      if (code === '.') return this.#pop()
      const act = instructions[code]
      if (!act) throw refuse(`instruction 0x${code.charCodeAt(0).toString(16)} at byte ${this.#at - 1}`)
      act(this)
    }
  }

  #take(length: number): number {
    const from = this.#at
    if (length < 0 || from + length > this.#bytes.length) throw refuse('it is cut off')
    this.#at += length
    return from
  }

  #byte(): number {
    return this.#view.getUint8(this.#take(1))
  }

  /** To the end of the line, a character for each byte. */
  line(): string {
    const end = this.#bytes.indexOf(10, this.#at)
    if (end === -1) throw refuse('it is cut off')
    const from = this.#take(end - this.#at + 1)
    return Buffer.from(this.#bytes.subarray(from, end)).toString('latin1')
  }

  text(length: number): string {
    const from = this.#take(length)
    return new TextDecoder('utf-8', { fatal: true }).decode(this.#bytes.subarray(from, from + length))
  }

  uint(length: 1 | 2 | 4 | 8): number {
    const from = this.#take(length)
    if (length === 1) return this.#view.getUint8(from)
    if (length === 2) return this.#view.getUint16(from, true)
    if (length === 4) return this.#view.getUint32(from, true)
    return safe(this.#view.getBigUint64(from, true))
  }

  int32(): number {
    return this.#view.getInt32(this.#take(4), true)
  }

  float(): number {
    return this.#view.getFloat64(this.#take(8), false)
  }

  /** Two's complement, little-endian. */
  long(length: number): number {
    const from = this.#take(length)
    let value = 0n
    for (let at = length - 1; at >= 0; at--) value = (value << 8n) | BigInt(this.#bytes[from + at]!)
    return safe(BigInt.asIntN(length * 8, value))
  }

  skip(length: number): void {
    this.#take(length)
  }

  push(value: Item): void {
    this.#stack.push(value)
  }

  #pop(): PlainValue {
    const value = this.#stack.pop()
    if (value === undefined || value === mark) throw refuse('its stack is empty')
    return value
  }

  pops(count: number): PlainValue[] {
    return Array.from({ length: count }, () => this.#pop()).reverse()
  }

  /** Everything since the last mark. */
  toMark(): PlainValue[] {
    const at = this.#stack.lastIndexOf(mark)
    if (at === -1) throw refuse('a mark is missing')
    return this.#stack.splice(at).slice(1) as PlainValue[]
  }

  #top(): PlainValue {
    const value = this.#stack.at(-1)
    if (value === undefined || value === mark) throw refuse('its stack is empty')
    return value
  }

  append(values: readonly PlainValue[]): void {
    const list = this.#top()
    if (!Array.isArray(list)) throw refuse('it appends to what is no list')
    list.push(...values)
  }

  set(pairs: readonly PlainValue[]): void {
    const dict = this.#top()
    if (typeof dict !== 'object' || dict === null || Array.isArray(dict))
      throw refuse('it sets items of what is no dict')
    fill(dict as Dict, pairs)
  }

  remember(key: number = this.#memo.size): void {
    this.#memo.set(key, this.#top())
  }

  recall(key: number): void {
    const value = this.#memo.get(key)
    if (value === undefined) throw refuse('it recalls what it never kept')
    this.push(value)
  }
}

/** Names from outside are data: `__proto__` is a key as any other. */
function newDict(pairs: readonly PlainValue[]): Dict {
  return fill(Object.create(null) as Dict, pairs)
}

function fill(dict: Dict, pairs: readonly PlainValue[]): Dict {
  for (let at = 0; at + 1 < pairs.length; at += 2) {
    const key = pairs[at]
    if (typeof key !== 'string') throw refuse('a dict has a key that is no text')
    dict[key] = pairs[at + 1]!
  }
  return dict
}

function safe(value: bigint): number {
  const number = Number(value)
  if (!Number.isSafeInteger(number)) throw refuse('a number is too large')
  return number
}

function whole(text: string): number {
  if (!/^-?\d+$/.test(text)) throw refuse('a number is none')
  return safe(BigInt(text))
}

/** Python's `raw-unicode-escape`. */
function unescaped(text: string): string {
  return text.replace(/\\u([0-9a-f]{4})|\\U([0-9a-f]{8})/g, (_, four, eight) =>
    String.fromCodePoint(Number.parseInt(four ?? eight, 16)),
  )
}

/** A short quoted text of protocol 0, without escapes. */
function unquoted(text: string): string {
  const inner = /^(['"])([^\\]*)\1$/.exec(text)?.[2]
  if (inner === undefined) throw refuse('a quoted text has escapes')
  return inner
}

const instructions: Readonly<Record<string, (reading: Reading) => void>> = {
  // Protocol and frames say nothing of values.
  '\x80': reading => reading.skip(1),
  '\x95': reading => reading.skip(8),
  '(': reading => reading.push(mark),
  '0': reading => void reading.pops(1),
  '1': reading => void reading.toMark(),
  N: reading => reading.push(null),
  '\x88': reading => reading.push(true),
  '\x89': reading => reading.push(false),
  I: reading => {
    const text = reading.line()
    reading.push(text === '00' ? false : text === '01' ? true : whole(text))
  },
  L: reading => reading.push(whole(reading.line().replace(/L$/, ''))),
  F: reading => reading.push(Number(reading.line())),
  J: reading => reading.push(reading.int32()),
  K: reading => reading.push(reading.uint(1)),
  M: reading => reading.push(reading.uint(2)),
  '\x8a': reading => reading.push(reading.long(reading.uint(1))),
  '\x8b': reading => reading.push(reading.long(reading.int32())),
  G: reading => reading.push(reading.float()),
  V: reading => reading.push(unescaped(reading.line())),
  S: reading => reading.push(unquoted(reading.line())),
  '\x8c': reading => reading.push(reading.text(reading.uint(1))),
  X: reading => reading.push(reading.text(reading.uint(4))),
  '\x8d': reading => reading.push(reading.text(reading.uint(8))),
  ']': reading => reading.push([]),
  l: reading => reading.push(reading.toMark()),
  a: reading => {
    const values = reading.pops(1)
    reading.append(values)
  },
  e: reading => {
    const values = reading.toMark()
    reading.append(values)
  },
  ')': reading => reading.push([]),
  t: reading => reading.push(reading.toMark()),
  '\x85': reading => reading.push(reading.pops(1)),
  '\x86': reading => reading.push(reading.pops(2)),
  '\x87': reading => reading.push(reading.pops(3)),
  '}': reading => reading.push(newDict([])),
  d: reading => reading.push(newDict(reading.toMark())),
  s: reading => {
    const pair = reading.pops(2)
    reading.set(pair)
  },
  u: reading => {
    const pairs = reading.toMark()
    reading.set(pairs)
  },
  '\x94': reading => reading.remember(),
  p: reading => reading.remember(whole(reading.line())),
  q: reading => reading.remember(reading.uint(1)),
  r: reading => reading.remember(reading.uint(4)),
  g: reading => reading.recall(whole(reading.line())),
  h: reading => reading.recall(reading.uint(1)),
  j: reading => reading.recall(reading.uint(4)),
}

function refuse(why: string): LibrarianError {
  return new LibrarianError(
    'BadAnswer',
    `Cannot read a pickled value: ${why}; only plain dicts, lists, texts and numbers are read`,
  )
}
