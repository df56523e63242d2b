import { TransferError } from '../errors.ts'
import { MAX_ROW_BYTES, PendingBytes, withoutMark } from './bytes.ts'
import { createChecksumListParser } from './checksum-list.ts'
import { TableParser } from './csv.ts'
import { delimiterOf, formOfContent, formOfName, isWebPage, type ManifestForm } from './detect.ts'
import type { Row } from './entry.ts'
import { createFetchListParser } from './fetch-list.ts'
import type { FormParser } from './form.ts'
import { JsonArrayParser } from './json-array.ts'
import { createJsonLinesParser } from './json-lines.ts'
import { ListParser } from './list.ts'
import { MetalinkParser } from './metalink.ts'
import { Rows } from './rows.ts'

/** Options of `parseManifest()`. */
export interface ManifestOptions {
  /** File name or URL: its extension tells the form, and messages name it. */
  readonly name?: string | undefined
  /** Default: what the extension says, else what the content says. */
  readonly form?: ManifestForm | undefined
  /** In tables, the column that names the object of a commons. Default: the first one that tools usually call so. */
  readonly idColumn?: string | undefined
}

/** Bytes parsed at once: bounds a batch, and how long the event loop waits for one. */
const PIECE = 64 * 1024

/**
 * Reads a list to fetch or to verify in any of the forms of retrieval 16 and gen3 4.1, while it arrives and in bounded memory: each
 * batch holds the rows that ended in 64 KiB of input, never none. Rows that cannot be used come in their place as
 * `BadRow`. UTF-8, with or without byte order mark; LF or CRLF; the cut of the chunks means nothing.
 *
 * Batches, because stepping an async iterator for each of a million rows would cost more than reading them.
 *
 * @throws TransferError Usage, after every row before, when the rest cannot be told apart (a JSON array or an XML document
 *   that ends in the middle, a table without a usable header); errors of `input` pass through.
 * @example
 * ```ts
 * for await (const rows of parseManifest(createReadStream('list.json'), { name: 'list.json' })) {
 *   for (const row of rows) isBadRow(row) ? report(row.error) : fetch(row.uris)
 * }
 * ```
 */
export async function* parseManifest(
  input: AsyncIterable<Uint8Array>,
  options: ManifestOptions = {},
): AsyncGenerator<readonly Row[], void, undefined> {
  const rows = new Rows(options.name)
  yield* readRows(input, rows, new ManifestParser(rows, options))
}

/** The rows that a parser makes of the bytes, in batches. */
export async function* readRows(
  input: AsyncIterable<Uint8Array>,
  rows: Rows,
  parser: FormParser,
): AsyncGenerator<readonly Row[], void, undefined> {
  for await (const chunk of input) {
    for (let at = 0; at < chunk.length; at += PIECE) {
      yield* rowsOf(rows, () => parser.push(chunk.subarray(at, at + PIECE)))
    }
  }
  yield* rowsOf(rows, () => parser.end())
}

/** The rows of one step; those before a throw come first. */
function* rowsOf(rows: Rows, step: () => void): Generator<readonly Row[]> {
  let failure: unknown
  try {
    step()
  } catch (error) {
    failure = error
  }
  const batch = rows.take()
  if (batch.length > 0) yield batch
  if (failure !== undefined) throw failure
}

/** Holds the first bytes back until they tell the form, then hands everything to its parser. */
class ManifestParser implements FormParser {
  readonly #rows: Rows
  readonly #options: ManifestOptions
  readonly #head = new PendingBytes()
  #parser: FormParser | undefined

  constructor(rows: Rows, options: ManifestOptions) {
    this.#rows = rows
    this.#options = options
  }

  push(chunk: Uint8Array): void {
    if (this.#parser) this.#parser.push(chunk)
    else this.#start(this.#head.append(chunk), false)
  }

  end(): void {
    if (!this.#parser) this.#start(this.#head.view(), true)
    this.#parser?.end()
  }

  #start(head: Buffer, isWhole: boolean): void {
    if (head.length < 3 && !isWhole) return
    const bytes = withoutMark(head, 'the manifest')
    // A first line that is longer than any row may be: the parser will say so.
    const isEnough = isWhole || bytes.length > MAX_ROW_BYTES
    const isPage = isWebPage(bytes, isEnough)
    if (isPage) throw this.#rows.broken(1, 'it must be a manifest, got a web page (of a login or an error?)')
    const found = isPage === false ? this.#formOf(bytes.subarray(0, MAX_ROW_BYTES + 1), isEnough) : undefined
    if (found === undefined) return
    this.#parser = createParser(found, this.#rows, this.#options)
    for (let at = 0; at < bytes.length; at += PIECE) this.#parser.push(bytes.subarray(at, at + PIECE))
  }

  #formOf(bytes: Buffer, isEnough: boolean): ManifestForm | undefined {
    const form = this.#options.form ?? formOfName(this.#options.name)
    if (form === undefined) return formOfContent(bytes, isEnough)
    if (this.#options.form !== undefined || (form !== 'csv' && form !== 'tsv')) return form
    const header = firstLine(bytes)
    return header === undefined && !isEnough ? undefined : delimiterOf(header ?? bytes.toString('latin1'), form)
  }
}

/** The first line that is not blank, if it is complete. */
function firstLine(bytes: Buffer): string | undefined {
  return /^\s*(\S[^\n]*)\n/.exec(bytes.toString('latin1', 0, bytes.lastIndexOf(10) + 1))?.[1]
}

function createParser(form: ManifestForm, rows: Rows, { name, idColumn }: ManifestOptions): FormParser {
  switch (form) {
    case 'json':
      return new JsonArrayParser(rows)
    case 'jsonl':
      return createJsonLinesParser(rows)
    case 'csv':
      return new TableParser(rows, ',', idColumn)
    case 'tsv':
      return new TableParser(rows, '\t', idColumn)
    case 'list':
      return new ListParser(rows)
    case 'ids':
      return new ListParser(rows, { anyId: true })
    case 'fetch':
      return createFetchListParser(rows)
    case 'metalink':
      return new MetalinkParser(rows)
    case 'checksums':
      return createChecksumListParser(rows, name)
    default:
      throw new TransferError(
        'Usage',
        `Cannot read a manifest of the form ${String(form satisfies never)}: it is not known`,
      )
  }
}
