/**
 * Reads a copy again, in full, that something speaks against, and records what is found. A bad first read is recorded as it
 * is met, so that the copy is not served meanwhile; the second one gives the verdict (reliability C2). One reading per copy at
 * a time, however many ask.
 */
import type { Catalogue } from '../../catalogue/catalogue.ts'
import type { FoundCopy, FoundFile } from '../../catalogue/operations/serving.ts'
import type { CopyState } from '../../catalogue/schema.ts'
import type { Log } from '../../log.ts'
import type { Reading } from '../../stores/store.ts'
import type { SiteStore } from '../../stores/stores.ts'

export interface RereadsOptions {
  readonly catalogue: Pick<Catalogue, 'readings'>
  /** This librarian's name, as proofs have it. */
  readonly name: string
  readonly log: Log
}

/** A copy of a file at a store of ours. */
export interface Copy {
  readonly file: FoundFile
  readonly copy: FoundCopy
  readonly place: SiteStore
}

type Read = Omit<Extract<Reading, { outcome: 'read' }>, 'outcome' | 'medium'>

interface Found extends Partial<Read> {
  readonly outcome: CopyState
  readonly medium: 'medium' | 'cache'
}

export class Rereads {
  readonly #options: RereadsOptions
  readonly #running = new Map<number, Promise<CopyState>>()

  constructor(options: RereadsOptions) {
    this.#options = options
  }

  /** Nothing was wrong so far, but the file is not the one that was read last. */
  again(copy: Copy): Promise<CopyState> {
    return this.#once(copy, () => this.#read(copy))
  }

  /** A read went wrong: recorded, then read again in the background. */
  doubt(copy: Copy, outcome: CopyState, what: string): void {
    const reading = this.#once(copy, async () => {
      await this.#record(copy, { outcome, medium: 'cache' }, what)
      return this.#read(copy)
    })
    reading.catch(error => {
      this.#options.log.error({ err: error, name: copy.file.name }, 'Cannot read a doubtful copy again')
    })
  }

  /** Resolves when nothing is being read. */
  async settled(): Promise<void> {
    while (this.#running.size > 0) await Promise.allSettled(this.#running.values())
  }

  #once({ copy }: Copy, read: () => Promise<CopyState>): Promise<CopyState> {
    const running = this.#running.get(copy.id) ?? read().finally(() => this.#running.delete(copy.id))
    this.#running.set(copy.id, running)
    return running
  }

  async #read(copy: Copy): Promise<CopyState> {
    const { file, place } = copy
    const reading = await place.store.examine(file.name, { kind: file.kind, checksum: file.checksum })
    const outcome = stateOf(reading, file)
    const bad = outcome === 'ok' ? undefined : explain(reading, outcome)
    await this.#record(copy, { ...(reading.outcome === 'read' ? reading : { medium: 'cache' }), outcome }, bad)
    return outcome
  }

  #record({ file, copy, place }: Copy, found: Found, what: string | undefined): Promise<void> {
    const message = what && `The copy of ${file.name} on ${place.name} is ${found.outcome}: ${what}`
    if (message) this.#options.log.error({ name: file.name, store: place.name, outcome: found.outcome }, message)
    return this.#options.catalogue.readings.record({
      instanceId: copy.id,
      fileName: file.name,
      storeId: copy.store_id,
      outcome: found.outcome,
      medium: found.medium,
      by: this.#options.name,
      sha256: found.sha256 ?? null,
      size: found.size ?? null,
      checksum: found.checksum ?? null,
      fingerprint: found.fingerprint ?? null,
      message,
    })
  }
}

function stateOf(reading: Reading, { size, checksum, sha256 }: FoundFile): CopyState {
  if (reading.outcome !== 'read') return reading.outcome
  const isSame = reading.size === size && sameChecksum(reading.checksum, checksum)
  return isSame && (sha256 === null || reading.sha256 === sha256) ? 'ok' : 'mismatch'
}

function explain(reading: Reading, outcome: CopyState): string {
  if (reading.outcome !== 'read') return reading.reason
  return outcome === 'mismatch' ? `it has ${reading.size} bytes and ${reading.checksum}` : ''
}

/** A checksum without a function's name is a bare md5 (librarian 6.1). */
function sameChecksum(one: string, other: string): boolean {
  return withFunction(one) === withFunction(other)
}

function withFunction(checksum: string): string {
  return checksum.includes(':::') ? checksum : `md5:::${checksum}`
}
