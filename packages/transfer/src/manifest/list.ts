import { isSecretName } from '../redact.ts'
import type { FormParser } from './form.ts'
import { objectsOf } from './object-line.ts'
import { refuse } from './problem.ts'
import { RecordSplitter } from './records.ts'
import type { Rows } from './rows.ts'
import { URL_ROW } from './shape.ts'

interface Pending {
  readonly line: number
  readonly urls: readonly string[]
  /** Objects that the line names in the place of URLs. */
  readonly ids?: readonly string[] | undefined
  options?: Map<string, string[]>
  problem?: string
}

const OPTION = /^([a-z][a-z0-9-]*)=(.*)$/s

/**
 * A plain list of URLs, one per line, and aria2's input lists, of which the plain one is a subset: URIs on one line,
 * separated by tabs, are mirrors of one file; indented lines below are its options. Blank lines and lines that begin
 * with `#` are skipped. Understood are out, dir, checksum and header, and the fields of `Entry`; other options are kept in `extra`,
 * secret ones hidden.
 *
 * A line may also name an object of a commons, by its id or as a DRS URI, or several between commas (gen3 4.1, M6). With `anyId`,
 * what is no URL is an id, whatever it looks like.
 */
export class ListParser implements FormParser {
  readonly #rows: Rows
  readonly #lines = new RecordSplitter({
    record: (text, line) => this.#read(text, line),
    unreadable: (problem, line, isIndented) => this.#unreadable(problem, line, isIndented),
  })
  readonly #anyId: boolean
  #pending: Pending | undefined

  constructor(rows: Rows, { anyId = false }: { readonly anyId?: boolean } = {}) {
    this.#rows = rows
    this.#anyId = anyId
  }

  push(chunk: Uint8Array): void {
    this.#lines.push(chunk)
    // The last entry stays pending: its options may come.
  }

  end(): void {
    this.#lines.end()
    this.#flush()
  }

  #read(text: string, line: number): void {
    const trimmed = text.trim()
    if (trimmed === '' || trimmed.charCodeAt(0) === 0x23 /* # */) return
    const isIndented = text.charCodeAt(0) <= 32
    const option = isIndented ? OPTION.exec(trimmed) : null
    if (option) this.#option(option[1]!, option[2]!, line)
    else {
      this.#flush()
      const ids = objectsOf(trimmed, this.#anyId)
      const urls = ids ? [] : trimmed.includes('\t') ? trimmed.split(/\t+/).map(uri => uri.trim()) : [trimmed]
      this.#pending = { line, urls, ids }
    }
  }

  #option(name: string, value: string, line: number): void {
    if (this.#pending === undefined) {
      this.#rows.bad(line, `the option ${name} must stand below a URI`)
      return
    }
    this.#pending.options ??= new Map()
    const values = this.#pending.options.get(name)
    if (values) values.push(value)
    else this.#pending.options.set(name, [value])
  }

  /** An option that cannot be read may be the checksum: then its entry must not be fetched without. */
  #unreadable(problem: string, line: number, isIndented: boolean): void {
    if (isIndented && this.#pending) {
      this.#pending.problem ??= `its option on line ${line} cannot be read: ${problem}`
      return
    }
    this.#flush()
    this.#pending = { line, urls: [], problem }
  }

  #flush(): void {
    const pending = this.#pending
    if (pending === undefined) return
    this.#pending = undefined
    const { line, urls, ids, options, problem } = pending
    if (problem !== undefined) this.#rows.bad(line, problem)
    else if (ids) this.#flushObjects(line, ids, options)
    else if (options) this.#rows.add(line, () => ({ ...fieldsOf(options), urls }), PLAIN)
    else this.#rows.add(line, () => (urls.length === 1 ? { url: urls[0] } : { urls }), PLAIN)
  }

  #flushObjects(line: number, ids: readonly string[], options: Pending['options']): void {
    if (options && ids.length > 1) this.#rows.bad(line, 'options must stand below one object, not below several')
    else for (const id of ids) this.#rows.add(line, () => ({ ...(options && fieldsOf(options)), id }), OBJECT)
  }
}

const PLAIN = { shape: URL_ROW }
const OBJECT = { shape: { idKeys: ['id'] } }

function fieldsOf(options: ReadonlyMap<string, readonly string[]>): Record<string, unknown> {
  const fields = Object.create(null) as Record<string, unknown>
  for (const [name, values] of options) {
    const last = values.at(-1)!
    if (name === 'out' || name === 'dir') continue
    if (name === 'checksum') fields.checksums = checksumOf(last)
    else if (name === 'header') fields.headers = headersOf(values)
    else fields[name] = isSecretName(name) ? '***' : last
  }
  const path = pathOf(options.get('dir')?.at(-1), options.get('out')?.at(-1))
  return path === undefined ? fields : { ...fields, filepath: path }
}

/** A directory without a name ends with a slash: the name is found out later. */
function pathOf(directory: string | undefined, name: string | undefined): string | undefined {
  if (directory === undefined) return name
  return `${directory.replace(/\/+$/, '')}/${name ?? ''}`
}

/** aria2's `TYPE=DIGEST`. */
function checksumOf(text: string): Record<string, string> {
  const equals = text.indexOf('=')
  if (equals < 0) refuse('checksum must be TYPE=DIGEST, as in sha-256=…', text)
  return { [text.slice(0, equals)]: text.slice(equals + 1) }
}

function headersOf(lines: readonly string[]): Record<string, string> {
  const headers = Object.create(null) as Record<string, string>
  for (const line of lines) {
    const colon = line.indexOf(':')
    if (colon < 1) refuse('a header must be NAME: VALUE')
    headers[line.slice(0, colon).trim()] = line.slice(colon + 1).trim()
  }
  return headers
}
