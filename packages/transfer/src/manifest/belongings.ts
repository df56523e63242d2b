import { TransferError } from '../errors.ts'
import type { Listed } from '../source.ts'
import type { Entry, Row } from './entry.ts'

/** A file of the GDC that is in place; what belongs to it goes beside it. */
export interface Owner {
  readonly entry: Entry
  readonly path: string
  readonly row: number
}

export interface BelongingsParts {
  list(uri: string): AsyncIterable<readonly Listed[]>
  /** The entry as it is to be fetched; undefined: what became of it is told. */
  place(related: Entry, owner: Owner): Promise<Entry | undefined>
  /** For what belongs to a file: behind those of all rows. */
  nextIndex(): number
  /** What belongs to it cannot be found out. */
  tellUnknown(owner: Owner, error: unknown): Promise<void>
  readonly signal: AbortSignal
}

/** Owners asked about at once: the questions travel together. */
const MOST_OWNERS = 200

/** The index and metadata files of the GDC that belong to what a run has fetched. */
export class Belongings {
  readonly #p: BelongingsParts
  readonly #owners: Owner[] = []
  /** How many of them are done with. */
  #asked = 0

  constructor(parts: BelongingsParts) {
    this.#p = parts
  }

  /** Owners that were not asked about. */
  get open(): readonly Owner[] {
    return this.#owners.slice(this.#asked)
  }

  /** A file is in place: perhaps others belong to it. */
  note(owner: Owner): void {
    const { range, uris } = owner.entry
    if (range === undefined && /^gdc:/i.test(uris[0] ?? '')) this.#owners.push(owner)
  }

  async *entries(): AsyncGenerator<readonly Row[]> {
    while (this.#asked < this.#owners.length) {
      const some = this.#owners.slice(this.#asked, this.#asked + MOST_OWNERS)
      const all = await Promise.allSettled(some.map(({ entry }) => this.#relatedOf(entry)))
      for (const [index, owner] of some.entries()) {
        const found = all[index]
        if (found?.status === 'fulfilled') yield await this.#placed(found.value, owner)
        else if (found) await this.#unknown(owner, found.reason)
      }
      this.#asked += some.length
    }
  }

  async #relatedOf({ uris: [uri] }: Entry): Promise<Listed[]> {
    const found: Listed[] = []
    for await (const batch of this.#p.list(`${uri}/`)) found.push(...batch)
    return found
  }

  async #placed(found: readonly Listed[], owner: Owner): Promise<Row[]> {
    const wanted: Row[] = []
    for (const { uri, path, size, checksums = [] } of found) {
      const id = uri.slice(uri.indexOf(':') + 1)
      const stated = checksums.map(({ algorithm, value }) => ({ algorithm, value }))
      const related = { index: this.#p.nextIndex(), id, uris: [uri], path, size, checksums: stated }
      const placed = await this.#p.place(related, owner)
      if (placed) wanted.push(placed)
    }
    return wanted
  }

  async #unknown(owner: Owner, error: unknown): Promise<void> {
    this.#p.signal.throwIfAborted()
    // It was fetched, and yet the catalogue does not have it: nothing belongs to it there.
    if (error instanceof TransferError && error.code === 'NotFound') return
    await this.#p.tellUnknown(owner, error)
  }
}
