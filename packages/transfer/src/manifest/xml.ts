import { decodeUtf8, MAX_ROW_BYTES, PendingBytes } from './bytes.ts'

/** Receives the content of a document in order. Comments and processing instructions are left out. */
export interface XmlHandler {
  open(name: string, attributes: ReadonlyMap<string, string>, line: number): void
  /** Character data with its references resolved; possibly in several pieces. */
  text(text: string): void
  close(name: string, line: number): void
}

/** Why a document cannot be read, and where. */
export class XmlProblem extends Error {
  readonly line: number

  constructor(line: number, problem: string) {
    super(problem)
    this.line = line
  }
}

const MAX_DEPTH = 32
const NAME = '[A-Za-z_:\\u0080-\\uffff][-.\\w:\\u0080-\\uffff]*'
const ATTRIBUTE = new RegExp(`\\s+(${NAME})\\s*=\\s*(?:"([^<"]*)"|'([^<']*)')`, 'gy')
const TAG = new RegExp(`^(${NAME})((?:\\s+${NAME}\\s*=\\s*(?:"[^<"]*"|'[^<']*'))*)\\s*(/?)$`)
const CLOSING = new RegExp(`^/(${NAME})\\s*$`)
const ESCAPES: Readonly<Record<string, string>> = { lt: '<', gt: '>', amp: '&', quot: '"', apos: "'" }

/**
 * A strict reader of the part of XML 1.0 that data needs, in any cut of the bytes: elements, attributes, text, CDATA, and the
 * five predefined and the numeric references. Declarations (`<!DOCTYPE`, `<!ENTITY`) and so all other entities are refused:
 * that is where XML's attacks are. Only UTF-8; nesting at most 32 deep; no piece of markup or text above 1 MiB.
 */
export class XmlReader {
  readonly #handler: XmlHandler
  readonly #pending = new PendingBytes()
  readonly #open: string[] = []
  #line = 1
  #hasRoot = false

  constructor(handler: XmlHandler) {
    this.#handler = handler
  }

  /** @throws XmlProblem */
  push(chunk: Uint8Array): void {
    const bytes = this.#pending.append(chunk)
    let start = 0
    while (start < bytes.length) {
      const end = bytes[start] === 0x3c /* < */ ? endOfMarkup(bytes, start) : bytes.indexOf(0x3c, start)
      const length = (end < 0 ? bytes.length : end) - start
      if (length > MAX_ROW_BYTES) this.#fail('no markup or text may have more than 1 MiB')
      if (end < 0) break
      this.#take(bytes, start, end)
      start = end
    }
    this.#pending.consume(start)
  }

  /** @throws XmlProblem when the document is not complete. */
  end(): void {
    const rest = this.#pending.view().toString('latin1')
    if (rest.trim() !== '') this.#fail('text or markup must be complete, got the end in the middle of it')
    if (!this.#hasRoot) this.#fail('a document must have an element, got the end')
    if (this.#open.length > 0) this.#fail(`the element ${this.#open.at(-1)} must be closed, got the end`)
  }

  #take(bytes: Buffer, start: number, end: number): void {
    const text = decodeUtf8(bytes, start, end)
    if (text === undefined) this.#fail('it must be UTF-8')
    if (text.startsWith('<')) this.#markup(text)
    else this.#text(this.#resolve(text))
    for (let at = text.indexOf('\n'); at >= 0; at = text.indexOf('\n', at + 1)) this.#line++
  }

  #markup(text: string): void {
    if (text.startsWith('<![CDATA[')) this.#text(text.slice(9, -3))
    else if (text.startsWith('<?')) this.#instruction(text)
    else if (!text.startsWith('<!')) this.#tag(text.slice(1, -1))
    else if (!text.startsWith('<!--')) this.#fail('document type declarations and entities are refused')
  }

