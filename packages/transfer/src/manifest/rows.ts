import { TransferError } from '../errors.ts'
import { printable, redactText } from '../redact.ts'
import type { Fields, Row } from './entry.ts'
import { RowProblem, refuse } from './problem.ts'
import { toEntry } from './to-entry.ts'

/** Collects what a form's parser finds: counts rows, checks them, and turns a refusal into a `BadRow`. */
export class Rows {
  readonly #manifest: string
  #index = 0
  #batch: Row[] = []

  /** @param name how messages call the manifest */
  constructor(name?: string) {
    this.#manifest = name === undefined ? 'the manifest' : printable(redactText(name))
  }

  /**
   * Adds a row that `read` gives; a RowProblem or TransferError that it throws makes a bad row. So does a row that names no
   * place to fetch from, unless the list is one for verifying.
   */
  add(line: number, read: () => Fields, needsUris = true): void {
    try {
      const entry = toEntry(read(), this.#index, line)
      if (needsUris && entry.uris.length === 0) refuse('a row must name a url or urls')
      this.#batch.push(entry)
    } catch (error) {
      this.#batch.push({ index: this.#index, line, error: this.#explain(line, error) })
    }
    this.#index++
  }

  bad(line: number, problem: string): void {
    const error = this.#explain(line, new RowProblem(problem))
    this.#batch.push({ index: this.#index++, line, error })
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
    return new TransferError('Usage', message)
  }

  #explain(line: number, error: unknown): TransferError {
    const isExpected = error instanceof RowProblem || (error instanceof TransferError && error.code === 'Usage')
    if (!isExpected) throw error
    const problem = error.message.replace(/^Cannot use /, '')
    return new TransferError(
      'Usage',
      `Cannot use row ${this.#index + 1} (line ${line}) of ${this.#manifest}: ${problem}`,
    )
  }
}
