import { printable } from '../../names/characters.ts'

/** One answer of a server on the control connection (RFC 959, 4.2). */
export interface Reply {
  readonly code: number
  /** The lines without the code; each character is one byte. */
  readonly lines: readonly string[]
}

/** Greetings may be long, but not endless. */
const MOST = 256 * 1024

/**
 * Bytes, as they come, to replies. A line counts when its end has come and not before: a size cut in two by the network
 * would be another size.
 */
export class ReplyParser {
  #rest = ''
  #code = ''
  #lines: string[] = []
  #length = 0

  /** The replies that these bytes complete. Throws on what cannot be FTP. */
  push(bytes: string): Reply[] {
    this.#rest += bytes
    this.#length += bytes.length
    if (this.#length > MOST) throw new Error('the reply is too long')
    const lines = this.#rest.split('\n')
    this.#rest = lines.pop() as string
    return lines.flatMap(line => this.#line(line.replace(/\r$/, '')) ?? [])
  }

  #line(line: string): Reply | undefined {
    if (this.#code !== '') {
      const isLast = line.startsWith(this.#code) && (line.length === 3 || line[3] === ' ')
      this.#lines.push(isLast ? line.slice(4) : line)
      return isLast ? this.#end(this.#code) : undefined
    }
    const head = /^([1-6]\d\d)(?:([ -])(.*))?$/s.exec(line)
    if (!head) {
      // Some servers end a reply with an empty line of their own.
      if (line.trim() === '') return undefined
      throw new Error('the reply has no code')
    }
    const [, code, mark, text = ''] = head as unknown as [string, string, string | undefined, string | undefined]
    this.#lines.push(text)
    if (mark !== '-') return this.#end(code)
    this.#code = code
    return undefined
  }

  #end(code: string): Reply {
    const lines = this.#lines
    this.#lines = []
    this.#code = ''
    this.#length = this.#rest.length
    return { code: Number(code), lines }
  }
}

/** What the server said, on one line that can be shown. */
export function wordsOf({ lines }: Reply): string {
  return printable(textOf(lines.join(' ')).replace(/\s+/g, ' ').trim()).slice(0, 200)
}

/** Bytes as text: UTF-8 if they are, else Latin-1. */
export function textOf(bytes: string): string {
  if (!/[\x80-\xff]/.test(bytes)) return bytes
  try {
    return new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(Buffer.from(bytes, 'latin1'))
  } catch {
    return bytes
  }
}
