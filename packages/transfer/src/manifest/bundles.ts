import type { Listed } from '../source.ts'
import type { Entry, Row } from './entry.ts'
import { type Outcome, outcomeOf, outcomeOfError } from './outcome.ts'

/** A row that turned out to be a bundle, and where its members go. */
export interface Bundle {
  readonly uri: string
  /** Empty: into the directory of the run itself. */
  readonly path: string
  readonly row: number
  readonly entry: Entry
}

export interface BundlesParts {
  list(uri: string): AsyncIterable<readonly Listed[]>
  /** The member as it is to be fetched; undefined: what became of it is told. */
  place(member: Entry, row: number): Promise<Entry | undefined>
  /** For a member: behind those of all rows. */
  nextIndex(): number
  tell(entry: Entry, outcome: Outcome): Promise<void>
  readonly signal: AbortSignal
}

/** The bundles that a run has met: what they hold is fetched in a further round, in which more of them may turn up. */
export class Bundles {
  readonly #p: BundlesParts
  #found: Bundle[] = []
  readonly #opening = new Set<Bundle>()

  constructor(parts: BundlesParts) {
    this.#p = parts
  }

  get areAny(): boolean {
    return this.#found.length > 0
  }

  /** Those of which not every member is known. */
  get unopened(): readonly Bundle[] {
    return [...this.#opening, ...this.#found]
  }

  add(bundle: Bundle): void {
    this.#found.push(bundle)
  }

  /** What those hold that were added until now. */
  members(): AsyncGenerator<readonly Row[]> {
    const bundles = this.#found
    this.#found = []
    for (const bundle of bundles) this.#opening.add(bundle)
    return this.#membersOf(bundles)
  }

  async *#membersOf(bundles: readonly Bundle[]): AsyncGenerator<readonly Row[]> {
    const { tell, signal } = this.#p
    for (const bundle of bundles) {
      const { entry, row } = bundle
      try {
        let members = 0
        for await (const batch of this.#p.list(`${bundle.uri}/`)) {
          members += batch.length
          const wanted = await this.#placed(batch, bundle)
          if (wanted.length > 0) yield wanted
        }
        if (members === 0) {
          await tell(entry, outcomeOf(entry, 'downloaded', { index: row, verified: true, size_actual: 0 }))
        }
      } catch (error) {
        signal.throwIfAborted()
        await tell(entry, outcomeOfError(entry, error, { index: row }))
      }
      this.#opening.delete(bundle)
    }
  }

  async #placed(batch: readonly Listed[], { path, row }: Bundle): Promise<Entry[]> {
    const wanted: Entry[] = []
    for (const { uri, path: below, size } of batch) {
      const name = path === '' ? below : `${path}/${below}`
      const member = { index: this.#p.nextIndex(), id: uri, uris: [uri], path: name, size, checksums: [] }
      const placed = await this.#p.place(member, row)
      if (placed) wanted.push(placed)
    }
    return wanted
  }
}
