/**
 * JSON as strictly as outside data needs (reliability 6): no member twice, none called `__proto__`, no number that would
 * silently become another, no half characters, and bounds on depth, fields and values, because strangers
 * may send it: whoever calls is known only after it was read (librarian 4.3). Objects have no prototype.
 *
 * Linear, without backtracking; the worst MiB takes some thirty milliseconds.
 */
import { LibrarianError } from '@arriero/api'

const maxDepth = 32
/** Of one object; far beyond any request of the wire. */
const maxFields = 1000
/** Of a whole body. */
const maxValues = 262_144

/** `LibrarianError` `BadRequest` that names the place, never the text. */
export function parseJson(text: string): unknown {
  return new Reader(text).document()
}

const blanks = /[ \t\n\r]*/y
const number = /-?(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][+-]?\d+)?/y
const string = /"(?:[^"\\\u0000-\u001f]|\\(?:["\\/bfnrt]|u[0-9a-fA-F]{4}))*"/y
const words: Readonly<Record<string, readonly [string, unknown]>> = {
  t: ['true', true],
  f: ['false', false],
  n: ['null', null],
}

class Reader {
  readonly #text: string
  #at = 0
  #values = 0

  constructor(text: string) {
    this.#text = text
  }

  document(): unknown {
    const value = this.#value(1)
    this.#skip()
    if (this.#at < this.#text.length) throw this.#refuse('nothing may follow the first value')
    return value
  }

  #value(depth: number): unknown {
    if (++this.#values > maxValues) throw this.#refuse(`it may hold ${maxValues} values at most`)
    this.#skip()
    const first = this.#text[this.#at] ?? ''
    if (first === '"') return this.#string()
    if (first === '{' || first === '[') {
      if (depth > maxDepth) throw this.#refuse(`values may be nested ${maxDepth} deep at most`)
      this.#at++
      return first === '{' ? this.#object(depth) : this.#array(depth)
    }
    const word = words[first]
    if (word === undefined) return this.#number()
    if (!this.#text.startsWith(word[0], this.#at)) throw this.#refuse('it is not JSON')
    this.#at += word[0].length
    return word[1]
  }

  #object(depth: number): Record<string, unknown> {
    const members: Record<string, unknown> = Object.create(null)
    if (this.#take('}')) return members
    let fields = 0
    do {
      if (++fields > maxFields) throw this.#refuse(`an object may have ${maxFields} fields at most`)
      this.#skip()
      const key = this.#string()
      if (key === '__proto__') throw this.#refuse('no field may be called __proto__')
      if (key in members) throw this.#refuse('no field may be there twice')
      if (!this.#take(':')) throw this.#refuse('it is not JSON')
      members[key] = this.#value(depth + 1)
    } while (this.#take(','))
    if (!this.#take('}')) throw this.#refuse('it is not JSON')
    return members
  }

  #array(depth: number): unknown[] {
    const elements: unknown[] = []
    if (this.#take(']')) return elements
    do elements.push(this.#value(depth + 1))
    while (this.#take(','))
    if (!this.#take(']')) throw this.#refuse('it is not JSON')
    return elements
  }

  #string(): string {
    const token = this.#match(string)
    const value = token.includes('\\') ? (JSON.parse(token) as string) : token.slice(1, -1)
    if (!value.isWellFormed()) throw this.#refuse('text must consist of whole characters')
    return value
  }

  #number(): number {
    const value = Number(this.#match(number))
    // The next integer is the first that would be rounded to its neighbour.
    if (Math.abs(value) <= Number.MAX_SAFE_INTEGER) return value
    throw this.#refuse('numbers may not be beyond 2^53 − 1')
  }

  #match(pattern: RegExp): string {
    pattern.lastIndex = this.#at
    const token = pattern.exec(this.#text)?.[0]
    if (token === undefined) throw this.#refuse('it is not JSON')
    this.#at += token.length
    return token
  }

  #take(character: string): boolean {
    this.#skip()
    if (this.#text[this.#at] !== character) return false
    this.#at++
    return true
  }

  #skip(): void {
    const code = this.#text.charCodeAt(this.#at)
    if (code > 0x20) return
    blanks.lastIndex = this.#at
    blanks.exec(this.#text)
    this.#at = blanks.lastIndex
  }

  #refuse(what: string): LibrarianError {
    return new LibrarianError('BadRequest', `Cannot read the body as JSON: ${what} (at character ${this.#at})`)
  }
}
