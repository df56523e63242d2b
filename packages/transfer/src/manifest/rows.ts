import { TransferError } from '../errors.ts'
import { printable, redactText } from '../redact.ts'
import type { Fields, Row } from './entry.ts'
import { RowProblem, refuseAs } from './problem.ts'
import type { RowShape } from './shape.ts'
import { toEntry } from './to-entry.ts'

export interface AddOptions {
  /** What the row's fields mean. Default: what they themselves say. */
  readonly shape?: RowShape | undefined
  /** Whether a row must name a place to fetch from; lists for verifying name none. Default true. */
  readonly needsUris?: boolean | undefined
}

/** Collects what a form's parser finds: counts rows, checks them, and turns a refusal into a `BadRow`. */
export class Rows {
  readonly #manifest: string
  #index = 0
  #batch: Row[] = []

  /** @param name how messages call the manifest */
  constructor(name?: string) {
    this.#manifest = name === undefined ? 'the manifest' : printable(redactText(name))
  }

  /** Adds a row that `read` gives; a RowProblem or TransferError that it throws makes a bad row. */
  add(line: number, read: () => Fields, { shape, needsUris = true }: AddOptions = {}): void {
    try {
      const entry = toEntry(read(), this.#index, line, shape)
      if (needsUris && entry.uris.length === 0) refuseAs('no_id', nothingNamed(shape))
      this.#batch.push(entry)
    } catch (error) {
      this.#refuse(line, error)
    }
    this.#index++
  }

  bad(line: number, problem: string): void {
    this.#refuse(line, new RowProblem(problem))
    this.#index++
  }

  /** Rows since the last call. */
  take(): Row[] {
    const batch = this.#batch
    this.#batch = []
    return batch
  }

  /** The error of a manifest whose remaining rows cannot be told apart: it ends the list. */
  broken(line: number, problem: string): TransferError {
    const message = `Cannot read ${this.#manifest} on from line ${line}, after ${this.#index} rows: ${problem}`
    return new TransferError('Usage', message, { remedy: 'Correct the list.' })
  }

  #refuse(line: number, error: unknown): void {
    const isExpected = error instanceof RowProblem || (error instanceof TransferError && error.code === 'Usage')
    if (!isExpected) throw error
    const problem = error.message.replace(/^Cannot use /, '')
    const message = `Cannot use row ${this.#index + 1} (line ${line}) of ${this.#manifest}: ${problem}`
    const reason = error instanceof RowProblem ? error.reason : undefined
    const details = { reason: reason ?? 'invalid', remedy: 'Correct the row.' }
    this.#batch.push({ index: this.#index, line, error: new TransferError('Usage', message, details), reason })
  }
}

function nothingNamed(shape: RowShape | undefined): string {
  if (shape?.idKeys) return `a row must name its object in ${shape.idKeys.join(' or ')}, got nothing`
  return `a row must name a url or urls${shape === undefined ? ', or an object in object_id, guid, did, id or drs_uri' : ''}`
}
