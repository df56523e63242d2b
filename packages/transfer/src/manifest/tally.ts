import type { RunEnd } from '../hooks.ts'
import type { Outcome, OutcomeStatus } from './outcome.ts'
import type { ManifestSummary } from './run.ts'

/** What the outcomes of a run add up to. */
export class Tally {
  readonly #statuses = new Map<OutcomeStatus, number>()
  #total = { rows: 0, failed: 0, renamed: 0, repaired: 0, bytes: 0, skippedBytes: 0, transferred: 0 }

  /** One more row of the list. */
  addRow(): void {
    this.#total.rows++
  }

  add(outcome: Outcome): void {
    this.#statuses.set(outcome.status, (this.#statuses.get(outcome.status) ?? 0) + 1)
    const total = this.#total
    if (!outcome.ok) total.failed++
    if (outcome.renamed_from !== undefined) total.renamed++
    if (outcome.repaired) total.repaired++
    if (outcome.ok && outcome.status !== 'duplicate') total.bytes += outcome.size_actual ?? 0
    if (/^skipped/.test(outcome.status)) total.skippedBytes += outcome.size_actual ?? 0
    total.transferred += outcome.bytes_transferred ?? 0
  }

  get failed(): number {
    return this.#total.failed
  }

  /** What `onDone` is told. */
  get end(): RunEnd {
    const files = [...this.#statuses.values()].reduce((sum, count) => sum + count, 0)
    const { failed, bytes } = this.#total
    return { files, failed, bytes }
  }

  get summary(): Omit<ManifestSummary, 'totalMs'> {
    return { ...this.#total, statuses: Object.fromEntries(this.#statuses) }
  }
}
