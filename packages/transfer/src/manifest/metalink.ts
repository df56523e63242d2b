import { algorithmByName } from '../integrity/algorithms.ts'
import { MAX_ROW_BYTES } from './bytes.ts'
import type { Fields } from './entry.ts'
import type { FormParser } from './form.ts'
import { refuse } from './problem.ts'
import type { Rows } from './rows.ts'
import { URL_ROW } from './shape.ts'
import { XmlProblem, XmlReader } from './xml.ts'

const NAMESPACE = 'urn:ietf:params:xml:ns:metalink'
/** RFC 5854, 4.2.16.2: 1 is the highest, this the lowest. */
const LOWEST_PRIORITY = 999_999
/** Children of `file` that go into `extra`. A publisher's version is no version id of a stored object, hence the prefix. */
const KEPT = new Set(['copyright', 'description', 'identity', 'language', 'logo', 'os', 'publisher', 'version'])

interface FileElement {
  readonly line: number
  readonly name: string
  readonly urls: { readonly url: string; readonly priority: number }[]
  readonly hashes: { readonly type: string; readonly value: string }[]
  /** `size`, and what goes into `extra`. */
  readonly texts: Map<string, string>
  /** Characters kept. */
  length: number
}

/**
 * Metalink 4 (RFC 5854): one entry per `file`, its URLs by priority, its whole-file hashes, its size. What describes it
 * is kept in `extra` as `metalink-description` and so on; piece hashes, signatures, `metaurl` and unknown elements are
 * passed over.
 */
export class MetalinkParser implements FormParser {
  readonly #rows: Rows
  readonly #xml: XmlReader
  #path: string[] = []
  #attributes: ReadonlyMap<string, string> = new Map()
  #text = ''
  #file: FileElement | undefined

  constructor(rows: Rows) {
    this.#rows = rows
    this.#xml = new XmlReader({
      open: (name, attributes, line) => this.#open(name, attributes, line),
      text: text => {
        // Comments and CDATA cut text into any number of pieces; what is too long is cut, and its file refused.
        if (this.#path.length === 3 && this.#text.length <= MAX_ROW_BYTES) this.#text += text
      },
      close: () => this.#close(),
    })
  }

  push(chunk: Uint8Array): void {
    this.#guard(() => this.#xml.push(chunk))
  }

  end(): void {
    this.#guard(() => this.#xml.end())
  }

  #guard(step: () => void): void {
    try {
      step()
    } catch (error) {
      throw error instanceof XmlProblem ? this.#rows.broken(error.line, error.message) : error
    }
  }

  #open(name: string, attributes: ReadonlyMap<string, string>, line: number): void {
    this.#path.push(name)
    if (this.#path.length === 1 && (name !== 'metalink' || attributes.get('xmlns') !== NAMESPACE)) {
      throw new XmlProblem(line, `the root must be <metalink xmlns="${NAMESPACE}"> (version 4), got another`)
    }
    if (this.#path.length === 2 && name === 'file') {
      this.#file = { line, name: attributes.get('name') ?? '', urls: [], hashes: [], texts: new Map(), length: 0 }
    }
    this.#attributes = attributes
    this.#text = ''
  }

  #close(): void {
    const name = this.#path.pop()!
    if (this.#file && this.#path.length === 2) this.#child(this.#file, name, this.#text.trim())
    if (this.#file && this.#path.length === 1) {
      const file = this.#file
      this.#file = undefined
      this.#rows.add(file.line, () => fieldsOf(file), { shape: URL_ROW })
    }
    // An element around others has no text of its own that matters.
    this.#text = ''
  }

  #child(file: FileElement, name: string, text: string): void {
    file.length += text.length
    if (file.length > MAX_ROW_BYTES) return
    if (name === 'url') file.urls.push({ url: text, priority: priorityOf(this.#attributes.get('priority')) })
    else if (name === 'hash') file.hashes.push({ type: this.#attributes.get('type') ?? '', value: text })
    else if (name === 'size') file.texts.set(name, text)
    else if (KEPT.has(name)) file.texts.set(`metalink-${name}`, text)
    else file.length -= text.length
  }
}

function priorityOf(text: string | undefined): number {
  return text !== undefined && /^\d{1,6}$/.test(text) ? Number(text) : LOWEST_PRIORITY
}

function fieldsOf({ name, urls, hashes, texts, length }: FileElement): Fields {
  if (length > MAX_ROW_BYTES) refuse('a file must have at most 1 MiB of text')
  if (name === '') refuse('a file must have a name')
  return {
    ...Object.fromEntries(texts),
    filepath: name,
    urls: urls.toSorted((a, b) => a.priority - b.priority).map(({ url }) => url),
    checksums: checksumsOf(hashes),
  }
}

/** Unknown hash types are passed over as the RFC says, unless nothing else would hold the file to its content. */
function checksumsOf(hashes: FileElement['hashes']): Record<string, string> {
  const known = hashes.filter(({ type }) => algorithmByName(type) !== undefined)
  return Object.fromEntries((known.length > 0 ? known : hashes).map(({ type, value }) => [type, value]))
}