  #tag(text: string): void {
    const closing = CLOSING.exec(text)?.[1]
    const [, name, attributes = '', slash] = TAG.exec(text) ?? []
    if (name !== undefined) this.#start(name, attributes)
    else if (closing === undefined) this.#fail('a tag must be well-formed')
    if (closing !== undefined || slash === '/') this.#close(closing ?? name!)
  }

  #start(name: string, rawAttributes: string): void {
    if (this.#open.length === 0 && this.#hasRoot) this.#fail('a document must have one root element')
    if (this.#open.length >= MAX_DEPTH) this.#fail(`elements must be nested at most ${MAX_DEPTH} deep`)
    const attributes = new Map<string, string>()
    for (const [, key = '', double, single = ''] of rawAttributes.matchAll(ATTRIBUTE)) {
      if (attributes.has(key)) this.#fail(`the attribute ${key} must not stand twice in ${name}`)
      attributes.set(key, this.#resolve(double ?? single))
    }
    this.#hasRoot = true
    this.#open.push(name)
    this.#handler.open(name, attributes, this.#line)
  }

  #close(name: string): void {
    const open = this.#open.pop()
    if (open !== name) this.#fail(`the element ${open ?? '(none)'} must be closed first, got </${name}>`)
    this.#handler.close(name, this.#line)
  }

  #text(text: string): void {
    if (this.#open.length > 0) this.#handler.text(text)
    else if (text.trim() !== '') this.#fail('text must stand inside the root element')
  }

  #instruction(text: string): void {
    const encoding = /^<\?xml\s.*encoding\s*=\s*["']([^"']*)["']/is.exec(text)?.[1]
    if (encoding !== undefined && !/^(?:utf-8|us-ascii)$/i.test(encoding)) this.#fail('it must be UTF-8')
  }

  #resolve(text: string): string {
    return text.replace(/&([^;&]{0,10};)?/g, (_, reference: string | undefined) => {
      const name = reference?.slice(0, -1) ?? ''
      const number = /^#(?:x([0-9a-f]{1,6})|(\d{1,7}))$/i.exec(name)
      if (number) return this.#character(Number.parseInt(number[1] ?? number[2]!, number[1] ? 16 : 10))
      if (Object.hasOwn(ESCAPES, name)) return ESCAPES[name]!
      return this.#fail('only the five predefined and numeric references are allowed')
    })
  }

  #character(code: number): string {
    const isCharacter = code > 0 && code <= 0x10ffff && (code < 0xd800 || code > 0xdfff)
    return isCharacter ? String.fromCodePoint(code) : this.#fail('a numeric reference must name a character')
  }

  #fail(problem: string): never {
    throw new XmlProblem(this.#line, problem)
  }
}

/** Position behind the markup that begins at `start`; -1 when more bytes are needed. */
function endOfMarkup(bytes: Buffer, start: number): number {
  const sign = bytes[start + 1]
  if (sign === 0x3f /* ? */) return behind(bytes, '?>', start + 2)
  if (sign === 0x21 /* ! */) return endOfDeclaration(bytes, start)
  for (let at = start + 1; at < bytes.length; at++) {
    const byte = bytes[at]!
    if (byte === 0x3e /* > */) return at + 1
    if (byte !== 0x22 && byte !== 0x27) continue
    at = bytes.indexOf(byte, at + 1)
    if (at < 0) return -1
  }
  return -1
}

function endOfDeclaration(bytes: Buffer, start: number): number {
  const opening = bytes.toString('latin1', start, start + '<![CDATA['.length)
  if (opening.startsWith('<!--')) return behind(bytes, '-->', start + 4)
  if (opening === '<![CDATA[') return behind(bytes, ']]>', start + opening.length)
  const isUndecided = '<!--'.startsWith(opening) || '<![CDATA['.startsWith(opening)
  // What is neither will be refused: it need not be read to its end.
  return isUndecided ? -1 : start + opening.length
}

function behind(bytes: Buffer, mark: string, from: number): number {
  const at = bytes.indexOf(mark, from, 'latin1')
  return at < 0 ? -1 : at + mark.length
}
